"""Cases: what is asked about many entries, and what stays when their bytes are gone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..._errors import MessageError, OutboxError, SendDeferred
from ..._mail import Receipt, State
from ..._outbox import OutboxSettings, Search, steps
from ._ground import NOON, OutboxGround, keys, letter, refused

HOUR = dt.timedelta(hours=1)


class Reading(OutboxGround):
    """Looking things up."""

    def test_the_history_tells_what_happened(self) -> None:
        """Oldest first, with reasons, codes and who decided."""
        entry = self.claimed()
        step = steps.after(entry, SendDeferred("busy", code="450"), self.settings, NOON, chance=1.0).step
        assert self.take(step)
        self.clock.forward(60)
        self.box.cancel(entry.key, "Sent by post.", by="root")
        deferred, cancelled = self.box.history(entry.key)[-2:]
        assert (deferred.state, deferred.reason, deferred.code) == (State.DEFERRED, "busy", "450")
        assert (cancelled.state, cancelled.reason, cancelled.by) == (State.CANCELLED, "Sent by post.", "root")
        assert cancelled.at - deferred.at == dt.timedelta(seconds=60)

    def test_a_search_keeps_to_each_condition(self) -> None:
        """Alone and together; what is looked for is taken literally."""
        first = letter("1", to="Ap@Customer.example", reference="R%1", lane="a", company="c", method="m")
        other = letter("2", user="anna", part_of="p", again_of="q", created_at=NOON + HOUR)
        self.put(first, other)
        conditions: dict[str, tuple[Any, Any]] = {
            "to": ("ap@customer", "nobody@"),
            "reference": ("R%1", "R%"),
            "account": ("a", "acme/company/x"),
            "company": ("c", "acme"),
            "method": ("m", "x"),
            "until": (NOON + HOUR, NOON),
        }
        for name, (right, wrong) in conditions.items():
            assert first.key in keys(self.box.list(Search(**{name: right}))), name
            assert first.key not in keys(self.box.list(Search(**{name: wrong}))), name
        others: dict[str, Any] = {"user": "anna", "part_of": "p", "again_of": "q", "since": NOON + HOUR}
        for name, right in others.items():
            assert keys(self.box.list(Search(**{name: right}))) == [other.key], name
        assert not self.box.list(Search(to="ap@customer", user="anna", company="c"))
        assert not self.box.list(Search(to="%"))

    def test_a_search_by_state(self) -> None:
        """Any of several."""
        self.put(letter("1"), letter("2"))
        entry = self.claimed(letter("3", priority=1))
        assert self.take(steps.cancelled(entry.key, "over", ""))
        wanted = Search(states=frozenset({State.CANCELLED, State.HELD}))
        assert keys(self.box.list(wanted)) == [entry.key]

    def test_lanes_count_what_has_not_ended(self) -> None:
        """In each state, with who and since when."""
        one, two, *_ = self.put(letter(lane="a"), letter(lane="a"), letter(lane="b"))
        self.box.cancel(one)
        self.box.hold(two, "wait")
        found = {lane.account: lane for lane in self.box.lanes()}
        assert found["a"].counts == {State.HELD: 1}
        assert found["b"].counts == {State.QUEUED: 1}
        assert (found["b"].method, found["b"].mailbox, found["b"].oldest) == (
            "x",
            "orders@acme.example",
            NOON,
        )
        self.box.cancel(two)
        assert [lane.account for lane in self.box.lanes()] == ["b"]
        assert not self.box.lanes("anna")

    def test_the_next_due_is_told(self) -> None:
        """Of what waits for its time; nothing waits in an empty outbox."""
        assert self.box.next_due() is None
        soon, later = NOON + HOUR, NOON + 2 * HOUR
        self.put(letter(due_at=later), letter(due_at=soon))
        assert self.box.next_due() == soon
        self.unknown(letter(lane="b"), due_at=NOON + dt.timedelta(minutes=1))
        assert self.box.next_due() == NOON + dt.timedelta(minutes=1)

    def test_bodies_are_erased_and_the_history_stays(self) -> None:
        """Only of what ended before the moment (rule 40)."""
        ended, held, waiting = self.put(letter("1"), letter("2"), letter("3"))
        size = self.stands(ended).submission.size
        self.box.cancel(ended, "over", by="root")
        self.box.hold(held, "wait")
        assert self.box.erase(self.clock()) == 0
        self.clock.forward(1)
        assert self.box.erase(self.clock()) == 1
        assert self.stands(ended).is_erased
        assert self.stands(ended).size == size > 0
        assert [one.reason for one in self.box.history(ended)][-1:] == ["over"]
        assert not self.stands(held).is_erased
        assert not self.stands(waiting).is_erased
        assert self.box.erase(self.clock()) == 0

    def test_answers_are_counted_by_mailbox(self) -> None:
        """When the carrier answered, for the limits of a minute: of that method and mailbox, since that moment."""
        entry = self.attempted()
        at = self.clock.forward(5)
        step = steps.after(entry, Receipt(entry.submission.message_id), self.settings, at).step
        assert self.take(steps.metered(step, at))
        self.clock.forward(5)
        assert self.box.answered("x", "orders@acme.example", NOON) == [at]
        assert not self.box.answered("x", "orders@acme.example", at)
        assert not self.box.answered("x", "other@acme.example", NOON)
        assert not self.box.answered("y", "orders@acme.example", NOON)

    def test_what_is_too_late_is_told(self) -> None:
        """Also while it waits behind a pause."""
        one, other = letter("1", not_after=NOON + HOUR), letter("2")
        self.put(one, other)
        assert not self.box.expired()
        self.clock.forward(3_601)
        (found,) = self.box.expired()
        assert self.take(steps.too_late(found))
        self.is_in(one, State.REJECTED)
        self.is_in(other, State.QUEUED)

    def test_what_is_not_there_is_said(self) -> None:
        """No key is a pattern."""
        assert self.box.get("nothing") is None
        assert not self.box.history("nothing")
        with refused(OutboxError):
            self.box.known("nothing")
        assert not self.take(steps.cancelled("nothing", "", ""))

    def test_a_burst_pauses_who_makes_it(self) -> None:
        """What is put again, or refused, counts once or not at all."""
        self.open(OutboxSettings(user_burst=3))
        first = letter("1", user="anna", digest="one")
        for _ in range(10):
            self.put(first)
        assert not self.box.pauses(), "the same again was counted as more"
        self.put(letter("2", user="anna"), letter("3", user="anna"), letter("other", user="otto"))
        with refused(MessageError):
            self.put(letter("4", key=first.key, user="anna", digest="two"))
        assert not self.box.pauses()
        self.put(letter("4", user="anna"))
        assert [one.scope for one in self.box.pauses()] == ["user:acme/anna"]
        assert [one.user for one in self.claim()] == ["otto"]
