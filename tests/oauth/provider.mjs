// An OpenID provider on loopback for tests: what looks like Entra and what looks like Google, below one address.
//
// It reads one line of JSON, says READY and where it is, and ends when its input does: with the one who started it.
import https from 'node:https';
import readline from 'node:readline';
import { door } from './admin.mjs';
import { entra } from './entra.mjs';
import { google } from './google.mjs';
import { Mount } from './mount.mjs';

const HOST = '127.0.0.1';

async function main(given) {
  const events = [];
  const server = https.createServer({ key: given.tls.key, cert: given.tls.certificate });
  const base = `https://localhost:${await listening(server, given.port ?? 0)}`;
  const mounts = {
    entra: new Mount(entra(base, given), events),
    google: new Mount(google(base, given), events),
  };
  server.on('request', (request, response) => dispatch(Object.values(mounts), request, response));
  const admin = door(given.key, { mounts, events });
  console.log(`READY ${JSON.stringify({ base, admin: `http://${HOST}:${await listening(admin, 0)}` })}`);
}

async function listening(server, port) {
  await new Promise((resolve, reject) => { server.once('error', reject).listen(port, HOST, resolve); });
  return server.address().port;
}

function dispatch(mounts, request, response) {
  for (const mount of mounts) {
    const path = mount.paths.find((one) => request.url.startsWith(`${one}/`));
    if (path) return mount.serve(request, response, request.url.slice(path.length).replace(/^\/v2\.0\//, '/'));
  }
  return response.writeHead(404).end();
}

const lines = readline.createInterface({ input: process.stdin });
lines.once('line', (line) => main(JSON.parse(line)));
lines.once('close', () => process.exit(0));
