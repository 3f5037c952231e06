"""A client of a few lines, so that tests see what is on the wire."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
from typing import Any

import attrs

from pillarbox.testing.gmail import FakeGmail

ORDERS = "orders@acme.example"
MESSAGE = (
    b"From: Acme Ltd <orders@acme.example>\r\nTo: ap@customer.example\r\nSubject: Invoice 1001\r\n"
    b"Date: Thu, 26 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1001@acme.example>\r\n\r\nHello.\r\n"
)
RFC822 = {"Content-Type": "message/rfc822"}


@attrs.frozen
class Said:
    """An answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Of an error in Gmail's shape."""
        return self.json["error"]["errors"][0]["reason"]


@attrs.frozen
class Client:
    """Someone with a token."""

    gmail: FakeGmail
    token: str

    def ask(self, verb: str, path: str, body: bytes | None = None, **headers: str) -> Said:
        """Ask for *path*: below the mailbox, or whole when it begins with a slash; underscores in names are hyphens."""
        target = path if path.startswith("/") else f"/gmail/v1/users/me/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named["Authorization"] = f"Bearer {self.token}"
        with contextlib.closing(connection(self.gmail)) as line:
            line.request(verb, target, body, named)
            said = line.getresponse()
            return Said(said.status, said.read(), {name.lower(): value for name, value in said.getheaders()})

    def post(self, path: str, value: Any = None) -> Said:
        """Post *value* as JSON."""
        return self.ask("POST", path, json.dumps(value or {}).encode(), Content_Type="application/json")

    def send(self, raw: bytes = MESSAGE, **more: Any) -> Said:
        return self.post("messages/send", {"raw": base64url(raw), **more})

    def draft(self, raw: bytes = MESSAGE) -> str:
        return self.post("drafts", {"message": {"raw": base64url(raw)}}).json["id"]


def connection(gmail: FakeGmail) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(gmail.url.partition("//")[2], timeout=20)


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode()


def client(gmail: FakeGmail, *scopes: str, address: str = ORDERS) -> Client:
    """Somebody with *scopes*; without any, with all a transport could ask for."""
    return Client(gmail, gmail.token(address, *(scopes or ("gmail.compose", "gmail.readonly"))))
