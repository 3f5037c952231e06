"""A message as Resend takes it: fields of JSON, made of the composed message; its bytes are Resend's own."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage, Message
from typing import Any

from pillarbox import MessageError, Submission

from .options import ResendOptions

LARGEST = 40 * 1024 * 1024
"""Octets of a request, attachments in base64."""
MOST_OF_A_FIELD = 50
OWN = {
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "reply-to",
    "date",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
}
"""What has a field of its own, or is the carrier's to write."""
_AS_WRITTEN = policy.SMTP.clone(refold_source="none")
"""An attached mail stays as its author wrote it, not as the library would."""


def body_of(submission: Submission, options: ResendOptions) -> bytes:
    """Return the request.

    Raises:
        MessageError: Resend can't carry this message.
    """
    message = submission.message()
    to, cc = _addressed(message, "To"), _addressed(message, "Cc")
    fields: dict[str, Any] = {
        "from": str(message["From"]),
        "to": to,
        "cc": cc,
        "bcc": _hidden(submission, message),
        "reply_to": _addressed(message, "Reply-To"),
        "subject": str(message.get("Subject", "")),
        **_bodies(message),
        "headers": dict(_headers(message, submission)),
        "attachments": list(_attachments(message)),
        "tags": [{"name": name, "value": value} for name, value in options.tags.items()],
    }
    if not to:
        raise MessageError("Resend needs a recipient in To.", cure="Name one: your own address will do.")
    if any(len(fields[name]) > MOST_OF_A_FIELD for name in ("to", "cc", "bcc")):
        raise MessageError(
            f"Resend takes {MOST_OF_A_FIELD} recipients in a field.", cure="Split the message."
        )
    needed = {"from", "to", "subject", "text"}  # an empty text is one; none at all is refused
    body = json.dumps({name: value for name, value in fields.items() if value or name in needed}).encode()
    if len(body) > LARGEST:
        raise MessageError(
            f"The request has {len(body):,} octets; Resend takes {LARGEST:,}.", cure="Send less, or a link."
        )
    return body


def _addressed(message: EmailMessage, name: str) -> list[str]:
    return [str(one) for field in message.get_all(name, []) for one in field.addresses]


def _hidden(submission: Submission, message: EmailMessage) -> list[str]:
    """Return the envelope's recipients that no header shows, in whatever way it writes them."""
    fields = [field for name in ("To", "Cc") for field in message.get_all(name, [])]
    shown = {(one.username, one.domain.lower()) for field in fields for one in field.addresses}
    return [who for who in submission.envelope.recipients if _mailbox(who) not in shown]


def _mailbox(address: str) -> tuple[str, str]:
    """Return the local part without quotes, and the domain: "a.b"@c.example is a.b@c.example (RFC 5321 4.1.2)."""
    local, _, domain = address.rpartition("@")
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else local, domain.lower()


def _bodies(message: EmailMessage) -> dict[str, str]:
    found = {}
    for kind, name in (("plain", "text"), ("html", "html")):
        part = message.get_body((kind,))
        if part is not None and (said := part.get_content()):
            found[name] = said
    return found or {"text": ""}


def _headers(message: EmailMessage, submission: Submission) -> Iterator[tuple[str, str]]:
    """Yield the headers without a field of their own, and our key, by which a person finds it again."""
    for name, value in message.items():
        if name.lower() not in OWN:
            yield name, str(value)
    yield "X-Pillarbox-Id", submission.key


def _attachments(message: EmailMessage) -> Iterator[dict[str, str]]:
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    for number, part in enumerate(_leaves(message)):
        if any(part is body for body in bodies):
            continue
        made = {
            "filename": part.get_filename() or f"part-{number}",
            "content": b64encode(_octets(part)).decode(),
            "content_type": part.get_content_type(),
        }
        content_id = str(part.get("Content-ID", "")).strip("<> ")
        yield {**made, "content_id": content_id} if content_id else made


def _leaves(part: Message) -> Iterator[Message]:
    """Yield the parts that hold no others; a mail that is attached is one, whatever is in it."""
    if part.get_content_maintype() != "multipart":
        yield part
        return
    for inner in part.get_payload():
        if isinstance(inner, Message):
            yield from _leaves(inner)


def _octets(part: Message) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):  # an attached mail
        return b"".join(one.as_bytes(policy=_AS_WRITTEN) for one in inner if isinstance(one, Message))
    octets = part.get_payload(decode=True)
    return octets if isinstance(octets, bytes) else b""
