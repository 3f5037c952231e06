// One provider below one path: the certified library, what it remembers, and what a test can change about it.
import crypto from 'node:crypto';
import Provider from 'oidc-provider';
import { Faults, suffered } from './faults.mjs';
import * as interactions from './interactions.mjs';
import { People } from './people.mjs';
import { form } from './requests.mjs';
import { Store } from './store.mjs';

const DAY = 86400;
const SECRET = new Set([
  'code', 'code_verifier', 'device_code', 'refresh_token', 'access_token', 'id_token', 'client_secret', 'client_assertion', 'assertion',
]);

export class Mount {
  faults = new Faults();
  people = new People();
  store = new Store();
  secrets = new Set();

  /** `events` is the log; `given` what this provider is: its name, path, issuer, key, routes, scopes, clients, and how it differs. */
  constructor(given, events) {
    Object.assign(this, given);
    this.events = events;
    this.reset();
    const jwk = crypto.createPrivateKey(this.key).export({ format: 'jwk' });
    this.provider = new Provider(this.issuer, this.#configuration({ ...jwk, use: 'sig', alg: 'RS256', kid: this.name }));
    this.provider.use(this.#guarded);
    this.provider.use(interactions.served(this.provider, this.people, this.cancelled));
    for (const one of given.middleware(this)) this.provider.use(one);
    this.#listen();
  }

  reset() {
    this.rotates = true;
    this.lifetime = 3600;
    this.faults.clear();
    this.people.clear();
    this.secrets.clear();
    this.store.clear();
  }

  record(kind, fields) {
    this.events.push({ mount: this.name, kind, at: Date.now() / 1000, ...fields });
  }

  /** Takes a request whose path starts with ours; `url` is what follows. */
  serve(request, response, url) {
    Object.assign(request, { url, originalUrl: this.path + url, mount: this.path });
    return this.provider.callback()(request, response);
  }

  #configuration(key) {
    const ofAccess = () => this.lifetime;
    return {
      jwks: { keys: [key] },
      cookies: { keys: ['test'] },
      adapter: this.store.adapter,
      clients: this.clients,
      scopes: this.scopes,
      routes: this.routes,
      extraParams: this.parameters,
      discovery: this.discovery,
      clientAuthMethods: ['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt'],
      conformIdTokenClaims: false,
      claims: this.claims,
      findAccount: (ctx, id) => this.#account(id),
      extraTokenClaims: (ctx, token) => this.#about(token),
      rotateRefreshToken: () => this.rotates,
      issueRefreshToken: (ctx, client, source) => this.keepsSignedIn(source),
      expiresWithSession: () => false,
      pkce: { required: () => false },
      interactions: { url: interactions.url, policy: interactions.policy() },
      ttl: {
        AccessToken: ofAccess, ClientCredentials: ofAccess, IdToken: 3600, AuthorizationCode: 60,
        DeviceCode: 600, Interaction: 600, RefreshToken: 90 * DAY, Session: DAY, Grant: 90 * DAY,
      },
      features: { devInteractions: { enabled: false }, introspection: { enabled: true, allowedPolicy: () => true }, ...this.features },
    };
  }

  #account(id) {
    const person = this.people.known(id);
    return person && { accountId: id, claims: () => ({ sub: id, ...this.states(person), ...person.claims }) };
  }

  /** What the introspection of a token says of it: whose it is, or what an app may do by itself. */
  #about(token) {
    if (token.kind === 'AccessToken') return { address: this.people.known(token.accountId)?.address };
    if (token.delegate) return { address: token.delegate };
    return { app: true, roles: this.roles?.[token.clientId] ?? [] };
  }

  #guarded = async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== this.routes.token) return next();
    const asked = await form(ctx);
    this.#learn(asked);
    const fault = this.faults.take('token', asked.get('grant_type'));
    if (fault) {
      this.record('fault', { client: asked.get('client_id') ?? '', grant_type: asked.get('grant_type') ?? '', error: fault.error });
      return suffered(ctx, fault, next);
    }
    await next();
    await this.dress(ctx, asked);
    if (ctx.body) this.#learn(Object.entries(ctx.body));
  };

  /** Keeps what must be seen nowhere else, for a test that looks for it. */
  #learn(pairs) {
    for (const [name, value] of pairs) if (SECRET.has(name)) this.secrets.add(value);
  }

  #listen() {
    const said = (ctx) => ({
      client: ctx.oidc?.client?.clientId ?? ctx.oidc?.params?.client_id ?? '',
      grant_type: ctx.oidc?.params?.grant_type ?? '',
      account: this.people.known(ctx.oidc?.entities.Account?.accountId)?.address ?? '',
      scopes: [...(ctx.oidc?.entities.AccessToken ?? ctx.oidc?.entities.ClientCredentials)?.scopes ?? []],
    });
    this.provider.on('grant.success', (ctx) => this.record('granted', said(ctx)));
    this.provider.on('grant.error', (ctx, error) => this.record('refused', { ...said(ctx), error: error.error ?? 'server_error', why: error.error_detail ?? error.error_description ?? '' }));
    this.provider.on('refresh_token.consumed', (token) => this.record('consumed', { client: token.clientId, account: this.people.known(token.accountId)?.address ?? '' }));
    this.provider.on('grant.revoked', (ctx) => this.record('revoked', { client: said(ctx).client, account: said(ctx).account }));
    this.provider.on('server_error', (ctx, error) => console.error(error));
  }
}
