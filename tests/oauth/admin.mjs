// The tests' own door: what a person or an operator could do to the provider, as calls of JSON. It has a key, and its own port.
import http from 'node:http';

const CALLS = {
  reset: ({ mounts, events }) => { events.length = 0; for (const one of Object.values(mounts)) one.reset(); },
  events: ({ events }) => events,
  secrets: (all, given) => [...at(all, given).secrets],
  fail: (all, given) => at(all, given).faults.add(given),
  heal: (all, given) => at(all, given).faults.clear(),
  rotate: (all, given) => { at(all, given).rotates = given.on; },
  lifetime: (all, given) => { at(all, given).lifetime = given.seconds; },
  describe: (all, given) => { at(all, given).people.describe(given.account, given.claims); },
  replace: (all, given) => { at(all, given).people.replace(given.account); },
  grants: (all, given) => grants(at(all, given), given.account).length,
  revoke: (all, given) => revoke(at(all, given), given.account),
  expire: (all, given) => expire(at(all, given), given.account),
};

export function door(key, all) {
  return http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = CALLS[request.url.slice(1)];
    if (request.headers.authorization !== `Bearer ${key}` || !call) return response.writeHead(404).end();
    try {
      const said = call(all, JSON.parse(Buffer.concat(chunks).toString() || '{}'));
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said ?? null));
    } catch (error) {
      return response.writeHead(400).end(error.stack);
    }
  });
}

function at({ mounts }, { mount }) {
  if (!mounts[mount]) throw new Error(`no mount ${mount}`);
  return mounts[mount];
}

/** The grants of an account that live; of everybody, where none is named. */
function grants({ people, store }, account) {
  return store.of('Grant').filter(([, row]) => !account || people.known(row.accountId).address === account);
}

/** As a person does who removes the app on the provider's pages, or an administrator. */
function revoke(mount, account) {
  const ended = grants(mount, account);
  for (const [id, row] of ended) {
    mount.store.revoke(id);
    mount.record('revoked', { client: row.clientId, account: mount.people.known(row.accountId).address });
  }
  return ended.length;
}

/** Ends access tokens before their time; whoever holds one does not know. */
function expire(mount, account) {
  const past = Math.floor(Date.now() / 1000) - 1;
  const tokens = [...mount.store.of('AccessToken'), ...mount.store.of('ClientCredentials')].map(([, row]) => row);
  const ended = tokens.filter((row) => !account || row.extra.address === account);
  for (const row of ended) row.exp = past;
  return ended.length;
}
