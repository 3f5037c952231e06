"""PostgreSQL: Debian's own, on a folder and a port of its own, with a fresh database for whoever asks."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.services._ports import HOST, claim_port
from tests.services._program import Program
from tests.services._server import require

if TYPE_CHECKING:
    from collections.abc import Iterator

_BIN: Final = Path("/usr/lib/postgresql/15/bin")
_AS_POSTGRES: Final = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
_START_S: Final = 30.0
_SETTINGS: Final = {
    "listen_addresses": HOST,
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "on",
}


class Postgres:
    """A server that trusts whoever connects over the loopback address; `running_postgres` starts and stops it."""

    def __init__(self, **settings: str) -> None:
        require("PostgreSQL", _BIN / "postgres")
        self.folder = Path(tempfile.mkdtemp(prefix="pillarbox-postgres-"))
        self._data = self.folder / "data"
        self._settings = _SETTINGS | settings
        self._port = claim_port()
        self._running: Program | None = None
        shutil.chown(self.folder, "postgres", "postgres")
        self._as_postgres("initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", "-D", self._data)

    def _as_postgres(self, program: str, *arguments: str | Path) -> None:
        command = [*_AS_POSTGRES, _BIN / program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stderr

    @property
    def url(self) -> str:
        """The server's own database, for who makes others."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """The database *name*, as libpq takes it."""
        return f"postgresql://postgres@{HOST}:{self._port.number}/{name}"

    def start(self) -> None:
        """Start it, again if need be, and return when it answers."""
        own = {"port": str(self._port.number), "unix_socket_directories": ""}
        options = [
            part for name, value in {**self._settings, **own}.items() for part in ("-c", f"{name}={value}")
        ]
        command = [*_AS_POSTGRES, str(_BIN / "postgres"), "-D", str(self._data), *options]
        self._running = Program(command, self.folder, self.folder / "output")
        end = time.monotonic() + _START_S
        while not self._answers():
            said = (self.folder / "output").read_text(errors="replace")[-2000:]
            assert not self._running.ended(), said
            assert time.monotonic() < end, said
            time.sleep(0.02)

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=2):
            return True
        return False

    def kill(self) -> None:
        """End every process of it at once, as a power cut would, as far as memory goes."""
        assert self._running is not None
        pids = self._pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._running.kill()
        end = time.monotonic() + _START_S
        while any(map(_lives, pids)):
            assert time.monotonic() < end, f"{pids} could not be killed"
            time.sleep(0.02)
        (self._data / "postmaster.pid").unlink(
            missing_ok=True
        )  # its process may be a zombie yet, which counts as another

    def _pids(self) -> list[int]:
        """The postmaster, and the processes that it began, each in a session of its own."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def database(self) -> str:
        """The address of a new, empty database."""
        import psycopg

        name = f"t{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def stop(self) -> None:
        """End it, and remove its folder."""
        if self._running is not None and not self._running.ended():
            self.kill()
        self._port.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def running_postgres(**settings: str) -> Iterator[Postgres]:
    """A started server for the `with` block; *settings* as in postgresql.conf."""
    server = Postgres(**settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
