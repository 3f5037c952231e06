"""Starting and stopping the servers: beside each other, with a sentence when it fails, and leaving nothing behind."""

from __future__ import annotations

import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.services import _ports
from tests.services.servers import Authority, Dovecot, Exim, Postfix, ServerFailure, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services.servers import Server

pytestmark = pytest.mark.services

STARTS_ALL = """
import pathlib, sys, time
from tests.services.servers import Authority, Dovecot, Exim, Postfix
authority = Authority.create(pathlib.Path(sys.argv[1]))
dovecot = Dovecot(authority)
servers = [dovecot, Postfix(authority, dovecot.sasl_socket), Exim(authority)]
for server in servers:
    server.start()
    print(server.folder, *server.processes(), flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["Dovecot", "Postfix", "Exim"])
def make(request: pytest.FixtureRequest, authority: Authority, dovecot: Dovecot) -> Callable[[], Server]:
    """Makes a server of each kind, not started."""
    kinds: dict[str, Callable[[], Server]] = {
        "Dovecot": lambda: Dovecot(authority),
        "Postfix": lambda: Postfix(authority, dovecot.sasl_socket),
        "Exim": lambda: Exim(authority),
    }
    return kinds[request.param]


def greeting_name(server: Server) -> str:
    """What the server calls itself to whoever connects."""
    with smtplib.SMTP(timeout=10) as smtp:
        _, greeting = smtp.connect(server.host, server.plain_port)
        return greeting.decode()


def gone(pids: set[int], deadline_s: float = 10.0) -> bool:
    """Whether none of the processes runs any more, at the latest at the deadline."""
    end = time.monotonic() + deadline_s
    while any(runs(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_two_of_a_kind(make: Callable[[], Server]) -> None:
    """Two servers of one kind run beside each other, each in its own folder and on its own ports."""
    with running(make) as first, running(make) as second:
        assert first.instance in greeting_name(first)
        assert second.instance in greeting_name(second)
        assert not set(first.processes()) & set(second.processes())


def test_nothing_is_left(make: Callable[[], Server]) -> None:
    """After the stop no process of the server runs and its folder is gone."""
    with running(make) as server:
        greeting_name(server)
        pids = set(server.processes())
        assert pids
    assert not any(runs(pid) for pid in pids)
    assert not server.folder.exists()


def test_nothing_is_left_after_a_kill(tmp_path: Path) -> None:
    """When the test run itself is killed, its servers end by themselves."""
    command = [sys.executable, "-c", STARTS_ALL, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as run:
        assert run.stdout is not None
        started = [run.stdout.readline().split() for _ in range(3)]
        run.send_signal(signal.SIGKILL)
    assert gone({int(pid) for _, *pids in started for pid in pids})
    for folder, *_ in started:
        shutil.rmtree(folder)


def test_a_taken_port(make: Callable[[], Server]) -> None:
    """If another program has taken a port meanwhile, the server starts on others."""
    made: list[Server] = []

    def make_on_taken_port() -> Server:
        server = make()
        if not made:
            server.starttls_port = taken
        made.append(server)
        return server

    with socket.create_server(("127.0.0.1", 0)) as line:
        taken = line.getsockname()[1]
        with running(make_on_taken_port) as server:
            assert server is made[1]
            assert not made[0].folder.exists()


def test_a_claimed_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port is nobody else's from its claim to its release, whether or not somebody listens."""
    first = _ports.claim_port()
    monkeypatch.setattr(_ports, "_RANGE", range(first.number, first.number + 1))
    with pytest.raises(OSError, match="no free port"):
        _ports.claim_port()
    first.release()
    second = _ports.claim_port()
    second.release()
    assert second.number == first.number


def test_a_server_that_cannot_start(authority: Authority) -> None:
    """A server that ends at once is a failure that shows its log."""

    class BrokenDovecot(Dovecot):
        def configure(self) -> list[str]:
            (self.folder / "broken.conf").write_text("protocols = carrier-pigeon\n")
            return [str(self.program), "-F", "-c", str(self.folder / "broken.conf")]

    words = r"(?s)Dovecot ended when it should have started.*carrier-pigeon"
    with pytest.raises(ServerFailure, match=words), running(lambda: BrokenDovecot(authority)):
        raise RuntimeError("a broken server started")


def test_a_postfix_that_cannot_start(authority: Authority) -> None:
    """Postfix, which tells syslog alone, is explained too."""

    class BrokenPostfix(Postfix):
        def configure(self) -> list[str]:
            command = super().configure()
            (self.folder / "master.cf").write_text("carrier-pigeon\n")
            return command

    words = "(?s)Postfix ended when it should have started.*master.cf: line 1: bad field count"
    with pytest.raises(ServerFailure, match=words), running(lambda: BrokenPostfix(authority, Path("/none"))):
        raise RuntimeError("a broken server started")


def test_a_missing_server(authority: Authority) -> None:
    """A server that is not installed is a failure that names the cure."""

    class Missing(Exim):
        program = Path("/nowhere/exim4")

    with pytest.raises(ServerFailure, match=r"Exim is not installed.*run: bash .ci/install-servers"):
        Missing(authority)


def test_mail_that_never_comes(exim: Exim) -> None:
    """Waiting for mail that nobody sent ends at the deadline, with the end of the log."""
    with pytest.raises(
        ServerFailure, match=r"(?s)bring mail number 1 to ap@customer.example within 0.05 s.*Its log ends"
    ):
        exim.inbox("ap@customer.example", at_least=1, deadline=0.05)
