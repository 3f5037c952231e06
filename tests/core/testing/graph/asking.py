"""A client of few lines, and what it asks a fake Graph about: Anna, her mailbox, and those she may use."""

from __future__ import annotations

import base64
import email
import email.policy
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from pillarbox.testing.graph import FakeGraph, Mail, Manners

ANNA, SALES, CUSTOMER, HIDDEN = (
    "anna@acme.example",
    "sales@acme.example",
    "ap@customer.example",
    "boss@acme.example",
)
ALL = ("User.Read", "Mail.ReadWrite.Shared", "Mail.Send.Shared")
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SCHEMA: Mapping[str, Mapping[str, Any]] | None = None
"""What bodies are held against; None for what the fake knows by itself. `tests/graph` sets it."""
TAG = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name pillarbox"


@attrs.frozen
class Said:
    """An answer."""

    status: int
    headers: dict[str, str]
    octets: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.octets)

    @property
    def error(self) -> tuple[int, str]:
        """The status and the code."""
        return self.status, self.json["error"]["code"]


@attrs.define
class Client:
    """Asks *graph* with *token*."""

    graph: FakeGraph
    token: str = ""
    mine: str = "/v1.0/me"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """Ask; *path* is below `mine` unless it is a whole address or begins with /v1.0."""
        at = urlsplit(path if path.startswith(("http", "/v1.0")) else self.mine + path)
        octets = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        told = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}", **headers}
        line = http.client.HTTPConnection(urlsplit(self.graph.url).netloc, timeout=20)
        try:
            target = f"{at.path}?{at.query}" if at.query else at.path
            line.request(method, target, octets, {k: v for k, v in told.items() if v != "Bearer "})
            answer = line.getresponse()
            return Said(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        finally:
            line.close()

    def get(self, path: str, **asked: str) -> Said:
        query = "&".join(f"${name}={quote(value)}" for name, value in asked.items())
        return self.ask("GET", f"{path}?{query}" if query else path)

    def post(self, path: str, body: Any = None, **headers: str) -> Said:
        return self.ask("POST", path, b"" if body is None else body, **headers)

    def mime(self, path: str, octets: bytes) -> Said:
        return self.post(path, base64.b64encode(octets), **{"Content-Type": "text/plain"})

    def draft(self, **fields: Any) -> str:
        """Make a draft, and return its immutable id as it stands in a path."""
        said = self.post("/messages", message(**fields), **IMMUTABLE)
        assert said.status == 201, said
        return quote(said.json["id"])


@contextmanager
def serving(manners: Manners | None = None, **how: Any) -> Iterator[FakeGraph]:
    """A fake with Anna's mailbox."""
    with FakeGraph(manners, **{"schema": SCHEMA, **how}) as graph:
        graph.add_mailbox(ANNA, "Anna Berg", aliases=["a.berg@acme.example"])
        yield graph


def anna(graph: FakeGraph, *scopes: str) -> Client:
    return Client(graph, graph.token(ANNA, *(scopes or ALL)))


def to(*addresses: str) -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": address}} for address in addresses]


def message(**fields: Any) -> dict[str, Any]:
    return {
        "subject": "Invoice 1001",
        "body": {"contentType": "text", "content": "Please find the invoice."},
        "toRecipients": to(CUSTOMER),
        **fields,
    }


def file(name: str = "invoice.pdf", content: bytes = b"%PDF", **fields: Any) -> dict[str, Any]:
    octets = base64.b64encode(content).decode()
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": name,
        "contentBytes": octets,
        **fields,
    }


def mime(**headers: str) -> bytes:
    mail = EmailMessage(email.policy.SMTP)
    given = {"From": ANNA, "To": CUSTOMER, "Subject": "Invoice", "Message-ID": "<1@acme.example>"}
    for name, value in {**given, **{key.replace("_", "-"): one for key, one in headers.items()}}.items():
        if value:
            mail[name] = value
    mail.set_content("Please find the invoice.")
    return mail.as_bytes()


def read(mail: Mail | bytes | None) -> EmailMessage:
    octets = mail.content if isinstance(mail, Mail) else mail
    assert octets
    found = email.message_from_bytes(octets, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def only(graph: FakeGraph, address: str = ANNA) -> Mail:
    (mail,) = graph.sent(address)
    return mail


WRONG: list[dict[str, Any]] = [
    {"sbject": "x"},
    {"subject": 7},
    {"toRecipients": CUSTOMER},
    {"toRecipients": [CUSTOMER]},
    {"toRecipients": [{"emailAddress": {"adress": CUSTOMER}}]},
    {"body": {"contentType": "markdown", "content": "x"}},
    {"body": "x"},
    {"importance": "urgent"},
    {"isRead": "no"},
    {"hasAttachments": 1},
    {"singleValueExtendedProperties": [{"id": TAG, "val": "x"}]},
    {"attachments": [{"@odata.type": "#microsoft.graph.fileAttachment", "name": "x", "data": ""}]},
]
"""Fields of a message that are not as they are published."""
