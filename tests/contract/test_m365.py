"""Microsoft 365 keeps the contract, against a fake Graph that is told how to misbehave; by drafts and in one request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import ClassVar

from pillarbox import Submission
from pillarbox.testing import Accepted, NotStaged, TransportContract
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import M365Transport
from tests.plugins.m365.givens import ANNA, CONFIRM, SEND, Holder, transport
from tests.plugins.m365.relay import Relay

TOKEN = "canary-5e1b-access-token"
BUSY = Answer(429, "ApplicationThrottled", headers={"Retry-After": "7"})
FAULTS: dict[str, Fault | Answer] = {
    "sender refused": Answer(403, "ErrorSendAsDenied"),
    "sender refused for now": BUSY,
    "recipient refused": Answer(400, "ErrorInvalidRecipients"),
    "recipient refused for now": Answer(403, "ErrorExceededMessageLimit"),
    "content refused": Answer(413, "ErrorMessageSizeExceeded"),
    "content refused for now": BUSY,
    "cut after": Fault.CUT_AFTER,
    "silent after": Fault.HANG,
    "nonsense after": Fault.GARBAGE,
}
BEFORE: dict[str, Fault | Answer] = {
    "cut before": Fault.CUT_BEFORE,
    "silent before": Fault.HANG,
    "credential refused for now": Fault.UNAVAILABLE,
}


class TestM365ByDraft(TransportContract):
    """With the grant to send and confirm."""

    sender: ClassVar[str] = ANNA
    secrets: ClassVar[tuple[str, ...]] = (TOKEN,)
    carrier_outlives: ClassVar[bool] = True
    sdks: ClassVar[tuple[str, ...]] = (*TransportContract.sdks, "msal", "requests")
    scopes: ClassVar[tuple[str, ...]] = CONFIRM
    submits: ClassVar[str] = "send"
    first: ClassVar[str] = "draft"

    def setup_method(self) -> None:
        self.graph = FakeGraph()
        self.graph.__enter__()
        self.graph.add_mailbox(ANNA, "Anna Berg")
        self.graph._tokens[TOKEN] = self.graph._tokens[self.graph.token(ANNA, *self.scopes)]
        self.relay = Relay(self.graph._server.port)

    def teardown_method(self) -> None:
        self.relay.shut()
        self.graph.__exit__(None, None, None)

    def make_transport(self) -> M365Transport:
        held = Holder(TOKEN, scopes=self.scopes)
        return transport(
            self.graph, mailbox=ANNA, credentials=held, url=self.relay.url, timeout=2.0, scopes=self.scopes
        )

    def accepted(self) -> list[Accepted]:
        """What was sent; its Message-ID stands first, where the fake puts it."""
        return [Accepted(one.content, None, one.recipients) for one in self.graph.sent(ANNA)]

    def expected_content(self, submission: Submission) -> bytes:
        field = f"Message-ID: {submission.message_id}\r\n".encode()
        return field + submission.content.replace(field, b"", 1)

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault == "unreachable":
            self.relay.shut()
            try:
                yield
            finally:
                self.relay.open()
            return
        self._plan(fault)
        yield
        self.graph._faults._plans.clear()

    def _plan(self, fault: str) -> None:
        if fault == "credential refused":
            for step in ("draft", "send", "sendMail", "get"):
                self.graph.fault(step, Fault.UNAUTHORIZED, times=99)
        elif fault in {"second message refused", "second message lost"}:
            refused = fault == "second message refused"
            what = FAULTS["content refused"] if refused else Fault.CUT_AFTER
            self.graph.fault(self.submits, what, after=1)
        elif fault in FAULTS:
            self.graph.fault(self.submits, FAULTS[fault], times=99)
        elif fault in BEFORE and self.first:
            self.graph.fault(self.first, BEFORE[fault], times=99)
        else:
            raise NotStaged(f"a fake Graph is not told: {fault}")


class TestM365InOneRequest(TestM365ByDraft):
    """With the grant to send, and nothing else."""

    scopes: ClassVar[tuple[str, ...]] = SEND
    submits: ClassVar[str] = "sendMail"
    first: ClassVar[str] = ""

    @contextlib.contextmanager
    def stage(self, fault: str) -> Iterator[None]:
        if fault != "cut inside":
            with super().stage(fault):
                yield
            return
        self.relay.coming = lambda octets: b"/sendMail HTTP" not in octets
        yield
        self.relay.coming = lambda _: True
