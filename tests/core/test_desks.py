"""Mail that a mail program carries: each user's own, on their computer, whoever owns the account."""

from __future__ import annotations

import datetime as dt

import pytest

from pillarbox import Company, Mailer, MemoryDirectory, SenderPolicy, SettingsError, State, User
from pillarbox.outbox import OutboxSettings, Pause, Wanted, desk_of
from tests.core.doubles import LETTER, ClientSettings, KeptOutbox, plugins, slow

QUICK = OutboxSettings(shortest_wait=0.02, longest_wait=0.05)
ANNA = User(id="anna", address="anna@acme.example", name="Anna Berg")
OTTO = User(id="otto", address="otto@acme.example", name="Otto Lind", choice="personal", method="outlook")
BERT = User(id="bert", address="bert@acme.example", name="Bert Ohm")


def outlook(**attributes):
    """Return a method that is a mail program, and records what it carried."""
    more = {"settings": ClientSettings, "__annotations__": {"settings": ClientSettings}}
    return slow(sender_policy=SenderPolicy.CLIENT, label="Outlook", **more, **attributes)


def office(method=None, **table):
    """Return a mailer with an outbox: the company sends by Outlook, and Otto by his own."""
    company = Company(address="orders@acme.example", method="outlook", methods={"outlook": table})
    found = MemoryDirectory(company, [ANNA, OTTO, BERT], plugins=plugins(outlook=method or outlook()))
    return Mailer(found, outbox=KeptOutbox(QUICK), queue=QUICK)


def states(mailer, *keys):
    return [mailer.queue.get(key).state for key in keys]


def test_each_user_has_a_lane_of_the_companys():
    """And an own account is at its owner's desk."""
    mailer = office()
    lanes = [mailer.explain(user).account.key for user in ("anna", "bert", "otto")]
    assert lanes == [
        "company/company/outlook/anna",
        "company/company/outlook/bert",
        "company/user:otto/outlook/otto",
    ]
    assert [desk_of(lane) for lane in lanes] == ["anna", "bert", "otto"]
    assert "on the computer of Anna Berg" in str(mailer.explain("anna").reasons)


def test_a_worker_for_all_leaves_it_to_the_desks():
    """It would send from whatever Outlook stands there."""
    mailer = office()
    keys = [mailer.enqueue(LETTER, user=user).key for user in ("anna", "bert", "otto")]
    mailer.worker().run(drain=True)
    assert states(mailer, *keys) == [State.QUEUED] * 3
    mailer.worker(user="anna").run(drain=True)
    assert states(mailer, *keys) == [State.ACCEPTED, State.QUEUED, State.QUEUED]
    mailer.worker(user="otto", methods=["outlook"]).run(drain=True)
    assert states(mailer, *keys) == [State.ACCEPTED, State.QUEUED, State.ACCEPTED]


def test_mail_of_nobody_needs_a_desk():
    """One that the settings name, whose worker takes it too."""
    with pytest.raises(SettingsError, match="no user writes this") as caught:
        office().explain()
    assert "company set --desktop-user USER" in caught.value.cure
    mailer = office(desktop_user="bert")
    key = mailer.enqueue(LETTER).key
    assert mailer.explain().automatic
    mailer.worker(user="anna").run(drain=True)
    assert states(mailer, key) == [State.QUEUED]
    mailer.worker(user="bert").run(drain=True)
    assert states(mailer, key) == [State.ACCEPTED]


def test_an_address_that_has_to_match_is_known_before_the_mail_program_is_asked():
    """Else it decides; require_match says that it may not."""
    assert office().explain("anna").from_address is None
    assert office(require_match=True).explain("anna").from_address.address == "anna@acme.example"


def test_what_is_in_doubt_is_looked_for_at_its_desk():
    """Another worker would find no mail program, and have it held."""
    mailer = office()
    key = mailer.enqueue(LETTER, user="anna").key
    annas = Wanted(worker=mailer.queue.enter("worker"), users=frozenset({"anna"}))
    (entry,) = mailer.queue.claim(annas)
    with mailer.queue.journal(entry).handing_over():
        mailer.queue.leave(annas.worker)
    mailer.worker(user="bert").run(drain=True)
    assert states(mailer, key) == [State.UNKNOWN]
    mailer.worker(user="anna").run(drain=True)
    assert states(mailer, key) == [State.HELD]  # this double can't look


def test_the_status_says_at_whose_computer_nobody_works():
    """Whatever other workers are alive."""
    mailer = office()
    mailer.enqueue(LETTER, user="anna")
    mailer.queue.enter("worker")
    past = mailer.queue.clock
    mailer.queue.clock = lambda: past() + dt.timedelta(minutes=3)
    (one,) = [one for one in mailer.status() if desk_of(one.account) == "anna"]
    assert one.kind == "no-worker"
    assert one.sentence == (
        "Nobody works at the computer of Anna Berg. Start it there: pillarbox worker --user anna."
        " 1 mail waits, nothing is lost."
    )


def test_a_paused_desk_without_mail_is_told_of():
    """Its key has a part more than others."""
    mailer = office()
    mailer.queue.pause(Pause(scope="lane:company/company/outlook/anna", reason="Outlook is away."))
    (one,) = [one for one in mailer.status() if one.account.endswith("/anna")]
    assert (one.owner, one.method) == ("company", "outlook")
    assert "Outlook is away." in one.sentence
