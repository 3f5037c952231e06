"""The sendmail transport keeps pillarbox's contract, against a program that records what it is given."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pillarbox_sendmail import SendmailSettings, SendmailTransport

from pillarbox.testing import Accepted, NotStaged, TransportContract

PROGRAM = """#!{python} -I
import json, os, pathlib, signal, sys, time
folder = pathlib.Path({folder!r})
calls = len(list(folder.glob("*.call")))
(folder / f"{{calls:04d}}.call").touch()
fault = json.loads((folder / "fault").read_text())
if fault.get("only", calls) != calls:
    fault = {{}}
if fault.get("cut") == "inside":
    os.kill(os.getpid(), signal.SIGKILL)
content = sys.stdin.buffer.read()
if "exit" in fault:
    print("not this one", file=sys.stderr)
    sys.exit(fault["exit"])
arguments = sys.argv[1:]
place = folder / f"{{len(list(folder.glob('*.mail'))):04d}}-{{os.getpid()}}"  # several may run at once
place.write_bytes(json.dumps([arguments[2], arguments[4:]]).encode() + b"\\n" + content)
place.rename(place.with_suffix(".mail"))
if fault.get("cut") == "after":
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(fault.get("silent", 0))
"""
STATUS = {
    "sender refused": os.EX_NOPERM,
    "sender refused for now": os.EX_TEMPFAIL,
    "recipient refused": os.EX_NOUSER,
    "recipient refused for now": os.EX_TEMPFAIL,
    "content refused": os.EX_UNAVAILABLE,
    "content refused for now": os.EX_TEMPFAIL,
}
FAULTS: dict[str, dict[str, int | str]] = {
    **{name: {"exit": status} for name, status in STATUS.items()},
    "cut inside": {"cut": "inside"},
    "cut after": {"cut": "after"},
    "silent after": {"silent": 8},
    "second message refused": {"exit": os.EX_UNAVAILABLE, "only": 1},
    "second message lost": {"cut": "after", "only": 1},
}


class TestSendmail(TransportContract):
    carrier_outlives = True

    def setup_method(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.command = self.folder / "sendmail"
        self.command.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        self.command.chmod(0o700)
        self.misbehave({})

    def teardown_method(self) -> None:
        self.temporary.cleanup()

    def make_transport(self) -> SendmailTransport:
        return SendmailTransport(SendmailSettings(command=str(self.command), timeout=4.0))

    def accepted(self) -> list[Accepted]:
        found = []
        for file in sorted(self.folder.glob("*.mail")):
            head, _, content = file.read_bytes().partition(b"\n")
            sender, recipients = json.loads(head)
            found.append(Accepted(content, sender, recipients))
        return found

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault == "unreachable":
            hidden = self.command.rename(self.folder / "gone")
            yield
            hidden.rename(self.command)
        elif fault in FAULTS:
            self.misbehave(FAULTS[fault])
            yield
            self.misbehave({})
        else:
            raise NotStaged(f"sendmail has no way to bring about: {fault}")

    def misbehave(self, fault: dict[str, int | str]) -> None:
        for call in self.folder.glob("*.call"):
            call.unlink()
        (self.folder / "fault").write_text(json.dumps(fault))
