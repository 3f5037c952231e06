"""How accounts stand: one sentence for each, and nothing of other users' mail."""

from __future__ import annotations

import datetime as dt

import pytest

from pillarbox import AccountState, Company, Mailer, MemoryDirectory, SettingsError, SignInNeeded, User
from pillarbox.outbox import OutboxSettings, Pause
from tests.core.doubles import LETTER, KeptOutbox, directory, plugins, slow

QUICK = OutboxSettings(shortest_wait=0.02, longest_wait=0.05)


def desk(method=None, settings=QUICK, **more):
    """Return a mailer with an outbox, for a company, Anna, and Otto with an account of his own."""
    company = Company(address="orders@acme.example", method="slowmail")
    anna = User(id="anna", address="anna@acme.example", name="Anna Berg")
    otto = User(
        id="otto", address="otto@acme.example", name="Otto Lind", choice="personal", method="slowmail"
    )
    found = MemoryDirectory(company, [anna, otto], plugins=plugins(slowmail=method or slow()))
    return Mailer(found, outbox=KeptOutbox(settings, **more), queue=settings)


def only(statuses):
    """Return the one status."""
    (one,) = statuses
    return one


def test_an_account_with_nothing_to_do_is_working():
    """Also without an outbox."""
    mailer = Mailer(directory())
    one = only(mailer.status())
    assert (one.state, one.sentence, one.exit_code) == (AccountState.WORKING, "Working. Nothing waits.", 0)
    assert mailer.health().exit_code == 0


def test_a_refused_sign_in_names_who_has_to_sign_in():
    """And says that nothing is lost."""
    method = slow()

    def refuse(self, submission, journal):
        raise SignInNeeded("535 authentication failed")

    method.send = refuse
    mailer = desk(method)
    mailer.enqueue(LETTER, user="otto"), mailer.enqueue(LETTER, user="otto")
    mailer.worker().run(drain=True)
    one = only(mailer.status("otto"))
    assert (one.state, one.kind, one.exit_code, one.waiting) == (AccountState.SIGN_IN, "sign-in", 77, 2)
    assert one.sentence == (
        "Otto Lind has to sign in again. 535 authentication failed. 2 mails wait, nothing is lost."
    )


def test_a_server_that_does_not_answer_is_told_with_its_next_try():
    """Since when, why, and when it goes on."""
    now = dt.datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    mailer = desk(clock=lambda: now.astimezone(dt.UTC))
    mailer.enqueue(LETTER)
    until = now + dt.timedelta(minutes=40)
    mailer.queue.pause(
        Pause(
            scope="lane:company/company/slowmail",
            reason="The server is not answering",
            since=now,
            until=until,
            kind="server",
        )
    )
    one = mailer.status()[0]
    assert one.next_try == until
    assert one.sentence == (
        "Waiting since 12:00. The server is not answering. 1 mail waits, nothing is lost; the next try is at 12:40."
    )


def test_a_pause_is_told_with_who_and_why():
    """A person's is told before what the server said."""
    mailer = desk()
    mailer.queue.pause(Pause(scope="company:company", reason="the price list is wrong", by="root"))
    mailer.queue.pause(Pause(scope="lane:company/company/slowmail", reason="no answer", kind="server"))
    one = mailer.status()[0]
    assert (one.state, one.exit_code) == (AccountState.PAUSED, 75)
    assert one.sentence.startswith("Paused by root since ")
    assert "the price list is wrong. Nothing waits." in one.sentence


def test_what_is_held_is_the_first_that_a_monitor_hears_of_but_for_a_sign_in():
    """Beside what waits."""
    mailer = desk()
    mailer.queue.hold(mailer.enqueue(LETTER).key, "look at it first")
    mailer.enqueue(LETTER)
    one = mailer.status()[0]
    assert (one.state, one.held, one.waiting, one.exit_code) == (AccountState.HELD, 1, 1, 70)
    assert one.sentence == "1 mail waits. 1 is held for a person to decide."


def test_a_user_sees_the_company_without_what_others_wrote():
    """Counts, the oldest and the held are their own."""
    mailer = desk()
    mailer.enqueue(LETTER), mailer.queue.hold(mailer.enqueue(LETTER).key, "secret of the boss")
    mailer.enqueue(LETTER, user="otto")
    mailer.queue.pause(Pause(scope="user:company/otto", reason="only Otto's"))
    one = only(mailer.status("anna"))
    assert (one.owner, one.waiting, one.held, one.oldest) == ("company", 0, 0, None)
    assert one.state is AccountState.WORKING
    assert "boss" not in one.sentence


def test_a_user_who_is_paused_is_told_beside_the_accounts():
    """The company's account works; what they wrote waits."""
    mailer = desk()
    mailer.enqueue(LETTER, user="anna")
    mailer.queue.pause(Pause(scope="user:company/anna", reason="password stolen", by="root"))
    company, anna = mailer.status()
    assert (company.state, anna.state, anna.waiting) == (AccountState.WORKING, AccountState.PAUSED, 1)
    assert (anna.owner, mailer.health().exit_code) == ("user:anna", 75)


def test_mail_that_nobody_takes_asks_for_a_worker():
    """When it has been due for minutes, and none is alive."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    mailer = desk()
    mailer.queue.put([_put_at(mailer, past)])
    one = mailer.status()[0]
    assert (one.kind, one.exit_code) == ("no-worker", 75)
    assert "Start one: pillarbox worker." in one.sentence
    mailer.queue.enter("worker")
    assert mailer.status()[0].state is AccountState.WORKING


def _put_at(mailer, at):
    import attrs

    from pillarbox import compose
    from pillarbox._queueing import entry_of

    route = mailer.explain()
    return attrs.evolve(entry_of(compose(LETTER, route), route, LETTER), created_at=at)


def test_a_user_who_cannot_send_is_told_why():
    """With the cure."""
    mailer = Mailer(directory(users=(User(id="carl", address="carl@acme.example", choice="personal"),)))
    with pytest.raises(SettingsError, match="Personal with method None"):
        mailer.status("carl")


def test_the_health_counts_by_state_and_says_how_many_workers_live():
    """For a monitor that draws."""
    mailer = desk()
    mailer.enqueue(LETTER), mailer.enqueue(LETTER, user="otto")
    health = mailer.health()
    assert {state.value: count for state, count in health.counts.items()} == {"queued": 2}
    assert (health.workers, len(health.accounts)) == (0, 2)
    assert health.oldest is not None
