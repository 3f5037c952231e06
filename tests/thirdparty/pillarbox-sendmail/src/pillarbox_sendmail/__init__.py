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
    """Where sendmail is, and how long it may take."""

    command: str = setting(
        "/usr/sbin/sendmail", help="The program that takes the mail.", set_by=Role.DEPLOYER
    )
    timeout: float = setting(60.0, help="Seconds that it may take.")


class SendmailTransport(Transport):
    """Gives each message to a run of sendmail of its own."""

    settings: SendmailSettings
    label = "Local sendmail"
    sender_policy = SenderPolicy.USER
    platforms = ("linux", "darwin")

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Run sendmail, and read its exit status (sysexits)."""
        command, timeout, envelope = self.settings.command, self.settings.timeout, submission.envelope
        if not os.access(command, os.X_OK):
            raise SendDeferred(f"{command} can't be run.", stage="connect")
        argv = [command, "-i", "-f", envelope.sender or "", "--", *envelope.recipients]
        try:
            with journal.handing_over():
                done = subprocess.run(
                    argv, input=submission.content, capture_output=True, check=False, timeout=timeout
                )
        except subprocess.TimeoutExpired:
            raise OutcomeUnknown(f"{command} did not end within {timeout:g} s.", stage="content") from None
        said = done.stderr.decode(errors="replace")
        if done.returncode < 0:
            raise OutcomeUnknown(f"{command} was killed by signal {-done.returncode}.", stage="content")
        if done.returncode == os.EX_TEMPFAIL:
            raise SendDeferred(said, stage="content")
        if done.returncode:
            raise SendRejected(said, code=str(done.returncode), stage="content")
        return Receipt(submission.message_id)
