// What a person says on the pages: who they are, what they allow, or that they would rather not.
import { interactionPolicy } from 'oidc-provider';
import { form, wanting } from './requests.mjs';
import * as pages from './pages.mjs';

const PATH = '/interaction/';

export const url = (ctx, interaction) => `${new URL(ctx.oidc.issuer).origin}${ctx.req.mount}${PATH}${interaction.uid}`;

/** Signing in, choosing an account and consenting; each can be asked for by `prompt`. */
export function policy() {
  const prompts = interactionPolicy.base();
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return prompts;
}

/** Serves the pages; `cancelled` is what the provider answers to the app that a person does not want. */
export function served(provider, people, cancelled) {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PATH)) return next();
    const asked = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === 'GET') return show(ctx, asked, people);
    const said = await form(ctx);
    const answer = said.has('cancel') ? cancelled : await taken(provider, people, asked, said);
    return provider.interactionFinished(ctx.req, ctx.res, answer, { mergeWithLastSubmission: !said.has('cancel') });
  };
}

function show(ctx, asked, people) {
  ctx.type = 'html';
  const client = asked.params.client_id;
  ctx.body = asked.prompt.name === 'consent'
    ? pages.consent(people.known(asked.session.accountId).address, client, wanting(asked))
    : pages.signIn(asked.params.login_hint ?? '', client);
}

async function taken(provider, people, asked, said) {
  if (asked.prompt.name !== 'consent') return { login: { accountId: people.at(said.get('address')).id }, select_account: {} };
  return { consent: { grantId: await granted(provider, asked, new Set(said.getAll('scope'))) } };
}

/** Keeps a grant of what was left ticked; the rest is refused, so that nobody is asked again. */
async function granted(provider, asked, ticked) {
  const grant = new provider.Grant({ accountId: asked.session.accountId, clientId: asked.params.client_id });
  for (const scope of asked.params.scope.split(' ')) {
    if (ticked.has(scope) || !wanting(asked).includes(scope)) grant.addOIDCScope(scope);
    else grant.rejectOIDCScope(scope);
  }
  if (asked.prompt.details.missingOIDCClaims) grant.addOIDCClaims(asked.prompt.details.missingOIDCClaims);
  return grant.save();
}
