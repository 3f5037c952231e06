"""The real servers as fixtures: started once a session by the first test that asks, their inboxes empty for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.servers import Authority, Dovecot, Exim, Postfix, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.servers import Server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority that signed the certificate of every server; `.ca_file` is its own."""
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def dovecot(authority: Authority, started_servers: list[Server]) -> Iterator[Dovecot]:
    """A running Dovecot: IMAP and submission."""
    with running(lambda: Dovecot(authority)) as server:
        started_servers.append(server)
        yield server


@pytest.fixture(scope="session")
def postfix(authority: Authority, dovecot: Dovecot, started_servers: list[Server]) -> Iterator[Postfix]:
    """A running Postfix; Dovecot judges its sign-ins."""
    with running(lambda: Postfix(authority, dovecot.sasl_socket)) as server:
        started_servers.append(server)
        yield server


@pytest.fixture(scope="session")
def exim(authority: Authority, started_servers: list[Server]) -> Iterator[Exim]:
    """A running Exim."""
    with running(lambda: Exim(authority)) as server:
        started_servers.append(server)
        yield server


@pytest.fixture(params=["postfix", "exim"])
def relay(request: pytest.FixtureRequest) -> Server:
    """Each server that refuses some mail."""
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture(params=["postfix", "exim", "dovecot"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each server that takes mail."""
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def started_servers() -> list[Server]:
    """The servers that are running in this session so far."""
    return []


@pytest.fixture(autouse=True)
def _empty_inboxes(started_servers: list[Server]) -> None:
    """Each test meets servers without mail."""
    for server in started_servers:
        server.clear()
