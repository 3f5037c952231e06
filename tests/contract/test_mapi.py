"""Outlook keeps the contract: the real worker process, over an Outlook in memory."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar

from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox.testing.outlook import Fault, Mail, busy, denied
from pillarbox_mapi import MapiTransport
from tests.plugins.mapi.world import ANNA, World

UNFOLDED = policy.default.clone(max_line_length=10_000)
"""The standard library loses spaces where it folds encoded words."""
MANY = 1_000_000
GONE = 0x800706BA
FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "unreachable": (
        Fault("Class", "Activate", hresult=GONE, times=MANY),
        Fault("Application", "GetNamespace", hresult=GONE, times=MANY),
    ),
    "cut before": (Fault("MailItem", "Save", "crash", times=MANY),),
    "silent before": (Fault("MailItem", "Save", "stall", seconds=60.0),),
    "recipient refused": (Fault("Recipient", "Resolve", "silent", times=MANY),),
    "content refused": (denied("MailItem", "Send"),),
    "content refused for now": (busy("MailItem", "Send", MANY),),
    "cut inside": (Fault("MailItem", "Send", "crash"),),
    "cut after": (Fault("MailItem", "Send", "crash", ran=True),),
    "silent after": (Fault("MailItem", "Send", "stall", seconds=60.0),),
    "second message refused": (Fault("MailItem", "Send", nth=2, hresult=0x80004004),),
    "second message lost": (Fault("MailItem", "Send", "crash", nth=2, ran=True),),
}


def as_message(mail: Mail) -> bytes:
    """Return *mail* as Outlook might write it: what a recipient would read of it."""
    message = EmailMessage(policy=UNFOLDED)
    message["Subject"] = mail.subject
    message.set_content(mail.text or "-")
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    for file in mail.files:
        message.add_attachment(
            file.content, maintype="application", subtype="octet-stream", filename=file.name
        )
    return message.as_bytes()


def files_of(got: Accepted) -> dict[str, bytes]:
    """Return the attachments of what `as_message` wrote, by name."""
    message = message_from_bytes(got.content, policy=policy.default)
    parts = message.iter_attachments()
    return {str(part.get_filename()): part.get_payload(decode=True) for part in parts}


class TestOutlook(TransportContract):
    """A personal account in Outlook."""

    keeps_bytes: ClassVar[bool] = False
    carrier_outlives: ClassVar[bool] = True

    def setup_method(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))

    def teardown_method(self) -> None:
        self.folder.cleanup()

    def make_transport(self) -> MapiTransport:
        return self.world.transport("user:anna", ANNA, attach_timeout=2.0, call_timeout=1.0, send_timeout=1.5)

    def accepted(self) -> list[Accepted]:
        return [Accepted(as_message(mail), None, mail.addresses()) for mail in self.world.sent]

    def attachments_of(self, got: Accepted) -> dict[str, bytes]:
        return files_of(got)

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault == "nonsense after":
            self.world.say(submit="nonsense")
        elif fault in FAULTS:
            self.world.misbehave(*FAULTS[fault])
        else:
            raise NotStaged(f"Outlook has no way to: {fault}")
        try:
            yield
        finally:
            self.world.misbehave()
            self.world.say()
