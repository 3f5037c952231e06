"""A message as Resend takes it: fields of JSON, made of the composed message; its bytes are Resend's own."""

import json
from base64 import b64encode
from collections.abc import Iterator
from email.message import EmailMessage
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
    needed = {"from", "to", "subject"}
    body = json.dumps({name: value for name, value in fields.items() if value or name in needed}).encode()
    if len(body) > LARGEST:
        raise MessageError(
            f"The request has {len(body):,} octets; Resend takes {LARGEST:,}.", cure="Send less, or a link."
        )
    return body


def _addressed(message: EmailMessage, name: str) -> list[str]:
    return [str(one) for field in message.get_all(name, []) for one in field.addresses]


def _plain(message: EmailMessage, name: str) -> set[str]:
    return {one.addr_spec for field in message.get_all(name, []) for one in field.addresses}


def _hidden(submission: Submission, message: EmailMessage) -> list[str]:
    """Return the envelope's recipients that no header shows."""
    shown = _plain(message, "To") | _plain(message, "Cc")
    return [who for who in submission.envelope.recipients if who not in shown]


def _bodies(message: EmailMessage) -> dict[str, str]:
    found = {}
    for kind, name in (("plain", "text"), ("html", "html")):
        part = message.get_body((kind,))
        if part is not None:
            found[name] = part.get_content()
    return found or {"text": ""}


def _headers(message: EmailMessage, submission: Submission) -> Iterator[tuple[str, str]]:
    """Yield the headers without a field of their own, and our key, by which a person finds it again."""
    for name, value in message.items():
        if name.lower() not in OWN:
            yield name, str(value)
    yield "X-Pillarbox-Id", submission.key


def _attachments(message: EmailMessage) -> Iterator[dict[str, str]]:
    bodies = [part for part in (message.get_body((kind,)) for kind in ("plain", "html")) if part is not None]
    for number, part in enumerate(message.walk()):
        if part.is_multipart() or any(part is body for body in bodies):
            continue
        octets = part.get_payload(decode=True)
        made = {
            "filename": part.get_filename() or f"part-{number}",
            "content": b64encode(octets if isinstance(octets, bytes) else b"").decode(),
            "content_type": part.get_content_type(),
        }
        content_id = str(part.get("Content-ID", "")).strip("<> ")
        yield {**made, "content_id": content_id} if content_id else made
