"""What `pillarbox certify pillarbox-resend` and the tests run: pillarbox's contract, against the fake."""

import contextlib
from base64 import b64decode
from email import policy
from email.message import EmailMessage
from typing import Any, ClassVar

from pillarbox import Credentials, Secret, SignInNeeded
from pillarbox.testing import FAULTS, Accepted, NotStaged, TransportContract

from .fake import FakeApi, Kept
from .settings import ResendSettings
from .transport import ResendTransport

KEY = "re_canary-0f3a-api-key"
HOOK = "whsec_Y2FuYXJ5LXNpZ25pbmctc2VjcmV0"
ONE_REQUEST = {"cut before", "silent before", "one recipient refused", "one recipient refused for now"}


class OneKey(Credentials):
    """The credentials of the account under test."""

    def secret(self, name: str) -> str:
        """See `Credentials`."""
        return {"key": KEY, "hook": HOOK}[name]

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        """See `Credentials`."""
        raise SignInNeeded("Not connected.")

    def update(self, change: Any) -> None:
        """See `Credentials`."""
        raise SignInNeeded("Nothing is stored.")


def as_message(kept: Kept) -> bytes:
    """Return what a recipient of a request's mail might get: Resend makes the bytes."""
    value = kept.value
    message = EmailMessage(policy=policy.default.clone(max_line_length=10_000))
    message["Subject"] = value.get("subject", "")
    message.set_content(value.get("text", ""))
    if "html" in value:
        message.add_alternative(value["html"], subtype="html")
    for one in value.get("attachments", ()):
        octets = b64decode(one["content"])
        message.add_attachment(
            octets, maintype="application", subtype="octet-stream", filename=one["filename"]
        )
    return message.as_bytes()


class ResendContract(TransportContract):
    """The transport, and the fake that it speaks to."""

    __test__ = False
    secrets: ClassVar[tuple[str, ...]] = (KEY, HOOK)
    carrier_outlives: ClassVar[bool] = True
    keeps_bytes: ClassVar[bool] = False

    def setup_method(self) -> None:
        """Begin with an API that has nothing."""
        self.api = FakeApi(KEY)
        self.api.__enter__()

    def teardown_method(self) -> None:
        """Let it go."""
        self.api.__exit__()

    def make_transport(self) -> ResendTransport:
        """See `TransportContract`."""
        elsewhere = Secret(env="NOT_READ_HERE")
        settings = ResendSettings(url=self.api.url, key=elsewhere, hook=elsewhere, timeout=2.0)
        return ResendTransport(settings, OneKey())

    def accepted(self) -> list[Accepted]:
        """See `TransportContract`."""
        return [Accepted(as_message(one), None, one.recipients) for one in self.api.kept]

    def attachments_of(self, got: Accepted) -> dict[str, bytes]:
        """See `TransportContract`."""
        from email import message_from_bytes

        message = message_from_bytes(got.content, policy=policy.default)
        return {str(part.get_filename()): part.get_content() for part in message.iter_attachments()}

    def stage(self, fault: str) -> contextlib.AbstractContextManager[None]:
        """See `TransportContract`."""
        if fault in ONE_REQUEST or fault not in FAULTS:
            raise NotStaged(f"one request carries it all, and is taken or refused as a whole: {fault}")
        return self.api.misbehaving(fault)
