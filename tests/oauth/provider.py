"""An OpenID provider on loopback: what looks like Entra and what looks like Google, in one Node program."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import trustme

from pillarbox.testing.graph import Token
from tests.oauth.clients import DELEGATED, DOMAINS, Client, ServiceAccount, registered
from tests.oauth.mounts import DOMAIN, TENANT, Door, Entra, Event, Google
from tests.oauth.program import Program


@attrs.frozen(kw_only=True)
class Provider:
    """Both.

    Attributes:
        entra, google: The providers.
        ca_file: What a client has to trust.
        clients: The apps that are registered: see `registered`.
        folder: For the files of a test session.
        pid: The program's process.
    """

    entra: Entra
    google: Google
    ca_file: Path
    clients: Mapping[str, Client]
    folder: Path
    pid: int
    _door: Door = attrs.field(repr=False)

    def introspect(self, token: str) -> Token | None:
        """Return what *token* stands for at either of them."""
        return self.entra.introspect(token) or self.google.introspect(token)

    def events(self) -> list[Event]:
        """Return what happened at both."""
        return self.entra.events() + self.google.events()

    def reset(self) -> None:
        """Forget every person, grant, token, fault and event, and rotate refresh tokens again."""
        self._door.call("reset")


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """Give a running provider; its files are in *folder*.

    Raises:
        RuntimeError: Something is missing, or it does not start.
    """
    ca = trustme.CA(organization_name="Acme test authority")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    clients, key = registered(ca), secrets.token_urlsafe()
    program = Program(_given(ca, clients, key), folder / "provider.log")
    try:
        yield _known(program, clients, folder, key)
    finally:
        program.end()


def _given(ca: trustme.CA, clients: Mapping[str, Client], key: str) -> dict[str, Any]:
    """Return what the program has to know."""
    server, signing = ca.issue_cert("localhost", "127.0.0.1"), Client.signing(ca, "signing")
    service = clients["service"]
    assert isinstance(service, ServiceAccount)
    return {
        "key": key,
        "tenant": TENANT,
        "domain": DOMAIN,
        "tls": {
            "key": server.private_key_pem.bytes().decode(),
            "certificate": b"".join(one.bytes() for one in server.cert_chain_pems).decode(),
        },
        "signing": {"key": signing.key, "certificate": signing.certificate},
        "certificate": clients["certified"].certificate,
        "serviceAccount": {
            "client": service.id,
            "address": service.address,
            "certificate": service.certificate,
            "domains": DOMAINS,
            "scopes": DELEGATED,
        },
        "clients": {
            name: {"id": one.id, "secret": one.secret, "redirect_uris": one.redirect_uris, "roles": one.roles}
            for name, one in clients.items()
        },
    }


def _known(program: Program, clients: dict[str, Client], folder: Path, key: str) -> Provider:
    base, door = program.ready["base"], Door(program.ready["admin"], key)
    ca_file = folder / "ca.pem"
    tls = ssl.create_default_context(cafile=str(ca_file))
    common: dict[str, Any] = {"door": door, "api": clients["api"], "tls": tls}
    authority, google = f"{base}/{TENANT}", f"{base}/google"
    service = clients["service"]
    assert isinstance(service, ServiceAccount)
    clients["service"] = service = attrs.evolve(service, token_uri=f"{google}/token")
    return Provider(
        entra=Entra(
            name="entra",
            issuer=f"{authority}/v2.0",
            authority=authority,
            base=base,
            introspection_uri=f"{authority}/introspection",
            **common,
        ),
        google=Google(
            name="google",
            issuer=google,
            auth_uri=f"{google}/auth",
            token_uri=f"{google}/token",
            revoke_uri=f"{google}/revoke",
            certs_uri=f"{google}/certs",
            introspection_uri=f"{google}/introspection",
            service_account=service.info,
            **common,
        ),
        ca_file=ca_file,
        clients=clients,
        folder=folder,
        pid=program.pid,
        door=door,
    )
