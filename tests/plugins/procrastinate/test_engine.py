"""What the engine is trusted with: who serves which lane, who is woken, and what a dead process left."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading

import psycopg
import pytest

from pillarbox import Company, Mailer, MemoryDirectory, SendDeferred, State, User
from pillarbox.outbox import OutboxSettings, Pause
from pillarbox_procrastinate._engine import Engine
from pillarbox_procrastinate._grants import Grants
from tests.core.doubles import LETTER, plugins, slow, until

pytestmark = pytest.mark.services
QUICK = OutboxSettings(shortest_wait=0.02, longest_wait=0.05)


def desk(outbox, users=0, settings=QUICK, **methods):
    """Return a mailer for a company and users with accounts of their own, each by the next of *methods*."""
    names = [*methods]
    own = [
        User(id=f"u{n}", address=f"u{n}@acme.example", choice="personal", method=names[n % len(names)])
        for n in range(users)
    ]
    company = Company(address="orders@acme.example", method=names[0])
    return Mailer(MemoryDirectory(company, own, plugins=plugins(**methods)), outbox=outbox, queue=settings)


def jobs(outbox):
    with outbox.database.connection() as connection:
        return connection.execute(
            "SELECT task_name, queue_name, args, status::text FROM pillarbox.procrastinate_jobs ORDER BY id"
        ).fetchall()


def test_a_job_carries_nothing_but_the_lane(outbox):
    """No address, no content: the engine's tables are not ours."""
    desk_ = desk(outbox, slowmail=slow())
    lane = desk_.enqueue(LETTER).account
    assert jobs(outbox) == [("pillarbox.serve", "pillarbox:slowmail", {"lane": lane}, "todo")]


def test_a_mailer_enqueues_within_the_hosts_transaction(outbox, database):
    """Rolled back, it is not there; committed, it is sent."""
    method = slow()
    desk_ = desk(outbox, slowmail=method)
    with psycopg.connect(database) as connection:
        desk_.enqueue(LETTER, within=connection)
        connection.rollback()
        assert outbox.list() == []
        key = desk_.enqueue(LETTER, within=connection).key
    desk_.worker().run(drain=True)
    assert method.accepted == [key]


def test_a_worker_is_given_lanes_and_sends_in_order(outbox):
    """And leaves no job behind."""
    method = slow()
    desk_ = desk(outbox, users=5, slowmail=method)
    keys = [[desk_.enqueue(LETTER, user=f"u{n}").key for _ in range(6)] for n in range(5)]
    with desk_.worker():
        until(
            lambda: len(method.accepted) == 30 and jobs(outbox) == []
        )  # a pass may have found a lane once more
    for lane in keys:
        assert [key for key in method.accepted if key in lane] == lane
    assert {one.state for one in outbox.list()} == {State.ACCEPTED}


def test_a_lane_that_got_something_while_it_was_served_is_served_on(outbox):
    """The job of the second ends at once: its lane has a place."""
    release = threading.Event()
    method = slow(inside=30, release=release)
    desk_ = desk(outbox, slowmail=method)
    desk_.enqueue(LETTER)
    with desk_.worker():
        until(lambda: method.handed)
        desk_.enqueue(LETTER)
        until(lambda: [job[3] for job in jobs(outbox)] == ["doing"])
        release.set()
        until(lambda: len(method.accepted) == 2)


def test_a_failure_that_may_pass_is_tried_again_when_it_is_due(outbox):
    """Nobody defers a job for it: a pass finds the lane."""
    method = slow()
    good, failures = method.send, [SendDeferred("450")]
    method.send = lambda self, *given: (
        (_ for _ in ()).throw(failures.pop()) if failures else good(self, *given)
    )
    desk_ = desk(outbox, slowmail=method)
    key = desk_.enqueue(LETTER).key
    with desk_.worker():
        until(lambda: outbox.get(key).state is State.ACCEPTED)
    assert [event.state for event in outbox.history(key)] == [State.DEFERRED, State.ACCEPTED]


def test_what_is_scheduled_leaves_when_its_time_has_come(outbox):
    """And not before."""
    method = slow()
    desk_ = desk(outbox, slowmail=method)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1.5)
    key = desk_.enqueue(LETTER, not_before=soon).key
    with desk_.worker():
        until(lambda: outbox.get(key).state is State.ACCEPTED)
    assert outbox.get(key).changed_at >= soon


def test_a_worker_of_one_method_leaves_the_others_alone(outbox):
    """Their jobs too."""
    one, other = slow(), slow()
    desk_ = desk(outbox, users=2, onemail=one, othermail=other)
    desk_.enqueue(LETTER, user="u0"), desk_.enqueue(LETTER, user="u1")
    with desk_.worker(methods=["onemail"]):
        until(lambda: one.accepted)
    assert other.accepted == []
    assert {(job[1], job[3]) for job in jobs(outbox)} == {("pillarbox:othermail", "todo")}


def test_a_worker_of_one_user_sends_what_is_theirs(outbox):
    """It looks by itself."""
    method = slow()
    desk_ = desk(outbox, users=2, slowmail=method)
    mine, _ = desk_.enqueue(LETTER, user="u0"), desk_.enqueue(LETTER, user="u1")
    with desk_.worker(user="u0"):
        until(lambda: method.accepted == [mine.key])


def test_a_drain_ends_when_nothing_is_due_and_leaves_no_job(outbox):
    """As from a nightly timer."""
    method = slow()
    desk_ = desk(outbox, users=3, slowmail=method)
    for n in range(9):
        desk_.enqueue(LETTER, user=f"u{n % 3}")
    desk_.worker().run(drain=True)
    assert len(method.accepted) == 9
    assert jobs(outbox) == []


def test_more_lanes_than_places_are_all_served(outbox):
    """Each in its turn."""
    method = slow()
    desk_ = desk(outbox, users=12, settings=OutboxSettings(threads=2), slowmail=method)
    for n in range(12):
        desk_.enqueue(LETTER, user=f"u{n}")
    with desk_.worker():
        until(lambda: len(method.accepted) == 12)


def test_a_paused_lane_has_no_place(outbox):
    """And is found again when somebody resumes it."""
    method = slow()
    desk_ = desk(outbox, slowmail=method)
    entry = desk_.enqueue(LETTER)
    outbox.pause(Pause(scope=f"lane:{entry.account}", reason="Holidays."))
    with desk_.worker():
        until(lambda: jobs(outbox) == [])
        assert outbox.get(entry.key).state is State.QUEUED
        outbox.resume(f"lane:{entry.account}")
        until(lambda: outbox.get(entry.key).state is State.ACCEPTED)


def test_a_job_whose_worker_died_is_given_to_another(outbox):
    """By the engine's public calls."""
    outbox.migrate()
    with outbox.database.connection() as connection:
        connection.execute(
            "WITH dead AS (INSERT INTO pillarbox.procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 h') RETURNING id)"
            " INSERT INTO pillarbox.procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
            " SELECT 'pillarbox:slowmail', 'pillarbox.serve', '{\"lane\": \"x\"}', 'doing', id FROM dead"
        )
    engine = Engine(outbox.database, 2.0, Grants(2, outbox.wake), None, lambda: (0, 0))

    async def revive():
        async with engine._opened(lambda context, lane: None) as app:
            await engine._revive(app)

    asyncio.run(revive())
    assert [job[3] for job in jobs(outbox)] == ["todo"]


def test_the_database_may_go_away_for_a_while(outbox):
    """Every connection is cut under a worker; it goes on by itself."""
    method = slow()
    desk_ = desk(outbox, slowmail=method)
    desk_.enqueue(LETTER)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with desk_.worker():
        until(lambda: method.accepted)
        with outbox.database.apart() as connection:
            connection.execute(cut)
        desk_.enqueue(LETTER)
        until(lambda: len(method.accepted) == 2)
