// What comes in requests.

/** The form of a POST; the provider behind may read it again. */
export async function form(ctx) {
  if (ctx.req.body === undefined) {
    const chunks = [];
    for await (const chunk of ctx.req) chunks.push(chunk);
    ctx.req.body = Buffer.concat(chunks).toString();
  }
  return new URLSearchParams(ctx.req.body);
}

/** The scopes that a person is asked about: not those which say nothing to them. */
export const wanting = (asked) => asked.params.scope.split(' ').filter((scope) => !['openid', 'offline_access'].includes(scope));

export function answer(ctx, status, body) {
  ctx.status = status;
  ctx.set('cache-control', 'no-store');
  ctx.body = body;
}
