"""The sendmail transport keeps pillarbox's contract, against a program that records what it is given."""

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pillarbox_sendmail import SendmailSettings, SendmailTransport

from pillarbox.testing import Accepted, NotStaged, TransportContract

PROGRAM = """#!{python}
import json, os, pathlib, signal, sys
folder = pathlib.Path({folder!r})
content = sys.stdin.buffer.read()
fault = (folder / "fault").read_text() if (folder / "fault").exists() else ""
if fault == "content refused for now":
    sys.exit("try later" and 75)
if fault == "content refused":
    print("spam", file=sys.stderr)
    sys.exit(69)
arguments = sys.argv[1:]
place = folder / f"{{len(list(folder.glob('*.mail'))):04d}}.mail"
place.write_bytes(json.dumps([arguments[2], arguments[4:]]).encode() + b"\\n" + content)
if fault == "cut after":
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TestSendmail(TransportContract):
    carrier_outlives = True

    def setup_method(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.command = self.folder / "sendmail"
        self.command.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        self.command.chmod(0o700)

    def teardown_method(self) -> None:
        self.temporary.cleanup()

    def make_transport(self) -> SendmailTransport:
        return SendmailTransport(SendmailSettings(command=str(self.command)))

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
            self.command.chmod(0)
            self.command.rename(self.folder / "gone")
        elif fault in {"content refused", "content refused for now", "cut after"}:
            (self.folder / "fault").write_text(fault)
        else:
            raise NotStaged(f"sendmail has no way to bring about: {fault}")
        yield
        (self.folder / "fault").unlink(missing_ok=True)
