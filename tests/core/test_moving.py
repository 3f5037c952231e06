"""A changed account: what waits is listed, and moved only where it looks the same and can't have been sent."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from pillarbox import (
    Company,
    Mailer,
    MemoryDirectory,
    Message,
    OutboxError,
    OutcomeUnknown,
    SendDeferred,
    State,
    User,
)
from pillarbox.outbox import OutboxSettings, Pause
from tests.core.doubles import DEPLOYER, LETTER, KeptOutbox, plugins, slow

QUICK = OutboxSettings(shortest_wait=30, longest_wait=60)


def desk(old=None, new=None, **company):
    """Return a mailer with an outbox, whose company sends by `oldmail`, and knows `newmail`."""
    first = Company(address="orders@acme.example", method="oldmail", **company)
    anna = User(id="anna", address="anna@acme.example")
    found = plugins(oldmail=old or slow(), newmail=new or slow())
    return Mailer(MemoryDirectory(first, [anna], plugins=found), outbox=KeptOutbox(QUICK), queue=QUICK)


def change(mailer, **fields):
    """Save the company with other settings."""
    company, _ = mailer.directory.look_up(None)
    mailer.directory.save(attrs.evolve(company, **fields), version=company.version, by=DEPLOYER)


def raising(error, *, inside=False):
    """Return a method that ends in *error*, before the hand-over or in it."""

    def send(self, submission, journal):
        if inside:
            with journal.handing_over():
                raise error
        raise error

    return slow(send=send)


def test_nothing_is_stranded_while_the_account_is_the_same():
    """What waits goes."""
    mailer = desk()
    mailer.enqueue(LETTER)
    assert mailer.stranded() == []


def test_what_waits_moves_to_the_new_method_with_its_bytes():
    """And is sent by it, once."""
    new = slow()
    mailer = desk(new=new)
    entry = mailer.enqueue(LETTER, user="anna")
    change(mailer, method="newmail")
    (one,) = mailer.stranded()
    assert one.can_move
    moved = mailer.move(one.entry.key, by="root")
    assert (moved.account, moved.method, moved.state) == ("company/company/newmail", "newmail", State.QUEUED)
    assert moved.submission.content == entry.submission.content
    mailer.worker().run(drain=True)
    assert new.accepted == [entry.key]
    assert mailer.stranded() == []
    assert mailer.queue.history(entry.key)[0].by == "root"


def test_what_was_deferred_can_move_too():
    """An answer was no."""
    mailer = desk(old=raising(SendDeferred("450", stage="recipient")))
    key = mailer.enqueue(LETTER).key
    mailer.worker().run(drain=True)
    change(mailer, method="newmail")
    assert mailer.stranded()[0].can_move
    assert mailer.move(key).notes == {}


def test_what_may_have_been_sent_stays():
    """Also when a person holds it."""
    mailer = desk(old=raising(OutcomeUnknown("the line broke"), inside=True))
    key = mailer.enqueue(LETTER).key
    mailer.worker().run(drain=True)
    change(mailer, method="newmail")
    (one,) = mailer.stranded()
    assert one.why_not == "It may have been sent."
    with pytest.raises(OutboxError, match="may have been sent"):
        mailer.move(key)


def test_what_would_show_another_address_stays():
    """The company's address has changed."""
    mailer = desk()
    mailer.enqueue(LETTER)
    change(mailer, address="sales@acme.example")
    (one,) = mailer.stranded()
    assert one.why_not == "It shows orders@acme.example; the account would show sales@acme.example."


def test_what_a_worker_held_for_a_changed_account_can_move():
    """Nothing of it was begun."""
    mailer = desk()
    key = mailer.enqueue(LETTER).key
    change(mailer, method="newmail")
    mailer.worker().run(drain=True)
    assert mailer.queue.get(key).state is State.HELD
    assert mailer.move(key).state is State.QUEUED


def test_what_asks_for_more_than_the_new_method_knows_stays():
    """Options are a method's own."""
    old = slow()
    old.options = attrs.make_class("Extras", {"x": attrs.field(type=int, default=0)})
    mailer = desk(old=old)
    mailer.enqueue(Message(to="b@customer.example", subject="s", text="t", options={"oldmail": {"x": 1}}))
    change(mailer, method="newmail")
    assert mailer.stranded()[0].why_not == "It asks for something that only oldmail does."


def test_what_is_scheduled_keeps_its_time():
    """A change of account is no reason to leave earlier."""
    mailer = desk()
    later = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=2)
    key = mailer.enqueue(LETTER, not_before=later).key
    change(mailer, method="newmail")
    assert mailer.move(key).due_at == later


def test_a_user_who_is_renamed_takes_along_what_waits():
    """Account, pauses and history; it is sent."""
    method = slow()
    mailer = desk(old=method)
    otto = User(id="otto", address="otto@acme.example", choice="personal", method="oldmail")
    mailer.directory.save(otto, version="", by=DEPLOYER)
    key = mailer.enqueue(LETTER, user="otto").key
    mailer.queue.pause(Pause(scope="lane:company/user:otto/oldmail", reason="535", kind="sign-in"))
    mailer.queue.pause(Pause(scope="user:company/otto", reason="look", by="root"))
    mailer.rename_user("otto", "otto.lind", by=DEPLOYER)
    assert {pause.scope for pause in mailer.queue.pauses()} == {
        "lane:company/user:otto.lind/oldmail",
        "user:company/otto.lind",
    }
    for pause in mailer.queue.pauses():
        mailer.queue.resume(pause.scope)
    mailer.worker().run(drain=True)
    entry = mailer.queue.get(key)
    assert (entry.state, entry.user, entry.owner) == (State.ACCEPTED, "otto.lind", "user:otto.lind")


def test_nothing_moves_while_a_worker_has_it():
    """Whoever decided on what has moved on is told."""
    mailer = desk()
    entry = mailer.enqueue(LETTER)
    change(mailer, method="newmail")
    account = mailer.explain().account
    stale = attrs.evolve(entry, fence=7)
    assert mailer.queue.re_point(stale, account, "moved") is False
    assert mailer.queue.get(entry.key).method == "oldmail"


@pytest.mark.parametrize(
    ("kind", "goes_on"), [("sign-in", True), ("settings", True), ("person", False), ("burst", False)]
)
def test_mended_settings_go_on_by_themselves(kind, goes_on):
    """But not what a person paused, or too much mail."""
    mailer = desk()
    mailer.queue.pause(Pause(scope="lane:company/company/oldmail", reason="535", kind=kind))
    mailer.queue.pause(Pause(scope="lane:company/user:anna/oldmail", reason="535", kind="sign-in"))
    company, _ = mailer.directory.look_up(None)
    assert bool(mailer.mended(company)) is goes_on
    assert "lane:company/user:anna/oldmail" in {pause.scope for pause in mailer.queue.pauses()}
