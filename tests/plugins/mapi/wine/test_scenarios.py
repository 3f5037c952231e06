"""The scenarios that run in memory, by real COM: the worker in a Windows Python, Outlook in a process of its own."""

from __future__ import annotations

import pytest

from pillarbox import Account, Attachment, Journal, OutcomeUnknown, PillarboxError, Route, SightingState
from pillarbox.testing.outlook import FakeOutlook, Fault
from tests.plugins.mapi.scenarios import SCENARIOS, Scenario
from tests.plugins.mapi.world import BOTH, submission

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook")]
MAILBOX = {"company": "orders@acme.example", "user:anna": "anna@acme.example"}
LEAST = {"attach_timeout": 6.0, "call_timeout": 4.0, "send_timeout": 4.0}
"""Seconds: under Wine a worker takes one to start."""


def letter(owner: str = "company", **fields: object):
    return submission(Route(account=Account(owner=owner, method="mapi"), from_address=None), **fields)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_what_outlook_does_ends_as_it_must(at_desk: Desk, scenario: Scenario) -> None:
    """The same list, the same expectations."""
    at_desk.world(
        FakeOutlook(
            scenario.accounts,
            faults=scenario.faults,
            guard=scenario.guard,
            unresolvable=scenario.unresolvable,
        )
    )
    limits = {name: max(float(scenario.settings.get(name, 0)), least) for name, least in LEAST.items()}
    journal, one = Journal(), letter(scenario.owner, **scenario.fields)
    made = at_desk.transport(scenario.owner, MAILBOX[scenario.owner], **{**scenario.settings, **limits})
    with made as transport:
        try:
            outcome = transport.send(one, journal)
        except PillarboxError as error:
            outcome = error
        assert (type(outcome), len(at_desk.outlook().sent)) == (scenario.ends, scenario.sent), outcome
        assert scenario.says in str(outcome)
        if scenario.look:
            assert transport.find(one, journal).state.value == scenario.look
    assert len(at_desk.outlook().sent) == scenario.sent


def test_a_send_that_outlasts_its_worker_is_unknown_and_then_found(at_desk: Desk) -> None:
    """The worker is killed at the deadline; Outlook goes on, and the mail leaves later."""
    at_desk.world(FakeOutlook(BOTH, faults=[Fault("MailItem", "Send", "stall", seconds=5.0)]))
    journal, one = Journal(), letter()
    with at_desk.transport("company", MAILBOX["company"], **{**LEAST, "send_timeout": 2.0}) as transport:
        with pytest.raises(OutcomeUnknown):
            transport.send(one, journal)
        assert at_desk.outlook().sent == []
    with at_desk.transport("company", MAILBOX["company"], attach_timeout=20.0) as another:
        assert another.find(one, journal).state is SightingState.SENT
    assert len(at_desk.outlook().sent) == 1


def test_a_message_arrives_whole(at_desk: Desk) -> None:
    """Names and texts of several scripts, files with their octets, an inline image by its id, blind copies."""
    at_desk.world(FakeOutlook(BOTH))
    image = Attachment(
        "logo.png", bytes(range(256)), content_type="image/png", inline=True, content_id="logo"
    )
    files = [Attachment("Rechnung 1001 – größer €.pdf", b"%PDF" + bytes(range(256))), image]
    one = submission(
        Route(account=Account(owner="company", method="mapi"), from_address=None),
        to=["Zoë Müller <zoe@customer.example>"],
        cc=["office@customer.example"],
        bcc=["hidden@customer.example"],
        subject="発票 1001 – größer €",
        text="Grüße",
        html='<p>Grüße <img src="cid:logo"></p>',
        attachments=files,
    )
    with at_desk.transport("company", MAILBOX["company"]) as transport:
        transport.send(one, Journal())
    (mail,) = at_desk.outlook().sent
    assert (mail.subject, mail.account) == ("発票 1001 – größer €", "orders@acme.example")
    assert "Grüße" in mail.html
    assert {(person.kind, person.address) for person in mail.recipients} == {
        (1, "zoe@customer.example"),
        (2, "office@customer.example"),
        (3, "hidden@customer.example"),
    }
    assert [file.content_id for file in mail.files if file.name == "logo.png"] == ["logo"]
    assert {file.name: file.content for file in mail.files} == {file.filename: file.content for file in files}
