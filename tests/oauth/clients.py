"""The apps that are registered at the provider, and what each proves itself with."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

import attrs
import trustme

LOOPBACK: Final = ("http://localhost", "http://localhost/", "http://127.0.0.1")
"""Any port of these is right for a native app (RFC 8252, section 7.3)."""
WEB: Final = "https://erp.acme.example/mail/callback"
"""The page of a host on the web. There is none: what a browser ends on is its URL."""
WEB_HERE: Final = "http://localhost/mail/callback"
"""The same on this computer, on any port."""
ROLES: Final = ("Mail.Send", "Mail.ReadWrite")
"""What an app may do by itself, once an administrator allowed it."""
DOMAINS: Final = ("contoso.test", "acme.example")
"""Whose administrators let the service account act for anybody of the domain ..."""
DELEGATED: Final = tuple(
    f"https://www.googleapis.com/auth/gmail.{name}"
    for name in ("send", "compose", "settings.basic", "readonly")
)
"""... with these scopes."""


@attrs.frozen(kw_only=True)
class Client:
    """An app as it is registered.

    Attributes:
        id: Its client id.
        secret: Its secret, or "".
        redirect_uris: Where it may be redirected to.
        roles: What it may do by itself.
        key, certificate: PEM, where it proves itself by what it signs.
    """

    id: str
    secret: str = attrs.field(default="", repr=False)
    redirect_uris: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    key: str = attrs.field(default="", repr=False)
    certificate: str = ""

    @classmethod
    def signing(cls, ca: trustme.CA, name: str, **given: Any) -> Client:
        """Returns one with a certificate of *ca* by an RSA key, which is what both providers want."""
        issued = ca.issue_cert(f"{name}.acme.example", key_type=trustme.KeyType.RSA)
        key, certificate = issued.private_key_pem.bytes(), issued.cert_chain_pems[0].bytes()
        return cls(id=given.pop("id", name), key=key.decode(), certificate=certificate.decode(), **given)

    def key_file(self, folder: Path) -> Path:
        """Returns a file of *folder*, its owner's alone, with the key and the certificate in PEM."""
        return _written(folder / f"{self.id}.pem", self.key + self.certificate)


@attrs.frozen(kw_only=True)
class ServiceAccount(Client):
    """A service account of Google's: `info` is what its key file holds."""

    address: str
    token_uri: str = ""

    @property
    def info(self) -> dict[str, str]:
        """The key file's content, as google-auth reads it."""
        return {
            "type": "service_account",
            "project_id": "pillarbox",
            "private_key_id": "key-1",
            "private_key": self.key,
            "client_email": self.address,
            "client_id": self.id,
            "token_uri": self.token_uri,
        }

    def key_file(self, folder: Path) -> Path:
        """Returns a file of *folder*, its owner's alone, as Google's console hands it out."""
        return _written(folder / f"{self.id}.json", json.dumps(self.info))


def registered(ca: trustme.CA) -> dict[str, Client]:
    """Return the apps by the names that the tests know them by.

    `desktop` (no secret; loopback and device code), `web` (secret, code flow), `daemon` (secret, by itself) and `certified`
    (certificate, by itself) are Entra's; `googleDesktop`, `googleWeb` and `service` (a service account) are Google's; `api`
    is who asks about tokens, and `mailServer` the same, by the header (RFC 6749, section 2.3.1) as Dovecot does.
    """
    secret = secrets.token_urlsafe
    google = "apps.googleusercontent.test"
    return {
        "desktop": Client(id="11111111-0000-4000-8000-000000000001", redirect_uris=LOOPBACK),
        "web": Client(
            id="11111111-0000-4000-8000-000000000002", secret=secret(), redirect_uris=(WEB, WEB_HERE)
        ),
        "daemon": Client(
            id="11111111-0000-4000-8000-000000000003",
            secret=secret(),
            redirect_uris=(WEB, WEB_HERE),
            roles=ROLES,
        ),
        "certified": Client.signing(
            ca,
            "certified",
            id="11111111-0000-4000-8000-000000000004",
            redirect_uris=(WEB, WEB_HERE),
            roles=ROLES,
        ),
        "googleDesktop": Client(id=f"desktop.{google}", secret=secret(), redirect_uris=LOOPBACK),
        "googleWeb": Client(id=f"web.{google}", secret=secret(), redirect_uris=(WEB, WEB_HERE)),
        "service": ServiceAccount.signing(ca, "service", address="mailer@pillarbox.iam.gserviceaccount.test"),
        "api": Client(id="api", secret=secret()),
        "mailServer": Client(id="mail-server", secret=secret()),
    }


def _written(file: Path, content: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(content)
    return file
