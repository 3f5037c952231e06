"""Certificates made once, and a scripted server beside a transport that talks to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import trustme

from pillarbox.testing.smtp_server import ScriptedServer
from pillarbox_smtp import SmtpTransport, lockstep
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known, settings, signing_in

Serve = Callable[..., ScriptedServer]
Connect = Callable[..., SmtpTransport]


@pytest.fixture(autouse=True)
def _no_memories() -> None:
    """A port that another test's server had is taken at its word."""
    lockstep.forget_all()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody else knows."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with the authority's certificate."""
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's context with a good certificate for 127.0.0.1 and localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA)
    leaf.configure_cert(context)
    return context


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a scripted server with the arguments of `ScriptedServer`; it stops with the test."""
    with ExitStack() as running:

        def start(**given: Any) -> ScriptedServer:
            return running.enter_context(ScriptedServer(**given))

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a transport for a scripted server, with further settings; it is closed with the test."""
    with ExitStack() as running:

        def make(
            server: ScriptedServer, *, trace: Callable[[str], None] | None = None, **given: Any
        ) -> SmtpTransport:
            made = signing_in if given.keys() & {"password", "username", "sign_in"} else settings
            transport = SmtpTransport(made(port=server.port, **given), Known(), trace=trace)
            running.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def users() -> dict[str, str]:
    """The one who can sign in."""
    return {ORDERS: PASSWORD}
