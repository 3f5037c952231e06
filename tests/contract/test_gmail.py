"""Gmail keeps the contract, against a fake that says what Google's does: with each of the two grants."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import ClassVar

from pillarbox import SendDeferred, Submission
from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox.testing._http.faults import Plan
from pillarbox.testing._http.values import Call, Ending, Reply
from pillarbox.testing.gmail import Answer, FakeGmail, Fault, Token
from pillarbox_gmail import GmailSettings, GmailTransport
from pillarbox_gmail.app import COMPOSE, SEND
from tests.plugins.gmail.gates import Gate
from tests.plugins.gmail.givens import ANNA, Connected, app

TOKEN = "canary-5e1d-access-token"
REFUSED = Answer(400, "invalidArgument", "Invalid To header")
SUBMITTING: Mapping[str, Fault | Answer] = {
    "credential refused": Fault.UNAUTHORIZED,
    "recipient refused": REFUSED,
    "recipient refused for now": Answer(403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
    "content refused": Answer(413, "uploadTooLarge"),
    "content refused for now": Fault.THROTTLED,
    "cut after": Fault.CUT_AFTER,
    "silent after": Fault.HANG,
    "nonsense after": Fault.GARBAGE,
}
"""What the fake does to the request that submits."""
SECOND: Mapping[str, Fault | Answer] = {
    "second message refused": REFUSED,
    "second message lost": Fault.CUT_AFTER,
}
INSIDE = 400
"""Octets of a request, between its header's end and its own."""
BEFORE: Mapping[str, Fault | Answer] = {"cut before": Fault.CUT_BEFORE, "silent before": Fault.HANG}
"""What it does to the one before it."""


class Scripted(FakeGmail):
    """A fake that does the same at each request of a step, until it is told otherwise."""

    script: Mapping[str, Fault | Answer] = {}

    def _under(self, plan: Plan | None, call: Call, step: str) -> Reply | Ending:
        fault = self.script.get(step)
        return super()._under(plan if fault is None else Plan(fault, 1, 0, None, 0.0), call, step)


class OneToken(Connected):
    """The account under test; its token is the canary, whatever was refused."""

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        if self.fails is not None:
            raise self.fails
        return TOKEN

    def redact(self, text: str) -> str:
        return text.replace(TOKEN, "[secret]")


class TestGmailSendOnly(TransportContract):
    """A mailbox whose person allowed sending, and nothing else."""

    secrets: ClassVar[tuple[str, ...]] = (TOKEN,)
    carrier_outlives: ClassVar[bool] = True
    scope: ClassVar[str] = SEND
    submits: ClassVar[str] = "messages.send"
    before: ClassVar[str] = ""

    def setup_method(self) -> None:
        self.gmail = Scripted(keeps_message_ids=True, per_minute=None)
        self.gmail.__enter__()
        self.gmail.add_mailbox(ANNA, "Anna Berg")
        self.gmail.accepts(lambda token: Token(ANNA, self.scope) if token == TOKEN else None)
        self.gate = Gate(self.gmail.url)
        self.fails: Exception | None = None

    def teardown_method(self) -> None:
        self.gate.close()
        self.gmail.__exit__(None, None, None)

    def make_transport(self) -> GmailTransport:
        credentials = OneToken(self.gmail, self.scope)
        credentials.fails = self.fails
        made = GmailTransport(GmailSettings(timeout=2.0), credentials)
        made.app = app(self.gmail, api=self.gate.url)
        return made

    def expected_content(self, submission: Submission) -> bytes:
        return submission.content

    def accepted(self) -> list[Accepted]:
        return [Accepted(one.content, one.sender, one.recipients) for one in self.gmail.sent(ANNA)]

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault == "unreachable":
            with self.gate.shut():
                yield
        elif fault == "credential refused for now":
            self.fails = SendDeferred("Google gives no token now.", stage="sign-in")
            yield
            self.fails = None
        elif fault == "cut inside" and not self.before:
            self.gate.most = INSIDE
            yield
            self.gate.most = None
        elif fault in SECOND:
            self.gmail.fault(self.submits, SECOND[fault], after=1)
            yield
        else:
            self.gmail.script = self.scripted(fault)
            yield
            self.gmail.script = {}

    def scripted(self, fault: str) -> Mapping[str, Fault | Answer]:
        if fault in SUBMITTING:
            return {self.submits: SUBMITTING[fault]}
        if fault in BEFORE and self.before:
            return {self.before: BEFORE[fault]}
        raise NotStaged(f"the fake Gmail has no way to: {fault}")


class TestGmailSendAndConfirm(TestGmailSendOnly):
    """A mailbox whose person allowed drafts too."""

    scope: ClassVar[str] = COMPOSE
    submits: ClassVar[str] = "drafts.send"
    before: ClassVar[str] = "draft"
