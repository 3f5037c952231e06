"""What all test servers share: a folder and free ports of their own, a start with a deadline, a sure stop."""

from __future__ import annotations

import abc
import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from tests.services._ports import HOST, claim_port, taken
from tests.services._program import Program
from tests.services._sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.services._authority import Authority
    from tests.services._sink import ReceivedMail

LOGINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "orders@acme.example": "pw-orders",
        "anna@acme.example": "pw-anna",
        "otto@acme.example": "pw-otto",
    }
)
"""Who may sign in, with the password. Each server knows these three."""

SENDERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "orders@acme.example": ("orders@acme.example",),
        "anna@acme.example": ("anna@acme.example", "orders@acme.example"),
        "otto@acme.example": ("otto@acme.example",),
    }
)
"""Envelope sender -> who may use it: the company's sign-in may also write as Anna, only Otto as Otto."""

SIZE_LIMIT: Final = 2 * 1024 * 1024
"""The largest mail that a server takes, in octets."""

RECIPIENT_LIMIT: Final = 100
"""The most recipients of one mail that a server takes; those above are refused for now."""

_CONFIG: Final = Path(__file__).parent / "config"
_ATTEMPTS: Final = 3
_START_S: Final = 20.0
_POLL_S: Final = 0.005


class ServerFailure(AssertionError):
    """A test server did not do what the tests need of it; says what, with the end of its log."""


class PortTakenError(ServerFailure):
    """Another program took a port of the server before it could."""


class Server(abc.ABC):
    """One mail server of the test run, in a folder and on ports of its own; `running` starts and stops it."""

    name: ClassVar[str]
    program: ClassVar[Path]
    host: ClassVar[str] = HOST
    port_names: ClassVar[tuple[str, ...]] = ("plain_port", "starttls_port", "tls_port")
    plain_port: int
    starttls_port: int
    tls_port: int

    def __init__(self, authority: Authority) -> None:
        require(self.name, self.program)
        self.instance = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="pillarbox-services-"))
        self.folder.chmod(0o755)  # the servers' own users have to reach what is theirs in it
        self._sink = Sink()
        self._running: Program | None = None
        self._ports = [claim_port() for _ in self.port_names]
        for name, port in zip(self.port_names, self._ports, strict=True):
            setattr(self, name, port.number)
        authority.write_server_files(self.folder)

    def inbox(self, address: str, *, at_least: int = 0, deadline: float = 10.0) -> list[ReceivedMail]:
        """The mails for this envelope recipient, oldest first, once all that the server accepted is through.

        So an empty list means that nothing was accepted. `at_least` also waits for mail whose acceptance the
        test could not see (the line was cut after the final dot). `deadline` is in seconds.

        Raises:
            ServerFailure: the server still holds mail, or fewer than `at_least` came, at the deadline.
        """

        def found() -> list[ReceivedMail]:
            return [mail for mail in self._sink.mails() if address in mail.recipients]

        purpose = f"bring mail number {at_least} to {address}" if at_least else "hand its mail on"
        self._wait(lambda: self.settled() and len(found()) >= at_least, deadline, purpose)
        return found()

    def mails(self, *, deadline: float = 10.0) -> list[ReceivedMail]:
        """Every mail that the server accepted since the last `clear`; waits like `inbox`."""
        self._wait(self.settled, deadline, "hand its mail on")
        return self._sink.mails()

    def clear(self) -> None:
        """Empties all inboxes, after the mail still on its way has come in."""
        self._wait(self.settled, 10.0, "hand its mail on")
        self._sink.clear()

    def log(self) -> str:
        """All that the server has logged or printed so far."""
        log = self.folder / "log"
        files = (self.folder / "output", log, *sorted(log.glob("*")))
        return "".join(file.read_text(errors="replace") for file in files if file.is_file())

    def processes(self) -> list[int]:
        """The ids of the processes that this server consists of now."""
        return self._running.pids() if self._running else []

    @abc.abstractmethod
    def settled(self) -> bool:
        """Whether all that the server accepted was handed on."""

    @abc.abstractmethod
    def configure(self) -> list[str]:
        """Writes what the server reads into the folder; returns the command that runs it in the foreground."""

    def diagnosis(self) -> str:
        """What else there is to say about a server that did not start, beside its log."""
        return ""

    def start(self) -> None:
        """Starts the server and returns when it greets.

        Raises:
            ServerFailure: it ended, or did not greet in time.
        """
        program = self._running = Program(self.configure(), self.folder, self.folder / "output")
        self._wait(lambda: self._greets(program), _START_S, "greet")

    def stop(self) -> None:
        """Ends every process of the server, and removes its folder."""
        if self._running is not None:
            self._running.kill()
        self._sink.close()
        for port in self._ports:
            port.release()
        shutil.rmtree(self.folder)

    def write(self, name: str, template: str, **values: object) -> Path:
        """Fills a template of the config folder into a file of this name; `@plain_port@` stands for a value."""
        ports = {port: getattr(self, port) for port in self.port_names}
        limits = {"size_limit": SIZE_LIMIT, "recipient_limit": RECIPIENT_LIMIT}
        own = {"folder": self.folder, "instance": self.instance, "sink_port": self._sink.port}
        known = ports | limits | own | values
        file = self.folder / name
        file.write_text(filled(template, known), encoding="utf-8")
        return file

    def _greets(self, program: Program) -> bool:
        if program.ended():
            program.kill()  # what it started may still hold its ports
            raise self._why_it_ended()
        try:
            with socket.create_connection((HOST, self.plain_port), timeout=2) as line:
                return self.instance.encode() in line.recv(1024)
        except OSError:
            return False

    def _why_it_ended(self) -> ServerFailure:
        for name in self.port_names:
            if taken(getattr(self, name)):
                return PortTakenError(f"{self.name} could not start: another program took its {name}.")
        return ServerFailure(
            f"{self.name} ended when it should have started. {self.diagnosis()}{self._log_tail()}"
        )

    def _wait(self, done: Callable[[], bool], deadline: float, purpose: str) -> None:
        end = time.monotonic() + deadline
        while not done():
            if time.monotonic() > end:
                raise ServerFailure(f"{self.name} did not {purpose} within {deadline:g} s.{self._log_tail()}")
            time.sleep(_POLL_S)

    def _log_tail(self) -> str:
        return "\nIts log ends:\n" + "\n".join(self.log().splitlines()[-25:])


def filled(template: str, known: Mapping[str, object]) -> str:
    """The text of a template of the config folder, with what is *known* in its places."""
    text = (_CONFIG / template).read_text(encoding="utf-8")
    return re.sub("@([a-z_]+)@", lambda place: str(known[place[1]]), text)


AnyServer = TypeVar("AnyServer", bound=Server)


@contextlib.contextmanager
def running(make: Callable[[], AnyServer]) -> Iterator[AnyServer]:
    """A started server for the `with` block. If another program took one of its ports first, it tries others."""
    server = _started(make, _ATTEMPTS)
    try:
        yield server
    finally:
        server.stop()


def _started(make: Callable[[], AnyServer], attempts: int) -> AnyServer:
    server = make()
    try:
        server.start()
    except PortTakenError:
        server.stop()
        if attempts == 1:
            raise
    except BaseException:
        server.stop()
        raise
    else:
        return server
    return _started(make, attempts - 1)


def require(name: str, program: Path) -> None:
    """Says how to get a server that is not there.

    Raises:
        ServerFailure: the program is missing, or we may not start it.
    """
    if not program.exists():
        raise ServerFailure(
            f"{name} is not installed ({program} is missing). As root, run: bash .ci/install-servers"
        )
    if os.geteuid() != 0:
        raise ServerFailure(f"{name} can only be started by root. Run the tests in tests/services as root.")
