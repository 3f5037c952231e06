// What a test lets go wrong at the token endpoint, or at the one that revokes.
import { answer } from './requests.mjs';

const STATUS = { invalid_client: 401, temporarily_unavailable: 503, server_error: 500 };
const PAGE = '<!doctype html><html><title>Service unavailable</title><p>Try again later.</p></html>';

export class Faults {
  #waiting = [];

  add(fault) {
    this.#waiting.push({ endpoint: 'token', times: 1, ...fault });
  }

  /** The fault that this request meets, if it meets one; `times` of -1 has no end. */
  take(endpoint, grantType) {
    const met = this.#waiting.find((one) => one.endpoint === endpoint && one.times !== 0 && (!one.grant_type || one.grant_type === grantType));
    if (met && met.times > 0) met.times -= 1;
    return met;
  }

  clear() {
    this.#waiting = [];
  }
}

/** Answers as the fault wants; `next` is what the provider would have done. An `echo` repeats the form as it came. */
export async function suffered(ctx, fault, next) {
  const asked = ctx.req.body;
  const description = fault.echo ? `${fault.description} ${asked}` : fault.description;
  switch (fault.error) {
    case 'hang': return silent(ctx, false);
    case 'cut': return silent(ctx, true);
    case 'cut-after': await next(); return silent(ctx, true);
    case 'garbage': ctx.type = 'html'; return answer(ctx, 200, fault.echo ? `${PAGE}${asked}` : PAGE);
    case 'unavailable': ctx.type = 'html'; return answer(ctx, 503, fault.echo ? `${PAGE}${asked}` : PAGE);
    default: return answer(ctx, fault.status ?? STATUS[fault.error] ?? 400, { error: fault.error, error_description: description, ...fault.more });
  }
}

/** Says nothing, until the client has enough or, where it is to be cut, at once. */
async function silent(ctx, cut) {
  ctx.respond = false;
  if (cut) ctx.req.socket.destroy();
  else await new Promise((resolve) => { ctx.req.socket.once('close', resolve); });
}
