"""Google's endpoints of a sign-in, as far as a test lets them answer: tokens, certificates, revocation."""

from __future__ import annotations

import functools
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import trustme
from google.auth import crypt, jwt

from pillarbox import Account, App, Grant, Secret, SignIn
from pillarbox_gmail import GmailApp, GmailSettings, Mode
from tests.plugins.gmail.raw import Raw

CLIENT = "42-desktop.apps.googleusercontent.com"
SECRET = "canary-client-secret-5a1e"
CODE = "canary-code-77d1"
REFRESH = "canary-refresh-9b2c"
ACCESS = "canary-access-31aa"
ALICE = "alice@contoso.test"


@functools.cache
def keys() -> tuple[str, str]:
    """Return an RSA key and its certificate, in PEM."""
    issued = trustme.CA().issue_cert("google.test", key_type=trustme.KeyType.RSA)
    return issued.private_key_pem.bytes().decode(), issued.cert_chain_pems[0].bytes().decode()


def answered(status: int, value: Any) -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


class Google:
    """The endpoints, from entering the context to leaving it.

    Attributes:
        answers: What `/token`, `/revoke` and `/certs` answer: status and JSON, or octets as they are.
        asked: The forms that came to `/token` and `/revoke`.
    """

    def __init__(self, folder: Path) -> None:
        self._raw = Raw(self._say)
        self._folder = folder
        self.answers: dict[str, bytes] = {"/certs": answered(200, {"k1": keys()[1]})}
        self.asked: list[dict[str, str]] = []

    def __enter__(self) -> Google:
        self._raw.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.__exit__()

    @property
    def url(self) -> str:
        return self._raw.url

    def _say(self, client: socket.socket, request: bytes) -> None:
        header, _, body = request.partition(b"\r\n\r\n")
        path = header.split(b" ")[1].decode().partition("?")[0]
        if path != "/certs":
            self.asked.append(dict(parse_qsl(body.decode())))
        client.sendall(self.answers[path])

    def app(self, **given: Any) -> App:
        """Return the registration, its secret in a file."""
        file = self._folder / "secret"
        file.touch(mode=0o600)
        file.write_text(SECRET)
        known: Mapping[str, Any] = {
            "client_id": CLIENT,
            "client_secret": Secret(file=str(file)),
            "auth_uri": f"{self.url}/auth",
            "token_uri": f"{self.url}/token",
            "revoke_uri": f"{self.url}/revoke",
            "certs_uri": f"{self.url}/certs",
            "issuer": self.url,
            "api": self.url,
        }
        return App(GmailApp(**{**known, **given}))

    def service_app(self, key: str = "", **given: Any) -> App:
        """Return the registration of a service account; *key* is what stands in its file."""
        info = {
            "type": "service_account",
            "project_id": "acme-mail",
            "private_key_id": "1",
            "private_key": keys()[0],
            "client_email": "mailer@acme-mail.iam.gserviceaccount.test",
            "token_uri": "https://evil.example/token",
        }
        file = self._folder / "key.json"
        file.touch(mode=0o600)
        file.write_text(key or json.dumps(info))
        return self.app(service_account=Secret(file=str(file)), **given)

    def grants(self, nonce: str, scopes: str, **claims: Any) -> None:
        """Let `/token` give all tokens, with an identity that says so."""
        now = int(time.time())
        states = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "1007",
            "email": ALICE,
            "email_verified": True,
            "nonce": nonce,
            "iat": now,
            "exp": now + 3600,
        }
        signer = crypt.RSASigner.from_string(claims.pop("key", keys()[0]), "k1")
        stated = {name: one for name, one in {**states, **claims}.items() if one is not None}
        identity = jwt.encode(signer, stated).decode()
        tokens = {"access_token": ACCESS, "refresh_token": REFRESH, "id_token": identity}
        self.answers["/token"] = answered(200, {**tokens, "scope": scopes, "expires_in": 3599})


def asked(
    grant: Grant = Grant.SEND,
    redirect_uri: str | None = "http://localhost:1",
    *,
    purpose: str = "send",
    **settings: Any,
) -> SignIn:
    """Return a sign-in of Alice's account as core asks for it."""
    account = Account(owner="company", method="gmail", settings=GmailSettings(**settings), mailbox=ALICE)
    return SignIn(account=account, grant=grant, redirect_uri=redirect_uri, state="state-1", purpose=purpose)


def by_service(grant: Grant = Grant.SEND) -> SignIn:
    return asked(grant, None, mode=Mode.SERVICE)
