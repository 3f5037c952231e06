"""The transport: one request a message, with a key by which Resend recognises it for a day."""

import contextlib
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from pillarbox import (
    Description,
    EventSource,
    Finding,
    Journal,
    Level,
    Limits,
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    Proof,
    Receipt,
    SenderPolicy,
    SendError,
    SignInNeeded,
    Submission,
    Transport,
)

from .answers import RESTRICTED, NoAnswer, receipt_of, refusal_of
from .events import ResendEvents
from .options import ResendOptions
from .settings import ResendSettings

if TYPE_CHECKING:
    from .api import Api

AMBIENT = "RESEND_API_KEY"
"""Where a machine has the key, if the settings name none."""
_KEY = re.compile(r"[!-~]{1,512}")
"""What can go into a header."""


class ResendTransport(Transport):
    """Sends by Resend. What was lost on the line is sent again with the same key, which Resend recognises."""

    settings: ResendSettings
    label = "Resend"
    sender_policy = SenderPolicy.USER
    takes_envelope = False
    resend_safe_for = timedelta(hours=24)
    options: ClassVar[type | None] = ResendOptions
    events: ClassVar[type[EventSource] | None] = ResendEvents

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """See `Transport`. Whatever fails before the hand-over left nothing; behind it, only an answer tells."""
        from .body import body_of

        key, body = self._key(), body_of(submission, _options(submission))
        try:
            with self._connected() as api, journal.handing_over():
                answer = api.exchange("POST", "/emails", key, body, "application/json", submission.key)
        except NoAnswer as lost:
            said = f"Resend was given the message and did not answer ({lost})."
            raise OutcomeUnknown(said, stage="content") from None
        return receipt_of(answer, submission)

    def may_show(self, address: str) -> Proof | None:
        """See `Transport`. Whatever is of a domain that the account has verified."""
        try:
            return (
                Proof("a verified domain") if address.rpartition("@")[2].lower() in self._domains() else None
            )
        except (NoAnswer, PillarboxError):
            return None  # nobody knows

    def check(self) -> Iterator[Finding]:
        """See `Transport`. Sends nothing."""
        try:
            with self._connected():
                yield Finding("connect", Level.OK, "resend-reached", f"{self.settings.url} answers")
            domains = self._domains()
        except NoAnswer as lost:
            yield Finding("sign-in", Level.FAIL, "resend-silent", f"no answer ({lost})", "Try later.")
        except SendError as error:
            yield from _told(error)
        else:
            yield Finding("sign-in", Level.OK, "resend-signed-in", "the key is good")
            yield self._sender(domains)

    def _sender(self, domains: frozenset[str]) -> Finding:
        address = self.route.from_address if self.route else None
        domain = address.address.rpartition("@")[2].lower() if address else ""
        if domain and domain not in domains:
            seen = f"{domain} is not verified at Resend; verified: {', '.join(sorted(domains)) or 'none'}"
            return Finding(
                "sender", Level.FAIL, "resend-domain", seen, "Verify the domain at resend.com/domains."
            )
        return Finding("sender", Level.OK, "resend-sender", f"may show {domain or 'verified domains'}")

    @classmethod
    def limits(cls, settings: ResendSettings) -> Limits:
        """See `Transport`. 50 recipients of a message, 2 requests a second; 40 MB of JSON hold some 29 of a message."""
        return Limits(concurrency=2, per_minute=120, recipients=50, size=29_000_000)

    @classmethod
    def describe(cls, settings: ResendSettings) -> Description:
        """See `Transport`."""
        whose = "an API key" if settings.key else f"this machine's own key ({AMBIENT})"
        return Description(sign_in=f"signs in with {whose}", via=settings.url, copy="kept by Resend")

    def _key(self) -> str:
        """Return the account's key, or the machine's.

        Raises:
            SignInNeeded: There is neither.
        """
        own = self.settings.key is not None and self.credentials is not None
        key = self.credentials.secret("key") if own and self.credentials else os.environ.get(AMBIENT, "")
        if _KEY.fullmatch(key.strip()):
            return key.strip()
        said = "What is set as the API key is none." if key.strip() else "There is no API key."
        raise SignInNeeded(said, stage="sign-in", cure=f"Set one, or {AMBIENT} on this machine.")

    def _domains(self) -> frozenset[str]:
        """Return the domains that this account may send from.

        Raises:
            NoAnswer, PillarboxError: It can't be asked.
        """
        with self._connected() as api:
            answer = api.exchange("GET", "/domains", self._key())
        if answer.status != 200:
            raise refusal_of(answer)
        found = answer.value.get("data")
        return frozenset(str(one["name"]).lower() for one in found or () if _sends(one))

    @contextlib.contextmanager
    def _connected(self) -> "Iterator[Api]":
        from .api import Api

        api = Api(self.settings.url, self.network, self.settings.timeout)
        try:
            api.connect()
            yield api
        finally:
            api.close()


def _told(error: SendError) -> Iterator[Finding]:
    """Yield what an error of the look at the domains tells; a key that may only send is a good one."""
    if error.code and RESTRICTED in error.code:
        yield Finding("sign-in", Level.OK, "resend-signed-in", "the key is good, and may only send")
        seen = "this key can't look which domains are verified, so no user's own address is proven"
        cure = 'Give it full access, or set from_policy = "account".'
        yield Finding("sender", Level.WARN, "resend-sender-unseen", seen, cure)
        return
    stage, code = error.stage or "check", f"resend-{error.stage or 'failed'}"
    yield Finding(stage, Level.FAIL, code, error.detail, error.cure, exit_code=error.exit_code)


def _sends(domain: object) -> bool:
    if not isinstance(domain, dict) or "name" not in domain:
        return False
    can = domain.get("capabilities")
    return domain.get("status") == "verified" and not (
        isinstance(can, dict) and can.get("sending") == "disabled"
    )


def _options(submission: Submission) -> ResendOptions:
    """Return what the message asks of Resend.

    Raises:
        MessageError: It asks for what there is not.
    """
    try:
        return ResendOptions(**submission.options)
    except (TypeError, ValueError) as error:
        raise MessageError(f"The options for Resend can't be used: {error}") from None
