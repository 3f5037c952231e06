"""Real proxies on loopback: Dante and microsocks for SOCKS5, tinyproxy for HTTP CONNECT."""

from __future__ import annotations

import abc
import contextlib
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from tests.services._ports import HOST, claim_port
from tests.services._program import Program
from tests.services._server import ServerFailure, filled, require

if TYPE_CHECKING:
    from collections.abc import Iterator

PROXY_USER: Final = "proxy-orders"
PROXY_PASSWORD: Final = "pw-proxy"
_START_S: Final = 10.0


class RealProxy(abc.ABC):
    """One proxy of the test run, in a folder and on a port of its own.

    Args:
        allowed: The one port that a proxy with a list of them leads to.
    """

    name: ClassVar[str]
    program: ClassVar[Path]
    kind: ClassVar[str] = "socks5"
    signs_in: ClassVar[bool] = True
    forbids: ClassVar[bool] = True
    """Whether it has rules of where it may lead."""

    def __init__(self, allowed: int) -> None:
        require(self.name, self.program)
        self.allowed = allowed
        self.folder = Path(tempfile.mkdtemp(prefix="pillarbox-services-"))
        self.folder.chmod(0o755)
        self._port = claim_port()
        self._running: Program | None = None

    @property
    def url(self) -> str:
        """What the setting names."""
        return f"{self.kind}://{HOST}:{self._port.number}"

    @abc.abstractmethod
    def configure(self) -> list[str]:
        """Writes what the proxy reads into the folder; returns the command that runs it in the foreground."""

    def log(self) -> str:
        """All that the proxy has logged or printed so far."""
        files = (self.folder / "output", self.folder / "log")
        return "".join(file.read_text(errors="replace") for file in files if file.is_file())

    def start(self) -> None:
        """Starts the proxy and returns when it listens.

        Raises:
            ServerFailure: it ended, or did not listen in time.
        """
        program = self._running = Program(self.configure(), self.folder, self.folder / "output")
        end = time.monotonic() + _START_S
        while not self._listens():
            if program.ended() or time.monotonic() > end:
                raise ServerFailure(f"{self.name} does not listen. It said:\n{self.log()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends every process of the proxy, and removes its folder."""
        if self._running is not None:
            self._running.kill()
        self._port.release()
        shutil.rmtree(self.folder)

    def write(self, template: str) -> Path:
        """Fills a template of the config folder into a file."""
        known = {"folder": self.folder, "port": self._port.number, "allowed": self.allowed}
        signing_in = {"username": PROXY_USER, "password": PROXY_PASSWORD}
        file = self.folder / template
        file.write_text(filled(template, known | signing_in), encoding="utf-8")
        return file

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self._port.number), timeout=2):
            return True
        return False


class Dante(RealProxy):
    """Dante: SOCKS5 without a sign-in, with rules; it knows the port that is allowed and no other."""

    name = "Dante"
    program = Path("/usr/sbin/danted")
    signs_in = False

    def configure(self) -> list[str]:
        return [str(self.program), "-f", str(self.write("danted.conf")), "-p", str(self.folder / "pid")]


class Microsocks(RealProxy):
    """microsocks: SOCKS5 with a sign-in by user name and password (RFC 1929), without rules."""

    name = "microsocks"
    program = Path("/usr/bin/microsocks")
    forbids = False

    def configure(self) -> list[str]:
        where = ["-i", HOST, "-p", str(self._port.number)]
        return [str(self.program), *where, "-u", PROXY_USER, "-P", PROXY_PASSWORD]


class Tinyproxy(RealProxy):
    """tinyproxy: HTTP CONNECT with a sign-in, to the port that is allowed and no other."""

    name = "tinyproxy"
    program = Path("/usr/bin/tinyproxy")
    kind = "http"

    def configure(self) -> list[str]:
        return [str(self.program), "-d", "-c", str(self.write("tinyproxy.conf"))]


@contextlib.contextmanager
def leading(proxy: RealProxy) -> Iterator[RealProxy]:
    """The proxy, started for the `with` block."""
    try:
        proxy.start()
        yield proxy
    finally:
        proxy.stop()
