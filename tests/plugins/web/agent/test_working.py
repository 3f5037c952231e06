"""A worker at a desk, over a real line, and over one that breaks."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import threading
import time

import attrs
import pytest
import trustme

from pillarbox import SendDeferred, SignInNeeded, State
from pillarbox._agent import tokens
from pillarbox.agent import Agent, wire
from tests.plugins.web.agent.office import Program, at_desk, office, plugins, until


def test_mail_of_a_desk_goes_from_its_computer(acme, program):
    """Whole, by the account that the server names, with nothing of the server's own."""
    keys = [acme.write() for _ in range(3)]
    others = acme.write("otto")
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.states(*keys) == [State.ACCEPTED] * 3)
    assert sorted(program.sent) == sorted(keys)
    kept = acme.mailer.queue.get(keys[0]).submission
    assert program.contents[keys[0]] == kept.content_with_bcc()
    assert b"Bcc: books@acme.example" in program.contents[keys[0]]
    assert acme.state(others) is State.QUEUED
    receipt = acme.mailer.queue.get(keys[0]).receipt
    assert receipt.sender == "anna@acme.example"


def test_it_hears_of_new_mail(acme, program):
    """Without asking all the time."""
    with at_desk(acme.url, acme.token(), program):
        until(lambda: wire.WAIT in acme.calls)
        time.sleep(2.5)
        asked = acme.calls.count(wire.CLAIM)
        key = acme.write()
        until(lambda: acme.state(key) is State.ACCEPTED)
    assert asked <= 4


def test_it_drains(acme, program):
    """And is told how its desk stands."""
    keys = [acme.write() for _ in range(2)]
    with Agent(acme.url, acme.token(), plugins=plugins(program)) as agent:
        desk = agent.enter()
        assert (desk.user, desk.name) == ("anna", "Anna Berg")
        assert agent.status().waiting == 2
        agent.worker(desk).run(drain=True)
        told = agent.status()
    assert acme.states(*keys) == [State.ACCEPTED] * 2
    assert (told.waiting, told.held, told.exit_code) == (0, 0, 0)


def test_what_was_sent_while_the_server_was_away_is_told_when_it_is_back(acme, program):
    """Also where the server has taken the worker for dead meanwhile."""
    key = acme.write()

    def inside():
        acme.faults = lambda _: "before"

    program.inside = inside
    with at_desk(acme.url, acme.token(), program) as (_, worker):
        until(lambda: program.sent == [key])
        until(lambda: worker.counted.get(State.ACCEPTED))
        assert acme.state(key) is State.ATTEMPTING
        acme.mailer.queue.take(  # as after the lease
            [_unknown(acme.mailer.queue.get(key))]
        )
        acme.faults = lambda _: ""
        until(lambda: acme.state(key) is State.ACCEPTED)
    assert program.sent == [key]
    assert acme.mailer.queue.get(key).receipt.sender == "anna@acme.example"


def _unknown(entry):
    from pillarbox._outbox import steps

    return steps.after_death(entry, entry.changed_at.replace(year=2099))  # no look comes before the word


def test_a_computer_whose_clock_is_wrong_sends_all_the_same(acme, program, monkeypatch):
    """A day ahead: nothing is refused as too late, and the receipt says when by the server's clock."""
    from pillarbox._agent import outbox as at_the_desk

    begins = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(at_the_desk, "now", lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    real = at_the_desk.AgentOutbox._by_its_clock
    monkeypatch.setattr(
        at_the_desk.AgentOutbox,
        "_by_its_clock",
        lambda self, step: real(self, _a_day_ahead(step)),
    )
    key = acme.write(not_after=begins + dt.timedelta(minutes=5))
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.state(key) is State.ACCEPTED)
    at = acme.mailer.queue.get(key).receipt.at
    assert begins - dt.timedelta(seconds=5) < at < dt.datetime.now(dt.UTC)


def _a_day_ahead(step):
    """The step as a desk makes it whose clock is a day ahead."""
    if step.receipt is None:
        return step
    return attrs.evolve(step, receipt=attrs.evolve(step.receipt, at=step.receipt.at + dt.timedelta(days=1)))


def test_leave_to_hand_over_that_comes_too_late_is_not_used(acme, program):
    """A computer that slept in between may have been taken for dead."""
    key = acme.write()
    with Agent(acme.url, acme.token(), plugins=plugins(program)) as agent:
        desk = agent.enter()
        ticks = itertools.count(step=60.0)
        agent._outbox._elapsed = lambda: next(ticks)
        agent.worker(desk).run(drain=True)
        assert program.sent == []
        assert acme.state(key) in {State.DEFERRED, State.QUEUED}
        assert "too late" in acme.mailer.queue.history(key)[-1].reason or acme.state(key) is State.QUEUED


def test_a_worker_that_is_silent_is_taken_for_dead(tmp_path, program, monkeypatch):
    """What it had and did not begin goes back; what it handed over is looked for, and sent by nobody twice."""
    monkeypatch.setattr(wire, "LEASE", 1.0)
    monkeypatch.setattr(tokens, "USED_EVERY", dt.timedelta(seconds=0.1))
    sent, goes_on = threading.Event(), threading.Event()

    def outside():
        sent.set()
        goes_on.wait(30)

    program.outside = outside
    with office(tmp_path) as acme:
        keys = [acme.write() for _ in range(2)]
        with at_desk(acme.url, acme.token(), program):
            assert sent.wait(10)
            acme.faults = lambda _: "before"  # the computer has lost its network
            until(lambda: acme.state(keys[1]) is State.CLAIMED)
            time.sleep(2.5)
            acme.faults = lambda _: ""
            other = Program(sent=program.sent)  # the same mailbox, at the user's other computer
            with at_desk(acme.url, acme.token(label="the desk"), other):
                until(lambda: acme.states(*keys) == [State.ACCEPTED] * 2)
            goes_on.set()
        assert "A look found that it was sent." in str(acme.mailer.queue.history(keys[0]))
    assert sorted(program.sent) == sorted(keys)


def test_it_speaks_tls_and_trusts_whom_it_is_told_to(tmp_path, program):
    """A server's certificate is checked against the system's authorities, or the file's."""
    authority = trustme.CA()
    context = tmp_path / "server.pem"
    certificate = authority.issue_cert("localhost")
    context.write_bytes(
        certificate.private_key_pem.bytes() + b"".join(one.bytes() for one in certificate.cert_chain_pems)
    )
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    with office(tmp_path, certificate=context) as acme:
        url = acme.url.replace("http://127.0.0.1", "https://localhost")
        with Agent(url, acme.token(), plugins=plugins(program)) as stranger:
            with pytest.raises(SendDeferred, match="certificate is not trusted") as caught:
                stranger.enter()
            assert "--ca-file" in caught.value.cure
        key = acme.write()
        with Agent(url, acme.token(), ca_file=str(trusted), plugins=plugins(program)) as agent:
            agent.worker(agent.enter()).run(drain=True)
        assert acme.state(key) is State.ACCEPTED


def test_a_token_that_is_revoked_ends_the_worker(acme, program):
    """It stops by itself, and says why."""
    token = acme.token()
    with at_desk(acme.url, token, program) as (agent, worker):
        acme.tokens.revoke(acme.tokens.list("anna", "company")[0].id, "anna", "company")
        acme.write()
        worker.join(25)
        assert isinstance(agent.ended, SignInNeeded)
        assert "does not know this token" in str(agent.ended)
    assert program.sent == []


def test_another_run_with_the_same_token_takes_over(acme, program):
    """The first ends, so that two never take turns."""
    token, second = acme.token(), Program()
    with at_desk(acme.url, token, program) as (agent, worker), at_desk(acme.url, token, second):
        key = acme.write()
        until(lambda: second.sent == [key])
        worker.join(25)
        assert "took over" in str(agent.ended)
    assert program.sent == []


def test_a_run_that_is_displaced_in_the_middle_says_what_it_sent(acme, program):
    """What keeps its note behind the hand-over from being told is no refusal of the mail."""
    token, key = acme.token(), acme.write()
    program.notes_behind = True
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(Agent(acme.url, token, plugins=plugins(program)))
        program.outside = other.enter  # between Send and its note
        with at_desk(acme.url, token, program):
            until(lambda: acme.state(key) is State.ACCEPTED)
    assert program.sent == [key]
    assert "looked" not in str(acme.mailer.queue.history(key))
    assert acme.mailer.queue.get(key).receipt.sender == "anna@acme.example"


def test_settings_of_the_deployer_s_are_not_the_server_s_to_say(tmp_path, program):
    """A server can have no program started on a user's computer, and gives away no secret."""
    with office(tmp_path, profile="Work", command="calc.exe", password={"env": "HOME"}) as acme:
        key = acme.write()
        with at_desk(acme.url, acme.token(), program):
            until(lambda: acme.state(key) is State.ACCEPTED)
    (settings,) = set(program.settings)
    assert (settings.profile, settings.command, settings.password) == ("Work", "", None)


def test_mail_written_for_an_account_that_has_changed_is_held(acme, program):
    """Rule 27, also at a desk."""
    key = acme.write()
    company = acme.mailer.directory.look_up(None)[0]
    from pillarbox import Actor, Role

    acme.mailer.directory.save(
        attrs.evolve(company, address="sales@acme.example"),
        version=company.version,
        by=Actor("petra", Role.DEPLOYER),
    )
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.state(key) is State.HELD)
    assert program.sent == []


def test_a_pause_stops_the_hand_over(acme, program):
    """Of mail that was claimed before it."""
    from pillarbox.outbox import Pause

    key = acme.write()
    scope = f"lane:{acme.mailer.queue.get(key).account}"
    program.before = lambda: acme.mailer.queue.pause(Pause(scope=scope, reason="Wait for me", by="petra"))
    with at_desk(acme.url, acme.token(), program):
        until(lambda: acme.mailer.queue.get(key).attempts or program.settings)
        until(lambda: acme.state(key) is State.QUEUED)
        assert program.sent == []
        program.before = lambda: None
        acme.mailer.queue.resume(scope)
        until(lambda: acme.state(key) is State.ACCEPTED)
    assert "Wait for me" in str(acme.mailer.queue.history(key))
