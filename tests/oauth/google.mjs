// The provider that looks like Google: refresh tokens for those who ask for access offline, a way to revoke, and service accounts.
import crypto from 'node:crypto';
import * as jose from 'jose';
import { suffered } from './faults.mjs';
import { answer, form } from './requests.mjs';

const SCOPES = ['gmail.send', 'gmail.compose', 'gmail.settings.basic', 'gmail.readonly', 'gmail.metadata', 'gmail.modify'].map((scope) => `https://www.googleapis.com/auth/${scope}`);
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const AUDIENCE = 'https://oauth2.googleapis.com/token'; // what google-auth writes, whatever token_uri it was given
// Google answers with the long names of what was asked for by the short ones.
const LONG = { email: 'https://www.googleapis.com/auth/userinfo.email', profile: 'https://www.googleapis.com/auth/userinfo.profile' };

export const google = (base, { clients, serviceAccount, signing }) => ({
  name: 'google',
  key: signing.key,
  path: '/google',
  paths: ['/google'],
  issuer: `${base}/google`,
  routes: { authorization: '/auth', token: '/token', jwks: '/certs/v3', userinfo: '/userinfo', introspection: '/introspection' },
  discovery: { revocation_endpoint: `${base}/google/revoke` },
  scopes: ['openid', 'email', 'profile', ...Object.values(LONG), ...SCOPES, 'https://mail.google.com/'],
  parameters: ['access_type', 'include_granted_scopes'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified', 'hd'], [LONG.email]: ['email', 'email_verified', 'hd'], [LONG.profile]: ['name'] },
  features: { clientCredentials: { enabled: true } }, // so that the tokens of service accounts are looked up; no app has that grant
  clients: registered(clients, serviceAccount.client),
  cancelled: { error: 'access_denied' },
  middleware: (mount) => [certificates(signing.certificate), offline(mount), revocation(mount), delegation(mount, serviceAccount)],
  keepsSignedIn(source) { return this.offline.has(source.grantId); },
  states: (person) => ({ name: person.address.split('@')[0], email: person.address, email_verified: true, hd: person.address.split('@')[1] }),
  dress(ctx) {
    if (ctx.body?.scope) ctx.body.scope = ctx.body.scope.split(' ').map((scope) => LONG[scope] ?? scope).join(' ');
    if (ctx.body?.error === 'invalid_grant') ctx.body.error_description = 'Token has been expired or revoked.';
  },
});

function registered({ googleDesktop, googleWeb, api, mailServer }, service) {
  const app = (client, given) => ({ client_id: client.id, client_secret: client.secret, application_type: 'native', token_endpoint_auth_method: 'client_secret_post', redirect_uris: client.redirect_uris, response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'], ...given });
  const none = { response_types: [], grant_types: [], client_secret: 'unused' };
  return [app(googleDesktop), app(googleWeb), app({ id: service, redirect_uris: [] }, none), app(api, { ...none, client_secret: api.secret }), app(mailServer, { ...none, client_secret: mailServer.secret, token_endpoint_auth_method: 'client_secret_basic' })];
}

/** Beside the keys as OpenID has them, Google shows them as certificates, which is where its library looks. */
function certificates(certificate) {
  return (ctx, next) => (ctx.path === '/certs' ? answer(ctx, 200, { google: certificate }) : next());
}

/** A grant whose request had access_type=offline, and whose person was asked, comes with a refresh token. */
function offline(mount) {
  mount.offline = new Set();
  mount.provider.on('authorization.success', (ctx) => {
    const { access_type: type, prompt = '' } = ctx.oidc.params;
    if (type === 'offline' && prompt.includes('consent')) mount.offline.add(ctx.oidc.entities.AuthorizationCode?.grantId);
  });
  return (ctx, next) => next();
}

/** Google asks nobody who they are that revoke a token. */
function revocation(mount) {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/revoke') return next();
    const token = ctx.query.token ?? (await form(ctx)).get('token') ?? '';
    const fault = mount.faults.take('revoke');
    return fault ? suffered(ctx, fault, () => revoked(mount, ctx, token)) : revoked(mount, ctx, token);
  };
}

async function revoked(mount, ctx, token) {
  const { RefreshToken, AccessToken } = mount.provider;
  const found = (await RefreshToken.find(token)) ?? (await AccessToken.find(token));
  if (!found) return answer(ctx, 400, { error: 'invalid_token', error_description: 'Token expired or revoked' });
  mount.store.revoke(found.grantId);
  mount.record('revoked', { client: found.clientId, account: mount.people.known(found.accountId).address });
  return answer(ctx, 200, {});
}

/** Service accounts prove themselves by what they sign (RFC 7523), and act for somebody of a domain that lets them. */
function delegation(mount, { client, address, certificate, domains, scopes }) {
  const key = crypto.createPublicKey(certificate);
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== '/token') return next();
    const asked = await form(ctx);
    if (asked.get('grant_type') !== BEARER) return next();
    const event = { client, grant_type: BEARER };
    try {
      const audience = [AUDIENCE, `${mount.issuer}/token`];
      const { payload } = await jose.jwtVerify(asked.get('assertion'), key, { audience, issuer: address, maxTokenAge: '1h' });
      const wanted = (payload.scope ?? '').split(' ');
      if (payload.sub && !(domains.includes(payload.sub.split('@')[1]) && wanted.every((scope) => scopes.includes(scope)))) throw Object.assign(new Error('not delegated'), UNDELEGATED);
      answer(ctx, 200, { access_token: await minted(mount, client, payload), expires_in: mount.lifetime, token_type: 'Bearer' });
      mount.record('granted', { ...event, account: payload.sub ?? address, scopes: wanted });
    } catch (error) {
      const { status = 400, code = 'invalid_grant', words = 'Invalid JWT Signature.' } = error.words ? error : {};
      mount.record('refused', { ...event, error: code, why: error.message });
      answer(ctx, status, { error: code, error_description: words });
    }
    return undefined;
  };
}

const UNDELEGATED = {
  status: 401,
  code: 'unauthorized_client',
  words: 'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
};

async function minted({ provider }, client, payload) {
  const token = new provider.ClientCredentials({ client: await provider.Client.find(client), scope: payload.scope });
  token.delegate = payload.sub ?? payload.iss;
  return token.save();
}
