"""A Windows desk under Wine: the real worker and the fake Outlook, each in a process of its own, with COM between them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from pillarbox import Account
from pillarbox.testing.outlook import FakeOutlook, Fault
from pillarbox_mapi import MapiSettings, MapiTransport
from tests.windows.wine import Windows, opened

from .busy_filter import REJECTED

SERVER = Path(__file__).with_name("server.py")
PYWIN32 = "pywin32-312-cp311-cp311-win_amd64.whl"


class Desk:
    """Runs the worker by `worker_command`, as a host on Linux may."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows
        drive = windows.folder / "prefix" / "drive_c"
        self.folder = drive / "outlook"
        self._server: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._stalls = False

    @property
    def command(self) -> tuple[str, ...]:
        """What starts the worker."""
        named = [f"{name}={value}" for name, value in self.windows.environment.items()]
        return ("env", *named, *self.windows.command("-m", "pillarbox_mapi.worker"))

    def set_up(self) -> None:
        """Register Outlook, and let Wine begin anew: an activation before that stands still."""
        self.folder.mkdir()
        self.run(str(SERVER), "register")
        self.windows.end()

    def run(self, *arguments: str) -> str:
        """Run the Windows Python to its end, and return what it prints."""
        done = subprocess.run(
            self.windows.command(*arguments),
            env=self.windows.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.decode("utf-8")

    def stop(self) -> None:
        """End the server, whatever it is at, and all that Wine remembers of it: else it is looked for where it was."""
        server, self._server = self._server, None
        if server is None:
            return
        self.windows.end()
        server.kill()
        server.wait()
        for stream in (server.stdout, server.stderr):
            assert stream is not None
            stream.close()

    def world(self, outlook: FakeOutlook) -> None:
        """Let the server be *outlook* from now on; one that may stand still is ended first."""
        if self._stalls:
            self.stop()
        self._stalls = any(fault.action == "stall" for fault in outlook.script.faults)
        self._count += 1
        store = f"C:\\outlook\\store-{self._count}.jsonl"
        told = {**json.loads(outlook.to_json()), "store": store}
        for name in ("faults.json", "busy.json"):
            (self.folder / name).unlink(missing_ok=True)
        self._put("world.json", told)
        self.start()

    def misbehave(self, *faults: Fault) -> None:
        """Let *faults* happen from the server's next call on, in the place of those there were."""
        self._stalls = self._stalls or any(fault.action == "stall" for fault in faults)
        self._count += 1
        self._put("faults.json", {"number": self._count, "faults": [one.to_json() for one in faults]})

    def refuse(self, calls: int, kind: int = REJECTED) -> None:
        """Let COM refuse so many calls to the server before they run, from the next on."""
        self._count += 1
        self._put("busy.json", {"number": self._count, "calls": calls, "kind": kind})

    def _put(self, name: str, value: object) -> None:
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(value), encoding="utf-8")
        part.replace(self.folder / name)

    def start(self) -> None:
        """Have a server beside the worker, which outlives it."""
        if self._server is not None and self._server.poll() is None:
            return
        self.stop()
        up = self.folder / "up"
        up.unlink(missing_ok=True)
        self._server = subprocess.Popen(
            self.windows.command(str(SERVER), "serve"),
            env=self.windows.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        give_up = time.monotonic() + 30
        while not up.exists():
            assert self._server.poll() is None, self._server.communicate()
            assert time.monotonic() < give_up, "the server did not come up"
            time.sleep(0.02)

    def outlook(self) -> FakeOutlook:
        """Return the mailbox as it is now."""
        told = json.loads((self.folder / "world.json").read_text("utf-8"))
        store = self.folder / Path(told["store"].replace("\\", "/")).name
        return FakeOutlook.from_json(json.dumps({**told, "store": str(store)}))

    def transport(self, owner: str, mailbox: str, **settings: object) -> MapiTransport:
        """Return a transport whose worker runs here."""
        limits = {"attach_timeout": 20.0, "call_timeout": 10.0, "send_timeout": 8.0}
        made = MapiTransport(MapiSettings(worker_command=self.command, **{**limits, **settings}))
        made.account = Account(owner=owner, method="mapi", mailbox=mailbox, settings=made.settings)
        return made


@contextlib.contextmanager
def desk() -> Iterator[Desk]:
    """Give one while the block lasts."""
    wheel = Path(os.environ.get("PILLARBOX_WINDOWS", "/var/cache/pillarbox/windows")) / "wheels" / PYWIN32
    with opened(str(wheel), "./core", "./plugins/mapi") as windows:
        made = Desk(windows)
        made.set_up()
        try:
            yield made
        finally:
            made.stop()
