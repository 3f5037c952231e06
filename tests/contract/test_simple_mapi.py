"""Simple MAPI keeps the contract as far as it can: the real worker process, over a mail program in memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any, ClassVar

from pillarbox import Journal
from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox_mapi import Interface, MapiTransport
from tests.contract.test_mapi import UNFOLDED, files_of
from tests.plugins.mapi.world import ANNA, World

PROGRAM: Mapping[str, Mapping[str, Any]] = {
    "credential refused": {"code": 3},
    "recipient refused": {"code": 14},
    "content refused": {"code": 18},
    "content refused for now": {"code": 4},
    "cut inside": {"do": "die"},
    "cut after": {"do": "die after"},
    "silent after": {"do": "stall after"},
    "second message refused": {"code": 25, "nth": 2},
    "second message lost": {"do": "die after", "nth": 2},
}


def as_message(mail: Mapping[str, Any]) -> bytes:
    """Return *mail* as a mail program might write it: what a recipient would read of it."""
    message = EmailMessage(policy=UNFOLDED)
    message["Subject"] = mail["subject"]
    message.set_content(mail["text"] or "-")
    for name, _, octets in mail["files"]:
        message.add_attachment(
            bytes.fromhex(octets), maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes()


def addresses(mail: Mapping[str, Any]) -> tuple[str, ...]:
    """Return whom *mail* goes to."""
    return tuple(address.removeprefix("SMTP:") for _, _, address in mail["people"])


class TestSimpleMapi(TransportContract):
    """A personal account whose owner says that the mail program sends as it. The program ends with the worker."""

    keeps_bytes: ClassVar[bool] = False

    def setup_method(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))

    def teardown_method(self) -> None:
        self.folder.cleanup()

    def make_transport(self) -> MapiTransport:
        limits = {"attach_timeout": 2.0, "call_timeout": 1.0, "send_timeout": 1.5}
        return self.world.transport(
            "user:anna", ANNA, interface=Interface.SIMPLE, account=ANNA, lossy=True, **limits
        )

    def accepted(self) -> list[Accepted]:
        return [Accepted(as_message(mail), None, addresses(mail)) for mail in self.world.mails]

    def attachments_of(self, got: Accepted) -> dict[str, bytes]:
        return files_of(got)

    def test_html_is_read_as_it_was_written(self) -> None:
        """It carries none: with `lossy` the text goes alone, and the receipt says so."""
        receipt = self.send(self.submission("Dear customer\n", html="<p>Dear customer</p>"))
        assert "without" in receipt.detail

    def test_what_says_that_it_can_look_sees_what_was_accepted(self) -> None:
        """`capabilities` knows no settings, and speaks of Outlook; its note says that Simple MAPI can't look."""
        submission, journal = self.submission(), Journal()
        with self.opened() as transport:
            transport.send(submission, journal)
            assert transport.find(submission, journal).is_final
        assert "Simple MAPI can't look" in MapiTransport.capabilities(None).note

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault == "nonsense after":
            self.world.say(submit="nonsense")
        elif fault in {"unreachable", "cut before"}:
            self.world.say(prepare="end", attach="end")
        elif fault in PROGRAM:
            self.world.program(**PROGRAM[fault])
        else:
            raise NotStaged(f"a mail program has no way to: {fault}")
        try:
            yield
        finally:
            self.world.program()
            self.world.say()
