"""Everything that can go wrong at every step, with a draft and without: told by the step, and nothing is sent twice."""

from __future__ import annotations

import pytest

from pillarbox import (
    Attachment,
    Journal,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SettingsError,
    SightingState,
    SignInNeeded,
)
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import graph as lines
from tests.plugins.m365.givens import CONFIRM, ORDERS, SEND, Holder, outcome_of, steps, submission, transport

FILES = [Attachment(f"{at}.bin", bytes(range(256)) * 9000) for at in range(2)]
LARGE = [Attachment("large.bin", bytes(range(256)) * 12_000)]
BY_DRAFT = {"draft": FILES, "patch": (), "attach": FILES, "session": LARGE, "range": LARGE, "send": ()}
"""The steps up to the one that submits, and files with which each is needed."""
NO_ANSWER = (Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.HANG, Fault.GARBAGE, Fault.ERROR, Fault.UNAVAILABLE)
REFUSALS: list[tuple[int, str, type[PillarboxError]]] = [
    (400, "ErrorInvalidRecipients", SendRejected),
    (400, "RequestBodyRead", SendRejected),
    (403, "ErrorSendAsDenied", SendRejected),
    (403, "ErrorAccessDenied", SignInNeeded),
    (403, "MailboxNotEnabledForRESTAPI", SignInNeeded),
    (403, "ErrorQuotaExceeded", SendDeferred),
    (403, "ErrorExceededMessageLimit", SendDeferred),
    (404, "ErrorInvalidUser", SettingsError),
    (413, "ErrorMessageSizeExceeded", SendRejected),
    (429, "ApplicationThrottled", SendDeferred),
]
"""The rows of the table; on the call that submits as well, since each is an answer."""


DONE_ALL_THE_SAME = {("range", Fault.CUT_AFTER), ("range", Fault.GARBAGE), ("patch", Fault.GARBAGE)}
"""Where a look, or the status, tells that it was done."""


@pytest.fixture(autouse=True)
def _quick_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PER_SECOND", 1e9)


def tried(
    graph: FakeGraph, step: str, fault: Fault | Answer, scopes: tuple[str, ...], files: object, times: int = 9
) -> tuple[Receipt | PillarboxError, Journal]:
    """Send while *step* fails; return what came of it, and the journal."""
    graph.fault(step, fault, times=times)
    journal = Journal()
    slow = fault is Fault.HANG
    with transport(graph, scopes=scopes, timeout=0.3 if slow else 5.0) as one:
        return outcome_of(one, submission(attachments=files), journal), journal


@pytest.mark.parametrize("fault", NO_ANSWER, ids=str)
@pytest.mark.parametrize("step", [step for step in BY_DRAFT if step != "send"])
def test_before_the_call_that_sends_nothing_is_handed_over(graph: FakeGraph, step: str, fault: Fault) -> None:
    """No answer there is not an unknown outcome."""
    outcome, journal = tried(graph, step, fault, CONFIRM, BY_DRAFT[step])
    if (step, fault) in DONE_ALL_THE_SAME:
        assert type(outcome) is Receipt, outcome
        return
    assert type(outcome) is SendDeferred, outcome
    assert not journal.handed_over
    assert graph.sent(ORDERS) == []


@pytest.mark.parametrize("fault", NO_ANSWER, ids=str)
@pytest.mark.parametrize(("step", "scopes"), [("send", CONFIRM), ("sendMail", SEND)])
def test_without_an_answer_to_the_call_that_sends_nobody_knows(
    graph: FakeGraph, step: str, scopes: tuple[str, ...], fault: Fault
) -> None:
    """It is called once, whatever it says."""
    outcome, journal = tried(graph, step, fault, scopes, ())
    assert type(outcome) is OutcomeUnknown, outcome
    assert journal.handed_over
    assert steps(graph).count(step) == 1
    with transport(graph) as one:
        seen = one.find(submission(), journal) if step == "sendMail" else None
    assert seen is None or seen.state is not SightingState.ABSENT


@pytest.mark.parametrize(("status", "code", "wanted"), REFUSALS)
@pytest.mark.parametrize("step", [step for step in (*BY_DRAFT, "sendMail") if step != "range"])
def test_each_refusal_at_each_step(
    graph: FakeGraph, step: str, status: int, code: str, wanted: type[PillarboxError]
) -> None:
    """It means the same wherever it is given, and nothing was sent."""
    scopes = SEND if step == "sendMail" else CONFIRM
    outcome, journal = tried(graph, step, Answer(status, code), scopes, BY_DRAFT.get(step, ()))
    assert type(outcome) is wanted, outcome
    assert graph.sent(ORDERS) == []
    assert journal.handed_over is (step in {"send", "sendMail"})


@pytest.mark.parametrize(
    ("step", "scopes"), [("draft", CONFIRM), ("patch", CONFIRM), ("send", CONFIRM), ("sendMail", SEND)]
)
def test_a_token_that_is_refused_is_replaced_once(
    graph: FakeGraph, step: str, scopes: tuple[str, ...]
) -> None:
    """A 401 is given before anything is done: with another token it goes on, also on the call that sends (rule 24)."""
    good = graph.token(ORDERS, *scopes)
    held = (
        Holder("old", good, scopes=scopes)
        if step in {"draft", "sendMail"}
        else Holder(good, good + "x", scopes=scopes)
    )
    if step in {"patch", "send"}:
        graph.fault(step, Fault.UNAUTHORIZED)
        graph._tokens[good + "x"] = graph._tokens[good]
    journal = Journal()
    with transport(graph, credentials=held) as one:
        assert isinstance(outcome_of(one, submission(), journal), Receipt)
    assert len(graph.sent(ORDERS)) == 1
    assert steps(graph).count(step) == 2


@pytest.mark.parametrize(("step", "scopes"), [("draft", CONFIRM), ("send", CONFIRM), ("sendMail", SEND)])
def test_a_second_token_that_is_refused_asks_for_a_sign_in(
    graph: FakeGraph, step: str, scopes: tuple[str, ...]
) -> None:
    """And there is no third."""
    good = graph.token(ORDERS, *scopes)
    graph._tokens["other"] = graph._tokens["third"] = graph._tokens[good]
    graph.fault(step, Fault.UNAUTHORIZED, times=9)
    with transport(graph, credentials=Holder(good, "other", "third", scopes=scopes)) as one:
        assert type(outcome_of(one, submission())) is SignInNeeded
    assert steps(graph).count(step) == 2
    assert graph.sent(ORDERS) == []


def test_the_same_token_is_not_tried_twice(graph: FakeGraph) -> None:
    """Where there is no other, the first refusal counts."""
    with transport(graph, credentials=Holder("bad", scopes=SEND)) as one:
        assert type(outcome_of(one, submission())) is SignInNeeded
    assert steps(graph) == ["sendMail"]
