"""The transport: submits by Microsoft Graph and looks what became of it."""

from __future__ import annotations

from typing import ClassVar

from pillarbox import Journal, Receipt, SendDeferred, Submission, Transport

from .settings import M365Settings


class M365Transport(Transport):
    """Submits by Microsoft Graph. See `Transport` for what each method promises."""

    settings: M365Settings
    label: ClassVar[str] = "Microsoft 365"
    connector: ClassVar[str] = "m365"

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once; see `Transport.send`."""
        raise SendDeferred("Sending by Microsoft Graph is not there yet.")
