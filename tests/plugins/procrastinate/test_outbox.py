"""The outbox on PostgreSQL: what `Outbox` promises, between processes and machines."""

from __future__ import annotations

import datetime as dt
import threading

import attrs
import pytest

from pillarbox import MessageError, SendDeferred, State
from pillarbox.outbox import AT_ONCE, OutboxSettings, Pause, Search, Step
from pillarbox_procrastinate import _tables
from tests import forking
from tests.plugins.procrastinate.entries import claimed, entry

pytestmark = pytest.mark.services


def moved(one, state, **more):
    return Step(key=one.key, come_from=frozenset({one.state}), state=state, fence=one.fence, **more)


def test_what_is_put_is_there_for_another_process_whole(opened):
    """Bytes, envelope, options and times come back as they were."""
    one = entry("a" * 32, user="anna", subject="Größe", priority=-3)
    opened().put([one])
    assert opened().get(one.key) == attrs.evolve(
        one, submission=attrs.evolve(one.submission, chunks=(one.submission.content,))
    )


def test_a_key_is_kept_once(outbox):
    """The same again changes nothing; other content under it is refused, and with it all that came along."""
    outbox.put([entry("k1", digest="d")])
    assert outbox.put([entry("k1", digest="d")])[0].key == "k1"
    with pytest.raises(MessageError, match="taken by other content"):
        outbox.put([entry("k2"), entry("k1", digest="other")])
    assert [one.key for one in outbox.list()] == ["k1"]


def test_two_workers_never_share_a_lane(opened):
    """Eight that ask at the same moment, each on connections of its own: one gets the lane, in order."""
    outboxes = [opened() for _ in range(8)]
    outboxes[0].put([entry(f"k{n:02}") for n in range(40)])
    names = [outbox.enter("worker") for outbox in outboxes]
    found: dict[str, list] = {}
    start = threading.Barrier(8)

    def ask(outbox, name):
        start.wait(10)
        found[name] = claimed(outbox, name, most=5, each=5)

    threads = [threading.Thread(target=ask, args=pair) for pair in zip(outboxes, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(some) for some in found.values()) == [0] * 7 + [5]
    assert [one.key for some in found.values() for one in some] == [f"k{n:02}" for n in range(5)]


def test_lanes_take_turns(outbox):
    """A lane with much in it does not keep another waiting."""
    outbox.put([*(entry(f"a{n}", "company/a") for n in range(9)), entry("b1", "company/b")])
    name = outbox.enter("worker")
    assert [one.key for one in claimed(outbox, name, most=2, each=2)] == ["a0", "a1"]
    assert [one.key for one in claimed(outbox, name, most=2, each=2)] == ["b1", "a2"]


def test_a_step_is_taken_only_in_its_claim(outbox):
    """A person's decision between takes the entry away from whoever had it."""
    outbox.put([entry("k1")])
    (one,) = claimed(outbox, outbox.enter("worker"))
    assert outbox.take([moved(one, State.QUEUED)]) == [True]
    (again,) = claimed(outbox, outbox.enter("worker"))
    assert again.fence == one.fence + 1
    assert outbox.take([moved(one, State.ATTEMPTING), moved(again, State.ATTEMPTING)]) == [False, True]
    with pytest.raises(SendDeferred, match="not this worker's"):
        outbox.note(one, "draft", "1")


def test_the_mark_of_a_hand_over_asks_for_the_lease(opened):
    """A worker that was stopped for too long is refused, although nobody has taken its entry yet."""
    outbox, other = opened(lease=600.0), opened()
    outbox.put([entry("k1")])
    (one,) = claimed(outbox, name := outbox.enter("worker"))
    ended = "UPDATE pillarbox.workers SET expires = now() - interval '1 s' WHERE name = %s"
    with other.database.connection() as connection:
        connection.execute(ended, (name,))
    with pytest.raises(SendDeferred, match="not this worker's"), outbox.journal(one).handing_over():
        pytest.fail("The content would have left.")


def test_what_a_worker_had_is_abandoned_when_its_lease_has_run_out(opened):
    """And not before, and not by a clock of the worker's."""
    outbox, other = opened(lease=600.0), opened(lease=0.0)
    outbox.put([entry("k1")])
    claimed(outbox, name := outbox.enter("worker"))
    assert other.abandoned() == []
    with other.database.connection() as connection:
        connection.execute("UPDATE pillarbox.workers SET expires = now() WHERE name = %s", (name,))
    assert [one.key for one in other.abandoned()] == ["k1"]


def test_nothing_is_abandoned_right_after_the_server_began(opened):
    """Nobody could renew a lease while it was away."""
    outbox = opened(lease=1e6)
    outbox.put([entry("k1")])
    claimed(outbox, name := outbox.enter("worker"))
    with outbox.database.connection() as connection:
        connection.execute("UPDATE pillarbox.workers SET expires = now() WHERE name = %s", (name,))
    assert outbox.abandoned() == []


def test_steps_that_nobody_waits_for_are_written_with_the_next(opened):
    """In order, in one transaction."""
    outbox = opened()
    outbox.put([entry("k1"), entry("k2")])
    one, two = claimed(outbox, outbox.enter("worker"))
    with outbox.journal(one).handing_over():
        outbox.take(
            [attrs.evolve(moved(one, State.ACCEPTED), come_from=frozenset({State.ATTEMPTING}))], soon=True
        )
    with outbox.journal(two).handing_over():
        assert opened().get("k1").state is State.ACCEPTED


def test_words_of_a_server_that_postgresql_cannot_hold_spoil_nothing(outbox):
    """NUL, half a surrogate pair and what only looks like an escape."""
    outbox.put([entry("k1"), entry("k2")])
    one, two = claimed(outbox, outbox.enter("worker"))
    said = "no\0 \ud800 \\u0000 \\ud800 \\"
    taken = outbox.take(
        [moved(one, State.HELD, reason=said, code=said), moved(two, State.HELD, reason="held")]
    )
    assert taken == [True, True]
    assert outbox.get("k1").reason == "no ? \\u0000 \\ud800 \\"


def test_a_search_takes_what_it_is_given_literally(outbox):
    """Neither a pattern nor a statement."""
    outbox.put([entry("k1", reference="100%"), entry("k2", reference="100x")])
    assert [one.key for one in outbox.list(Search(reference="100%"))] == ["k1"]
    assert outbox.list(Search(to="%")) == []
    assert outbox.list(Search(to="' OR 1=1 --")) == []
    assert [one.key for one in outbox.list(Search(to="CUSTOMER", states=frozenset({State.QUEUED})))] == [
        "k2",
        "k1",
    ]


def test_a_looping_host_pauses_itself(opened):
    """Also where each message comes from another process."""
    settings = OutboxSettings(user_burst=3)
    for n in range(5):
        opened(settings).put([entry(f"k{n}", user="anna")])
    (pause,) = opened().pauses()
    assert (pause.scope, pause.kind) == ("user:company/anna", "burst")
    assert claimed(opened(), "worker-x") == []


def test_a_persons_pause_stays(outbox):
    """Whatever pillarbox finds later; and what was paused is not begun."""
    outbox.put([entry("k1")])
    (one,) = claimed(outbox, outbox.enter("worker"))
    outbox.pause(Pause(scope="lane:company/company", reason="Holidays.", by="root"))
    outbox.pause(Pause(scope="lane:company/company", reason="535", kind="sign-in"))
    assert outbox.pauses()[0].reason == "Holidays."
    with pytest.raises(SendDeferred, match=r"Paused: Holidays\."), outbox.journal(one).handing_over():
        pytest.fail("The content would have left.")
    assert outbox.resume("lane:company/company")
    assert not outbox.resume("lane:company/company")


def test_waiting_ends_when_another_process_puts_something(opened):
    """By a notification: the wait is far longer than the test may take."""
    waiting, other = opened(), opened()
    waiting.wait(0.0)
    woken = threading.Event()
    thread = threading.Thread(target=lambda: (waiting.wait(100), waiting.wait(100), woken.set()))
    thread.start()
    number = 0
    while not woken.wait(0.2):  # one may come before it listens
        other.put([entry(f"k{number}")])
        number += 1
    thread.join(10)


def test_bytes_are_erased_and_the_history_stays(outbox):
    """A set time after the end."""
    outbox.put([entry("k1"), entry("k2")])
    (one, _) = claimed(outbox, outbox.enter("worker"))
    outbox.take([moved(one, State.REJECTED, reason="550")])
    assert outbox.erase(AT_ONCE) == 0
    assert outbox.erase(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)) == 1
    assert outbox.get("k1").is_erased
    assert not outbox.get("k2").is_erased
    assert [event.state for event in outbox.history("k1")] == [State.REJECTED]


def test_an_outbox_that_was_open_over_a_fork_serves_both(opened):
    """The child's connections are its own, and the parent's outlive it."""
    outbox = opened()
    outbox.put([entry("k1")])

    def put_another():
        assert outbox.put([entry("k2")])
        assert len(outbox.list()) == 2

    assert forking.ended(forking.child(put_another)) == 0
    assert len(outbox.list()) == 2


def test_what_was_claimed_with_an_answer_that_never_came_is_given_back(opened, monkeypatch):
    """The line broke between the claim and its answer: the worker lives, and does not know what it has."""
    outbox = opened()
    outbox.put([entry("k1")])
    name = outbox.enter("worker")
    monkeypatch.setattr(_tables, "CLAIMED", "SELECT pg_terminate_backend(pg_backend_pid()), %s::bigint[]")
    with pytest.raises(SendDeferred, match="does not answer"):
        claimed(outbox, name)
    assert outbox.get("k1").state is State.CLAIMED
    monkeypatch.undo()
    assert [one.key for one in claimed(outbox, name)] == ["k1"]
