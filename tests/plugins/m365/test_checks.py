"""What `check` finds, stage by stage."""

from __future__ import annotations

import re

import pytest

from pillarbox import Address, Level, Route
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import checks, findings
from tests.plugins.m365.givens import ANNA, SEND, Holder, transport

CODES = findings.finding_codes()


def found(graph: FakeGraph, **given: object) -> dict[str, str]:
    """Return the codes by stage."""
    with transport(graph, **given) as one:
        all_of_it = list(one.check())
    assert {finding.code for finding in all_of_it} <= CODES.keys()
    return {finding.stage: finding.code for finding in all_of_it}


def test_all_is_well(graph: FakeGraph) -> None:
    """And nothing was changed."""
    assert found(graph) == {
        "token": "token-given",
        "mailbox": "mailbox-reached",
        "sender": "sender-own",
        "limits": "limits-by-draft",
    }
    assert {request.method for request in graph.requests} == {"GET"}


def test_who_may_only_send_does_not_look(graph: FakeGraph) -> None:
    """The mailbox is not asked, and it is said what that means."""
    told = found(graph, scopes=SEND)
    assert (told["mailbox"], told["limits"]) == ("mailbox-not-asked", "limits-at-once")
    assert graph.requests == []


def test_another_address_is_not_proven(graph: FakeGraph) -> None:
    """Only sending tells whether it may be shown."""
    with transport(graph) as one:
        assert one.account is not None
        one.route = Route(account=one.account, from_address=Address(ANNA), envelope_sender=ANNA)
        (sender,) = [finding for finding in one.check() if finding.stage == "sender"]
    assert (sender.code, sender.level) == ("sender-unproven", Level.WARN)
    assert "Send As" in sender.cure


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Answer(403, "ErrorAccessDenied"), "mailbox-refused"),
        (Answer(404, "MailboxNotEnabledForRESTAPI"), "mailbox-refused"),
        (Fault.UNAUTHORIZED, "mailbox-refused"),
        (Fault.UNAVAILABLE, "mailbox-unreachable"),
        (Fault.THROTTLED, "mailbox-unreachable"),
        (Fault.CUT_BEFORE, "mailbox-unreachable"),
    ],
    ids=str,
)
def test_a_mailbox_that_can_not_be_used(graph: FakeGraph, fault: Fault | Answer, code: str) -> None:
    """What lies behind is not reached."""
    graph.fault("get", fault, times=9)
    told = found(graph)
    assert told["mailbox"] == code
    assert told["sender"] == told["limits"] == "not-reached"


def test_an_account_that_was_never_connected(graph: FakeGraph) -> None:
    """It is the first thing that is told."""

    class Nothing(Holder):
        def update(self, change):
            return None

    told = found(graph, credentials=Nothing("t"))
    assert told["token"] == "token-refused"
    assert set(told.values()) == {"token-refused", "not-reached"}


def test_codes_are_stable_names() -> None:
    """Each code is in kebab case and has a sentence."""
    assert list(CODES) == sorted(CODES)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in CODES)
    assert all(re.fullmatch(r"[A-Z].*\.", told) for told in CODES.values())


def test_the_stages_are_those_that_are_told(graph: FakeGraph) -> None:
    """In their order; none is core's, which tells of registration, sign-in and grant."""
    assert not {"registration", "sign-in", "grant"} & set(checks.STAGES)
    assert tuple(found(graph)) == checks.STAGES


def test_graph_tells_its_clock(graph: FakeGraph) -> None:
    """Every answer has a Date (RFC 9110 6.6.1)."""
    with transport(graph) as one:
        list(one.check())
        assert one.clock_skew is not None
        assert abs(one.clock_skew.total_seconds()) < 60
