"""Simple MAPI from the host's side, by the real worker process: each answer's error, crashes, deadlines, one mail at most."""

from __future__ import annotations

import time

import pytest

from pillarbox import (
    Account,
    Attachment,
    Journal,
    MessageError,
    OutcomeUnknown,
    Route,
    SenderMismatch,
    SettingsError,
    SightingState,
    Unavailable,
)
from pillarbox_mapi import Interface
from pillarbox_mapi.simple_codes import MEANINGS
from tests.plugins.mapi.world import ANNA, World, submission

COMPANY = Route(account=Account(owner="company", method="mapi"), from_address=None)


def by_program(world, owner="company", mailbox="orders@acme.example", **settings):
    return world.transport(owner, mailbox, interface=Interface.SIMPLE, **settings)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("simple"))
    with by_program(world) as transport:
        yield world, transport


def test_a_letter_goes_and_the_receipt_names_the_program(tmp_path):
    """Its files are there until the program has answered, and gone behind it."""
    world = World(tmp_path)
    one = submission(
        COMPANY, cc="b@customer.example", bcc="c@customer.example", attachments=[Attachment("é.pdf", b"%PDF")]
    )
    with by_program(world) as transport:
        receipt = transport.send(one, Journal())
        assert list(transport.host.spool.root.iterdir()) == []
    (mail,) = world.mails
    assert mail["files"] == [["é.pdf", 0xFFFFFFFF, b"%PDF".hex()]]
    assert [kind for kind, *_ in mail["people"]] == [1, 2, 3]
    assert (receipt.sender, receipt.detail, receipt.submitted_only) == (
        "Post's own account",
        "taken by Post",
        True,
    )
    assert str(receipt.copy) == "Whether a copy is in Post is not known. Simple MAPI does not tell."


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_the_host_gets_the_error_of_each_answer(shared, code):
    """And nothing is looked for: Simple MAPI can't."""
    world, transport = shared
    world.program(code=code)
    one, journal, before = submission(COMPANY), Journal(), len(world.mails)
    with pytest.raises(MEANINGS[code].error) as raised:
        transport.send(one, journal)
    assert f"Simple MAPI answered {code}" in str(raised.value)
    assert (len(world.mails), journal.handed_over) == (before, True)
    assert transport.find(one, journal).state is SightingState.UNCLEAR


@pytest.mark.parametrize(("does", "sent"), [("die", 0), ("die after", 1)])
def test_a_program_that_takes_the_worker_down_leaves_the_outcome_unknown(tmp_path, does, sent):
    """Whether it sent or not; the next letter goes through a new worker."""
    world = World(tmp_path)
    world.program(do=does)
    with by_program(world) as transport:
        with pytest.raises(OutcomeUnknown):
            transport.send(submission(COMPANY), Journal())
        assert len(world.mails) == sent
        world.program()
        transport.send(submission(COMPANY), Journal())
    assert len(world.mails) == sent + 1


def test_a_program_that_stands_still_is_killed_at_the_deadline(tmp_path):
    """It runs inside the worker, so that nothing can leave later."""
    world, started = World(tmp_path), time.monotonic()
    world.program(do="stall")
    with by_program(world, send_timeout=1.0) as transport:
        with pytest.raises(OutcomeUnknown, match="The mail program did not answer in time"):
            transport.send(submission(COMPANY), Journal())
        assert list(transport.host.spool.root.iterdir()) == []
    assert time.monotonic() - started < 20
    assert world.mails == []


def test_without_a_mail_program_nothing_is_handed_over(tmp_path):
    world, journal = World(tmp_path), Journal()
    world.program(name="")
    with by_program(world) as transport, pytest.raises(Unavailable, match="no default mail program"):
        transport.send(submission(COMPANY), journal)
    assert not journal.handed_over


REFUSED = [
    ({"html": "<p>Hi</p>"}, {}, MessageError),
    ({"reply_to": [ANNA]}, {}, MessageError),
    ({}, {"profile": "Work"}, SettingsError),
    ({}, {"owner": "user:anna", "mailbox": ANNA}, SenderMismatch),
]


@pytest.mark.parametrize(("fields", "settings", "error"), REFUSED)
def test_what_can_not_be_is_refused_before_a_worker_is_started(tmp_path, fields, settings, error):
    world, journal = World(tmp_path), Journal()
    with by_program(world, **settings) as transport:
        with pytest.raises(error):
            transport.send(submission(COMPANY, **fields), journal)
        assert transport._opened is None
    assert (journal.handed_over, world.mails) == (False, [])


def test_a_personal_account_sends_where_its_owner_says_who_the_program_is(tmp_path):
    world = World(tmp_path)
    with by_program(world, "user:anna", ANNA, account=ANNA) as transport:
        transport.send(submission(COMPANY), Journal())
    assert len(world.mails) == 1


def test_a_receipt_says_what_was_left_out(tmp_path):
    world = World(tmp_path)
    with by_program(world, lossy=True) as transport:
        receipt = transport.send(submission(COMPANY, html="<p>Hi</p>", reply_to=[ANNA]), Journal())
    assert receipt.detail == "taken by Post, without the HTML and an address for answers"
    assert [mail["text"] for mail in world.mails] == ["Good morning\r\n"]
