"""Send through this machine's own sendmail."""

import os
import subprocess

import attrs

from pillarbox import (
    Journal,
    OutcomeUnknown,
    Receipt,
    Role,
    SendDeferred,
    SenderPolicy,
    SendRejected,
    Submission,
    Transport,
)
from pillarbox.settings import setting


@attrs.frozen
class SendmailSettings:
    command: str = setting(
        "/usr/sbin/sendmail", help="The program that takes the mail.", set_by=Role.DEPLOYER
    )


class SendmailTransport(Transport):
    settings: SendmailSettings
    label = "Local sendmail"
    sender_policy = SenderPolicy.USER

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        envelope = submission.envelope
        argv = [self.settings.command, "-i", "-f", envelope.sender or "", "--", *envelope.recipients]
        if not os.access(self.settings.command, os.X_OK):
            raise SendDeferred(f"{self.settings.command} can't be run.", stage="connect")
        with journal.handing_over():
            done = subprocess.run(argv, input=submission.content, capture_output=True, check=False)
        if done.returncode < 0:
            raise OutcomeUnknown(
                f"{self.settings.command} was killed by signal {-done.returncode}.", stage="content"
            )
        if done.returncode == os.EX_TEMPFAIL:
            raise SendDeferred(done.stderr.decode(errors="replace"), stage="content")
        if done.returncode:
            raise SendRejected(
                done.stderr.decode(errors="replace"), code=str(done.returncode), stage="content"
            )
        return Receipt(submission.message_id)
