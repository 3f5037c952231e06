// The node contenders: reads a job, then does it as often as each further line says (see worker.py).
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import nodemailer from "nodemailer";
import MailComposer from "nodemailer/lib/mail-composer";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const job = JSON.parse((await lines.next()).value);
const ready = readFileSync(job.ready);
const attachment = job.attachment && readFileSync(job.attachment);
const version = JSON.parse(readFileSync(new URL("node_modules/nodemailer/package.json", import.meta.url))).version;

// One kept connection, as the others have; nodemailer hands it the next message when the last was answered.
const transport = job.port && nodemailer.createTransport({
  host: "127.0.0.1", port: job.port, pool: true, maxConnections: 1, maxMessages: Infinity,
  secure: false, ignoreTLS: true,
});

const message = () => ({
  from: { name: job.senderName, address: job.sender },
  to: job.recipient,
  subject: job.subject,
  text: job.text,
  html: job.html ?? undefined,
  attachments: attachment ? [{ filename: job.filename, content: attachment }] : [],
});
const envelope = { from: job.sender, to: [job.recipient] };

// All messages are given at once, as to a pool they should be; 5 MB ones in fours, for the memory's sake.
const everyOne = async (count, send) => {
  const atOnce = attachment && attachment.length > 1e6 ? 4 : count;
  for (let done = 0; done < count; done += atOnce)
    await Promise.all(Array.from({ length: Math.min(atOnce, count - done) }, send));
};

const contenders = {
  "nodemailer, ready bytes": (count) => everyOne(count, () => transport.sendMail({ envelope, raw: ready })),
  "nodemailer": (count) => everyOne(count, () => transport.sendMail(message())),
  "nodemailer MailComposer": async (count) => {
    for (let i = 0; i < count; i++)
      await new MailComposer(message()).compile().build();
  },
};

const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
say({ about: `nodemailer ${version} on node ${process.versions.node}` });
for (;;) {
  const { value, done } = await lines.next();
  if (done) break;
  const { count } = JSON.parse(value);
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await contenders[job.contender](count);
  const used = process.cpuUsage(cpu);
  say({ wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6 });
}
if (transport) transport.close();
