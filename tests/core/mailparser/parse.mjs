// Reads base64 messages, one a line, and answers each with one line of JSON: what mailparser makes of it.
import { createInterface } from "node:readline";
import { simpleParser } from "mailparser";

const options = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true };

function mailboxes(field) {
  const fields = field === undefined ? [] : [field].flat();
  const boxes = fields.flatMap((each) => each.value).flatMap((one) => one.group ?? [one]);
  return boxes.map((one) => [one.name ?? "", one.address ?? ""]);
}

function attachment(one) {
  return {
    filename: one.filename ?? null,
    kind: one.contentType,
    disposition: one.contentDisposition ?? null,
    cid: one.cid ?? null,
    content: one.content.toString("base64"),
  };
}

function seen(mail) {
  return {
    from: mailboxes(mail.from),
    to: mailboxes(mail.to),
    cc: mailboxes(mail.cc),
    bcc: mailboxes(mail.bcc),
    reply_to: mailboxes(mail.replyTo),
    subject: mail.subject ?? "",
    message_id: mail.messageId ?? null,
    in_reply_to: mail.inReplyTo ?? null,
    references: [mail.references ?? []].flat(),
    text: mail.text ?? null,
    html: mail.html || null,
    attachments: mail.attachments.map(attachment),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const mail = await simpleParser(Buffer.from(line, "base64"), options);
  process.stdout.write(JSON.stringify(seen(mail)) + "\n");
}
