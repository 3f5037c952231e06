"""Gmail as a method."""

from __future__ import annotations

from typing import ClassVar

from pillarbox import Journal, Receipt, SenderPolicy, Submission, Transport

from .settings import GmailSettings


class GmailTransport(Transport):
    """Sends by the Gmail API."""

    settings: GmailSettings
    label: ClassVar[str] = "Gmail"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.ACCOUNT
    takes_envelope: ClassVar[bool] = False
    saves_copy: ClassVar[bool] = True
    connector: ClassVar[str] = "gmail"

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """See `Transport`."""
        raise NotImplementedError
