// The provider that looks like Entra: paths, scopes, words and numbers of its errors, and what it does not say.
import crypto from 'node:crypto';
import { adminConsent, confirmCode, done, enterCode, escaped, refused } from './pages.mjs';
import { form } from './requests.mjs';

const GRAPH = ['Mail.Send', 'Mail.Send.Shared', 'Mail.ReadWrite', 'Mail.ReadWrite.Shared', 'Mail.Read', 'User.Read'];
const OUTLOOK = ['SMTP.Send', 'IMAP.AccessAsUser.All'].map((scope) => `https://outlook.office.com/${scope}`);
const DEFAULTS = ['https://graph.microsoft.com', 'https://outlook.office365.com', 'https://outlook.office.com'].map((resource) => `${resource}/.default`);
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

// What MSAL and people read of Entra's errors (learn.microsoft.com/entra/identity-platform/reference-error-codes).
const WORDS = {
  authorization_pending: [70016, 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.'],
  expired_token: [70020, 'The provided value for the input parameter device_code is not valid. This device code has expired.'],
  access_denied: [65004, 'User declined to consent to access the app.'],
  invalid_client: [7000215, 'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value.'],
  invalid_grant: [700082, 'The refresh token has expired due to inactivity.'],
  invalid_scope: [70011, 'The provided value for the input parameter scope is not valid.'],
  consent_required: [65001, 'The user or administrator has not consented to use the application.'],
};

export const entra = (base, { tenant, domain, clients, certificate, signing }) => ({
  name: 'entra',
  key: signing.key,
  path: `/${tenant}`,
  paths: [`/${tenant}`, `/${domain}`, '/organizations', '/common'],
  issuer: `${base}/${tenant}/v2.0`,
  routes: {
    authorization: '/oauth2/v2.0/authorize', token: '/oauth2/v2.0/token', jwks: '/discovery/v2.0/keys', userinfo: '/oidc/userinfo',
    device_authorization: '/oauth2/v2.0/devicecode', code_verification: '/oauth2/deviceauth', end_session: '/oauth2/v2.0/logout', introspection: '/introspection',
  },
  scopes: ['openid', 'offline_access', 'profile', 'email', ...GRAPH, ...GRAPH.map((scope) => `https://graph.microsoft.com/${scope}`), ...OUTLOOK, ...DEFAULTS],
  parameters: ['client_info', 'domain_hint', 'client-request-id'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'oid', 'tid', 'ver'], email: ['email'] },
  features: { clientCredentials: { enabled: true }, deviceFlow: devices },
  clients: registered(clients, certificate),
  roles: Object.fromEntries(Object.values(clients).filter((one) => one.roles.length).map((one) => [one.id, one.roles])),
  cancelled: { error: 'access_denied', error_description: said(...WORDS.access_denied) },
  middleware: (mount) => [keepingSignedIn(mount), consentForAll(mount, tenant), silentIssuer(mount)],
  keepsSignedIn: (source) => source.scopes.has('offline_access'),
  states: (person) => ({ name: person.address.split('@')[0], preferred_username: person.address, email: person.address, oid: person.oid, tid: tenant, ver: '2.0' }),
  dress(ctx, asked) {
    if (ctx.body?.error) worded(ctx, asked);
    else if (ctx.body?.access_token) explained(this, ctx, asked, tenant);
  },
});

const devices = {
  enabled: true,
  userCodeInputSource: (ctx, form, out, error) => { ctx.body = error?.name === 'AbortedError' ? refused('access_denied', 'You have cancelled.') : enterCode(form, error); },
  userCodeConfirmSource: (ctx, form, client) => { ctx.body = confirmCode(form, client.clientId); },
  successSource: (ctx) => { ctx.body = done(); },
};

function registered({ desktop, web, daemon, certified, api, mailServer }, certificate) {
  const app = (client, given) => ({ client_id: client.id, client_secret: client.secret, application_type: 'native', token_endpoint_auth_method: 'client_secret_post', redirect_uris: client.redirect_uris, response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'], ...given });
  const alone = { response_types: [], grant_types: ['client_credentials'], scope: DEFAULTS.join(' ') };
  return [
    app(desktop, { client_secret: undefined, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token', DEVICE] }),
    app(web),
    app(daemon, alone),
    app(certified, { ...alone, client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...crypto.createPublicKey(certificate).export({ format: 'jwk' }), use: 'sig' }] } }),
    app(api, { response_types: [], grant_types: [] }),
    app(mailServer, { response_types: [], grant_types: [], token_endpoint_auth_method: 'client_secret_basic' }),
  ];
}

function said(number, text) {
  return `AADSTS${number}: ${text}`;
}

function worded(ctx, asked) {
  let { error } = ctx.body;
  if (error === 'invalid_scope' && asked.get('grant_type') === 'refresh_token') error = 'consent_required';
  const [number, text] = WORDS[error] ?? [90014, ctx.body.error_description];
  const more = error === 'consent_required' ? { error: 'invalid_grant', suberror: 'consent_required' } : {};
  ctx.body = { error, ...more, error_description: said(number, text), error_codes: [number], timestamp: new Date().toISOString(), trace_id: 'trace', correlation_id: 'correlation' };
}

/** Who signed in, as MSAL reads it; offline_access is asked for and never named among what was granted. */
function explained(mount, ctx, asked, tenant) {
  const account = mount.people.known(ctx.oidc.entities.Account?.accountId);
  const info = JSON.stringify({ uid: account?.oid, utid: tenant });
  if (account && asked.get('client_info')) ctx.body.client_info = Buffer.from(info).toString('base64url');
  if (ctx.body.scope) ctx.body.scope = ctx.body.scope.split(' ').filter((scope) => scope !== 'offline_access').join(' ');
}

/** OpenID gives offline_access only to who asks for consent outright; Entra to everybody. */
function keepingSignedIn(mount) {
  return (ctx, next) => {
    const { scope = '', prompt = '' } = ctx.query;
    if (ctx.path === mount.routes.authorization && scope.includes('offline_access') && !/none|consent/.test(prompt)) {
      ctx.query = { ...ctx.query, prompt: `${prompt} consent`.trim() };
      ctx.req.originalUrl = mount.path + ctx.req.url;
    }
    return next();
  };
}

/** Entra does not name itself in a redirect (RFC 9207), and its device codes have no complete URL. */
function silentIssuer({ provider }) {
  provider.on('authorization.success', (ctx, out) => { if (out) { delete out.iss; out.session_state = 'session'; } });
  provider.on('device_authorization.success', (ctx, out) => {
    delete out.verification_uri_complete;
    out.message = `To sign in, use a web browser to open the page ${out.verification_uri} and enter the code ${out.user_code} to authenticate.`;
  });
  return async (ctx, next) => {
    await next();
    if (ctx.path.startsWith('/.well-known/')) delete ctx.body.authorization_response_iss_parameter_supported;
  };
}

/** The page where an administrator allows the app for everybody; only admin@... is one. */
function consentForAll(mount, tenant) {
  return async (ctx, next) => {
    if (ctx.path !== '/adminconsent') return next();
    const { client_id: client, redirect_uri: back, state } = ctx.query;
    ctx.type = 'html';
    const known = mount.clients.find((one) => one.client_id === client);
    if (!known?.redirect_uris.includes(back)) return Object.assign(ctx, { status: 400, body: refused('invalid_request', said(50011, 'The redirect URI does not match.')) });
    if (ctx.method === 'GET') return Object.assign(ctx, { body: adminConsent(escaped(client)) });
    const given = await form(ctx);
    if (!given.has('cancel') && !given.get('address').startsWith('admin@')) return Object.assign(ctx, { body: refused('access_denied', said(90094, 'An administrator has to allow this.')) });
    return ctx.redirect(`${back}?${consented(mount, client, tenant, state, !given.has('cancel'))}`);
  };
}

function consented(mount, client, tenant, state, allowed) {
  if (!allowed) return new URLSearchParams({ error: 'access_denied', error_description: said(...WORDS.access_denied), error_subcode: 'cancel', admin_consent: 'True', tenant, state });
  mount.record('consented', { client });
  return new URLSearchParams({ admin_consent: 'True', tenant, state });
}
