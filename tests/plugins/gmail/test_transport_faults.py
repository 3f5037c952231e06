"""Everything that can go wrong at every step, with each grant: what is said of it is true, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from pillarbox import (
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
from pillarbox.testing.gmail import Answer, FakeGmail, Fault
from tests.plugins.gmail.conftest import Connect
from tests.plugins.gmail.givens import ANNA, GRANTS, app, large, submission


@attrs.frozen
class Case:
    """A fault, and what it has to end in: before the request that submits, and at it.

    Attributes:
        early: At a step that submits nothing.
        at: At the one that submits.
        processed: Whether Gmail carries the request out all the same.
    """

    fault: Fault | Answer
    early: type[PillarboxError]
    at: type[PillarboxError]
    processed: bool = False

    @property
    def timeout(self) -> float:
        """Seconds: few where nothing comes, many where a busy machine may be slow."""
        return 2.0 if self.fault is Fault.HANG else 20.0


def answered(status: int, code: str, message: str = "", **more: object) -> Answer:
    return Answer(status, code, message, **more)  # type: ignore[arg-type]


CASES = {
    "cut before": Case(Fault.CUT_BEFORE, SendDeferred, OutcomeUnknown),
    "cut after": Case(Fault.CUT_AFTER, SendDeferred, OutcomeUnknown, processed=True),
    "garbage": Case(Fault.GARBAGE, SendDeferred, OutcomeUnknown, processed=True),
    "silence": Case(Fault.HANG, SendDeferred, OutcomeUnknown),
    "500": Case(Fault.ERROR, SendDeferred, OutcomeUnknown),
    "500 behind which it is done": Case(
        answered(500, "backendError", processed=True), SendDeferred, OutcomeUnknown, processed=True
    ),
    "503": Case(Fault.UNAVAILABLE, SendDeferred, OutcomeUnknown),
    "408": Case(answered(408, "requestTimeout"), SendDeferred, OutcomeUnknown),
    "302": Case(
        answered(302, "found", headers={"Location": "http://127.0.0.1:9/"}), SendDeferred, OutcomeUnknown
    ),
    "429": Case(Fault.THROTTLED, SendDeferred, SendDeferred),
    "403 rate": Case(answered(403, "userRateLimitExceeded"), SendDeferred, SendDeferred),
    "403 day": Case(answered(403, "dailyLimitExceeded"), SendDeferred, SendDeferred),
    "403 policy": Case(answered(403, "domainPolicy"), SettingsError, SettingsError),
    "403 scope": Case(answered(403, "insufficientPermissions"), SignInNeeded, SignInNeeded),
    "403 off": Case(answered(403, "accessNotConfigured"), SettingsError, SettingsError),
    "400 mailbox": Case(
        answered(400, "failedPrecondition", "Mail service not enabled"), SettingsError, SettingsError
    ),
    "400 nobody": Case(answered(400, "failedPrecondition"), SettingsError, SettingsError),
    "400 recipient": Case(answered(400, "invalidArgument", "Invalid To header"), SendRejected, SendRejected),
    "413": Case(answered(413, "uploadTooLarge"), SendRejected, SendRejected),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def outcome(made, message, journal: Journal) -> Receipt | PillarboxError:
    try:
        return made.send(message, journal)
    except PillarboxError as error:
        return error


@each_case
@pytest.mark.parametrize("make", [submission, large], ids=["small", "large"])
def test_at_the_request_that_submits_with_send_only(
    gmail: FakeGmail, connect: Connect, case: Case, make
) -> None:
    """An answer is an answer; whatever else comes, nobody knows, unless an upload says that it is not whole."""
    step, after = ("messages.send", 0) if make is submission else ("chunk", 1)
    gmail.fault(step, case.fault, after=after)
    made, journal, message = connect(*GRANTS["send only"], timeout=case.timeout), Journal(), make()
    got = outcome(made, message, journal)
    sent = len(gmail.sent(ANNA))
    assert sent == case.processed
    assert journal.handed_over
    is_told_by_the_upload = make is large and case.at is OutcomeUnknown and not case.processed
    told = SendDeferred if is_told_by_the_upload and case.fault != CASES["302"].fault else case.at
    assert type(got) is told, got
    assert made.find(message, journal).state is SightingState.UNCLEAR


@each_case
def test_at_the_request_that_submits_with_send_and_confirm(
    gmail: FakeGmail, connect: Connect, case: Case
) -> None:
    """What nobody knows is looked up: it is ABSENT where the draft is one still, and never where it was sent."""
    gmail.fault("drafts.send", case.fault)
    made, journal, message = (
        connect(*GRANTS["send and confirm"], timeout=case.timeout),
        Journal(),
        submission(),
    )
    got = outcome(made, message, journal)
    assert type(got) is case.at, got
    assert journal.handed_over
    found = made.find(message, Journal(journal.notes))
    assert len(gmail.sent(ANNA)) == case.processed
    if case.processed:
        assert found.state is SightingState.UNCLEAR
        assert "draft is gone" in found.detail
    elif case.at is not SendRejected:
        assert found.state is SightingState.ABSENT
        assert isinstance(made.send(message, Journal(journal.notes)), Receipt)
        assert len(gmail.sent(ANNA)) == 1
    assert gmail.drafts(ANNA) == []


@each_case
@pytest.mark.parametrize("make", [submission, large], ids=["small", "large"])
def test_at_the_draft(gmail: FakeGmail, connect: Connect, case: Case, make) -> None:
    """Nothing left; a later attempt sends it once, and leaves no draft behind."""
    gmail.fault("draft" if make is submission else "upload", case.fault)
    made, journal, message = connect(*GRANTS["send and confirm"], timeout=case.timeout), Journal(), make()
    got = outcome(made, message, journal)
    if not isinstance(got, Receipt):
        assert type(got) is case.early, got
        assert not journal.handed_over
        assert gmail.sent(ANNA) == []
        assert isinstance(made.send(message, Journal(journal.notes)), Receipt)
    assert len(gmail.sent(ANNA)) == 1
    assert gmail.drafts(ANNA) == []


@each_case
def test_at_the_look_for_an_earlier_draft(gmail: FakeGmail, connect: Connect, case: Case) -> None:
    """The draft of an earlier attempt is asked for; where that fails nothing left, and it is used the next time."""
    message, journal = submission(), drafted(gmail, connect)
    gmail.fault("get", case.fault)
    made = connect(*GRANTS["send and confirm"], timeout=case.timeout)
    got = outcome(made, message, journal)
    assert type(got) is case.early, got
    assert gmail.sent(ANNA) == []
    assert isinstance(made.send(message, Journal(journal.notes)), Receipt)
    assert len(gmail.sent(ANNA)) == 1
    assert gmail.drafts(ANNA) == []


def drafted(gmail: FakeGmail, connect: Connect) -> Journal:
    """Return the journal of an attempt that ended with a draft, handed over and not sent."""
    journal = Journal()
    gmail.fault("drafts.send", Fault.CUT_BEFORE)
    with pytest.raises(OutcomeUnknown):
        connect(*GRANTS["send and confirm"]).send(submission(), journal)
    assert len(gmail.drafts(ANNA)) == 1
    return Journal(journal.notes)


@each_case
def test_at_a_look(gmail: FakeGmail, connect: Connect, case: Case) -> None:
    """A look that fails is UNCLEAR and never ABSENT (rule 21), and it sends nothing."""
    journal = drafted(gmail, connect)
    gmail.fault("get", case.fault)
    found = connect(*GRANTS["send and confirm"], timeout=case.timeout).find(submission(), journal)
    assert found.state is SightingState.UNCLEAR
    assert not found.is_final
    assert gmail.sent(ANNA) == []


@pytest.mark.parametrize("look", [Fault.CUT_BEFORE, Fault.ERROR, Fault.GARBAGE, Fault.THROTTLED])
def test_too_much_at_once_is_looked_up_first(gmail: FakeGmail, connect: Connect, look: Fault) -> None:
    """A 429 may be said of a mail that was sent: where the look fails, nobody knows (rule 20)."""
    gmail.fault("drafts.send", Fault.THROTTLED, retry_after=7)
    gmail.fault("get", look)
    with pytest.raises(OutcomeUnknown, match="too much at once"):
        connect(*GRANTS["send and confirm"]).send(submission(), Journal())


def test_a_429_behind_which_it_was_sent_is_unknown(gmail: FakeGmail, connect: Connect) -> None:
    """The draft is gone."""
    gmail.fault("drafts.send", answered(429, "rateLimitExceeded", processed=True))
    message, journal = submission(), Journal()
    made = connect(*GRANTS["send and confirm"])
    with pytest.raises(OutcomeUnknown, match="its draft is gone"):
        made.send(message, journal)
    assert made.find(message, journal).state is SightingState.UNCLEAR
    assert len(gmail.sent(ANNA)) == 1


@pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))
def test_how_long_to_wait_is_told(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """By the header, and by the time that stands in the text alone."""
    for step in ("draft", "messages.send"):
        gmail.fault(step, Fault.THROTTLED, retry_after=7)
        gmail.fault(step, Fault.THROTTLED)
    made = connect(*scopes)
    waits = []
    for _ in range(2):
        with pytest.raises(SendDeferred) as caught:
            made.send(submission(), Journal())
        waits.append(caught.value.retry_after or 0)
    assert 7 <= waits[0] < 9
    assert 890 < waits[1] <= 900


def test_what_was_handed_over_and_is_gone_is_not_sent_again(gmail: FakeGmail, connect: Connect) -> None:
    """The same attempt, asked to go on: nobody has looked in between."""
    gmail.fault("drafts.send", Fault.CUT_AFTER)
    message, journal = submission(), Journal()
    made = connect(*GRANTS["send and confirm"])
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            made.send(message, journal)
    assert len(gmail.sent(ANNA)) == 1


def test_a_draft_that_is_gone_is_a_person_s_to_judge(gmail: FakeGmail, connect: Connect) -> None:
    """Whoever saw it in Drafts may have sent it by hand: it is held, and sent again when somebody says so."""
    made, message, journal = connect(*GRANTS["send and confirm"]), submission(), Journal({"draft": "r-404"})
    with pytest.raises(OutcomeUnknown, match="or somebody deleted it"):
        made.send(message, journal)
    assert not journal.handed_over
    found = made.find(message, Journal(journal.notes))
    assert (found.state, found.is_final) == (SightingState.UNCLEAR, True)
    assert isinstance(made.send(message, Journal(journal.notes)), Receipt)
    assert len(gmail.sent(ANNA)) == 1


def test_a_draft_that_is_deleted_at_the_last_moment(gmail: FakeGmail, connect: Connect) -> None:
    """Gmail says that there is none: nothing left, and the next attempt makes another."""
    gmail.fault("drafts.send", answered(404, "notFound"))
    message, journal = submission(), Journal()
    made = connect(*GRANTS["send and confirm"])
    with pytest.raises(SendDeferred, match="deleted before it was sent"):
        made.send(message, journal)
    assert isinstance(made.send(message, Journal(journal.notes)), Receipt)
    assert len(gmail.sent(ANNA)) == 1
    assert gmail.drafts(ANNA) == []


def test_an_earlier_draft_that_goes_at_the_last_moment_is_unknown(gmail: FakeGmail, connect: Connect) -> None:
    """It may have been sent by the earlier attempt, late."""
    journal = drafted(gmail, connect)
    gmail.fault("drafts.send", answered(404, "notFound"))
    with pytest.raises(OutcomeUnknown, match="its draft is gone"):
        connect(*GRANTS["send and confirm"]).send(submission(), journal)


def test_a_refused_message_leaves_no_draft(gmail: FakeGmail, connect: Connect) -> None:
    """Nor a note of it: a later attempt begins anew."""
    gmail.fault("drafts.send", answered(400, "invalidArgument", "Invalid To header"))
    journal = Journal()
    with pytest.raises(SendRejected, match="a recipient's address is not accepted"):
        connect(*GRANTS["send and confirm"]).send(submission(), journal)
    assert gmail.drafts(ANNA) == []
    assert journal.notes == {"draft": ""}


def test_a_draft_that_can_t_be_deleted_is_left(gmail: FakeGmail, connect: Connect) -> None:
    """What was refused was refused."""
    gmail.fault("drafts.send", answered(413, "uploadTooLarge"))
    gmail.fault("delete", Fault.CUT_BEFORE)
    with pytest.raises(SendRejected):
        connect(*GRANTS["send and confirm"]).send(submission(), Journal())
    assert len(gmail.drafts(ANNA)) == 1


def test_an_answer_that_is_not_gmail_s_own_condemns_no_message(gmail: FakeGmail, connect: Connect) -> None:
    """A proxy on the way says 403 too."""
    made = connect(*GRANTS["send only"])
    made.app = app(gmail, api=f"{gmail.url}/elsewhere")
    with pytest.raises(SendDeferred, match="in the place of Gmail's own"):
        made.send(submission(), Journal())


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.GARBAGE, Fault.HANG, Fault.UNAUTHORIZED], ids=str)
def test_errors_come_from_nothing_that_holds_the_request(
    gmail: FakeGmail, connect: Connect, scopes, fault: Fault
) -> None:
    """Those of requests carry it, with its token: none of them is in the chain."""
    for step in ("drafts.send", "messages.send"):
        gmail.fault(step, fault, times=2)
    with pytest.raises(PillarboxError) as caught:
        connect(*scopes, timeout=2.0 if fault is Fault.HANG else 20.0).send(submission(), Journal())
    assert {type(one).__module__.partition(".")[0] for one in chain(caught.value)} <= {
        "pillarbox",
        "pillarbox_gmail",
    }
