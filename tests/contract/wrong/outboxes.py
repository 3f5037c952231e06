"""Outboxes that are wrong in one way each, and the cases that have to catch them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import attrs

from pillarbox import Recorded, State
from pillarbox._outbox.entry import AT_ONCE
from pillarbox.outbox import Outbox, Pause, SqliteOutbox

WRONG: list[tuple[type[Outbox], str]] = []
EVERY = frozenset(State)


def caught_by(*cases: str) -> Callable[[type[Outbox]], type[Outbox]]:
    """Say which cases have to catch the class."""

    def note(wrong: type[Outbox]) -> type[Outbox]:
        WRONG.extend((wrong, case) for case in cases)
        return wrong

    return note


@caught_by("what_is_put_is_there_for_others_when_put_returns")
class KeepsInMemory(SqliteOutbox):
    def put(self, entries):
        self.later = [*getattr(self, "later", []), *entries]
        return list(entries)

    def get(self, key):
        super().put(getattr(self, "later", []))
        return super().get(key)


@caught_by("other_content_under_a_key_is_refused", "all_are_kept_or_none")
class TakesTheFirst(SqliteOutbox):
    def put(self, entries):
        return super().put([attrs.evolve(entry, digest="") for entry in entries])


@caught_by("all_are_kept_or_none")
class KeepsHalf(SqliteOutbox):
    def put(self, entries):
        return [super(KeepsHalf, self).put([entry])[0] for entry in entries]


@caught_by("the_same_again_changes_nothing", "a_burst_pauses_who_makes_it")
class KeepsTwice(SqliteOutbox):
    def put(self, entries):
        again = [self.get(entry.key) is not None for entry in entries]
        return super().put([_twin(one) if known else one for one, known in zip(entries, again, strict=True)])


def _twin(entry):
    return attrs.evolve(entry, submission=attrs.evolve(entry.submission, key=entry.key[::-1] + "x"))


@caught_by(
    "a_stale_claim_marks_nothing",
    "a_stale_claim_settles_nothing",
    "a_look_moves_only_what_it_looked_for",
    "each_claim_has_a_number_of_its_own",
)
class NoFence(SqliteOutbox):
    def take(self, moves, *, soon=False):
        return super().take([attrs.evolve(step, fence=None) for step in moves], soon=soon)


@caught_by(
    "nothing_leaves_an_end",
    "what_was_cancelled_is_not_handed_over",
    "what_was_handed_over_is_neither_cancelled_nor_held_nor_tried_again",
    "moves_at_once_are_taken_once",
    "two_marks_of_one_claim_are_one",
)
class FromAnywhere(SqliteOutbox):
    def take(self, moves, *, soon=False):
        return super().take([attrs.evolve(step, come_from=EVERY) for step in moves], soon=soon)


@caught_by("a_mark_is_kept_when_it_returns")
class MarksLater(SqliteOutbox):
    def take(self, moves, *, soon=False):
        if [step.state for step in moves] == [State.ATTEMPTING]:
            self.marks = moves
            return [True]
        return super().take([*getattr(self, "marks", []), *moves], soon=soon)[-len(moves) :]


@caught_by("nothing_is_handed_over_in_any_pause")
class HandsOverInAPause(SqliteOutbox):
    def take(self, moves, *, soon=False):
        pauses = self.pauses()
        for pause in pauses:
            self.resume(pause.scope)
        taken = super().take(moves, soon=soon)
        for pause in pauses:
            self.pause(pause)
        return taken


@caught_by("what_a_living_worker_has_is_its_own", "a_worker_that_stands_still_is_alive")
class DeadByTheClock(SqliteOutbox):
    def abandoned(self):
        hour_ago = self.clock() - dt.timedelta(hours=1)
        taken = [one for one in self.list() if one.state in {State.CLAIMED, State.ATTEMPTING}]
        return [
            one
            for one in taken
            if one.changed_at < hour_ago or one in super(DeadByTheClock, self).abandoned()
        ]


@caught_by(
    "what_a_killed_worker_had_is_abandoned_at_once",
    "what_a_worker_had_that_left_is_abandoned",
    "the_rescue_looks_for_what_was_handed_over",
)
class NobodyDies(SqliteOutbox):
    def abandoned(self):
        return []


@caught_by("the_rescue_looks_for_what_was_handed_over", "killed_workers_lose_nothing_and_repeat_nothing")
class SendsAgainBehindADeath(SqliteOutbox):
    def take(self, moves, *, soon=False):
        return super().take([self.again(step) for step in moves], soon=soon)

    def again(self, step):
        died = step.state is State.UNKNOWN and step.come_from == {State.ATTEMPTING}
        return attrs.evolve(step, state=State.QUEUED, due_at=AT_ONCE) if died else step


@caught_by("killed_workers_lose_nothing_and_repeat_nothing")
class LosesWhatWasClaimed(SqliteOutbox):
    def take(self, moves, *, soon=False):
        return super().take([self.lost(step) for step in moves], soon=soon)

    def lost(self, step):
        died = step.state is State.QUEUED and step.reason.startswith("The process that had claimed it")
        return attrs.evolve(step, state=State.CANCELLED) if died else step


@caught_by("one_lane_is_one_workers", "a_lane_is_free_when_nothing_of_it_is_taken")
class SharesLanes(SqliteOutbox):
    def enter(self, kind):
        return super().enter("send")


@caught_by("a_claim_is_in_order_with_the_bytes", "the_higher_priority_comes_first")
class LastInFirstOut(SqliteOutbox):
    def claim(self, wanted):
        return super().claim(wanted)[::-1]


@caught_by("each_lane_has_its_turn")
class FirstLaneFirst(SqliteOutbox):
    def claim(self, wanted):
        self._claims.last = ""
        return super().claim(wanted)


@caught_by("what_is_not_due_waits", "what_is_scheduled_keeps_its_time")
class NeverWaits(SqliteOutbox):
    def put(self, entries):
        return super().put([attrs.evolve(entry, due_at=AT_ONCE) for entry in entries])


@caught_by("a_claim_keeps_to_what_was_asked_for")
class TakesMore(SqliteOutbox):
    def claim(self, wanted):
        return super().claim(attrs.evolve(wanted, most=1_000, octets=10**9))


@caught_by("no_lane_that_is_busy_gets_more", "a_worker_gets_only_what_it_confines_itself_to")
class TakesAnything(SqliteOutbox):
    def claim(self, wanted):
        return super().claim(attrs.evolve(wanted, busy=frozenset(), users=None))


@caught_by("notes_come_back", "a_stale_claim_notes_nothing")
class ForgetsNotes(SqliteOutbox):
    def note(self, entry, name, value):
        pass


@caught_by("a_look_that_is_to_be_repeated_waits")
class LooksWithoutBytes(SqliteOutbox):
    def due_looks(self, limit=100, **whose):
        return [
            attrs.evolve(one, submission=attrs.evolve(one.submission, chunks=()))
            for one in super().due_looks(limit, **whose)
        ]


@caught_by(
    "a_deferred_one_comes_again_behind_a_clock_that_was_wrong",
    "a_look_comes_behind_a_clock_that_was_wrong",
    "a_servers_pause_ends_behind_a_clock_that_was_wrong",
)
class BelievesTheClock(SqliteOutbox):
    def _latest(self):
        return 2**62


@caught_by("what_nobody_waits_for_is_there_soon", "what_nobody_waits_for_is_there_behind_the_next_mark")
class NeverSoon(SqliteOutbox):
    def take(self, moves, *, soon=False):
        return [] if soon else super().take(moves)


@caught_by("a_persons_pause_is_a_persons")
class AnyPauseCounts(SqliteOutbox):
    def pause(self, pause):
        self.resume(pause.scope)
        super().pause(pause)


@caught_by("an_attempt_outlives_the_closing")
class LeavesAtTheClosing(SqliteOutbox):
    def close(self):
        self._lives.end_all_but(())
        super().close()


@caught_by("bodies_are_erased_and_the_history_stays")
class ErasesTheHistory(SqliteOutbox):
    def history(self, key):
        found = self.get(key)
        return [] if found is None or found.is_erased else super().history(key)


@caught_by("what_is_put_comes_back_whole")
class ChangesBytes(SqliteOutbox):
    def get(self, key):
        found = super().get(key)
        if found is None:
            return None
        text = found.submission.content.decode("ascii", "replace").encode()
        return attrs.evolve(found, submission=attrs.evolve(found.submission, chunks=(text,)))


@caught_by("what_is_carried_at_a_desk_is_its_users_alone")
class GivesDesksToAnybody(SqliteOutbox):
    def claim(self, wanted):
        return super().claim(wanted) or super().claim(attrs.evolve(wanted, users=frozenset({"anna"})))


@caught_by("what_is_carried_at_a_desk_is_looked_for_there")
class LooksForDesksAnywhere(SqliteOutbox):
    def due_looks(self, limit=100, **_):
        return super().due_looks(limit, users=frozenset({"anna"}))


@caught_by("a_desk_goes_along_with_its_users_new_name")
class RenamesOwnersAlone(SqliteOutbox):
    def renamed(self, company, old, new):
        pass


@caught_by("a_report_comes_again_in_another_order_and_is_kept_once")
class KeepsReportsAgain(SqliteOutbox):
    def record(self, reports, **more):
        super().record(reports, **more)
        return Recorded(new=len(reports))


@caught_by("a_report_of_another_owner_s_mail_is_unknown")
class BelievesAnyMailbox(SqliteOutbox):
    def record(self, reports, *, owner=None, **more):
        return super().record(reports, **more)


@caught_by("a_report_of_another_company_s_mail_is_unknown")
class BelievesAnyCompany(SqliteOutbox):
    def record(self, reports, *, company, **more):
        found = Recorded()
        for one in {entry.company for entry in self.list()} or {company}:
            found = super().record(reports, company=one, **more)
            if found.new:
                break
        return found


@caught_by("a_report_without_a_recipient_is_of_the_only_one")
class GuessesTheFirst(SqliteOutbox):
    def record(self, reports, **more):
        known = {one.submission.message_id: one for one in self.list()}
        whom = [one.recipient or known[one.message_id].submission.envelope.recipients[0] for one in reports]
        given = [attrs.evolve(one, recipient=who) for one, who in zip(reports, whom, strict=True)]
        return super().record(given, **more)


@caught_by("a_report_changes_nothing_of_what_was_accepted")
class TakesBackWhatBounced(SqliteOutbox):
    def record(self, reports, **more):
        for one in reports:
            self.pause(Pause(scope="company:acme", reason="A mail bounced."))
            key = one.message_id.strip("<>").rpartition("@")[0]
            self._writer().run(
                lambda database, key=key: database.execute(
                    "UPDATE entries SET reason = 'bounced' WHERE key = ?", (key,)
                )
            )
        return super().record(reports, **more)


@caught_by("where_the_next_look_begins_is_kept_with_what_came")
class ForgetsWhereItWas(SqliteOutbox):
    def record(self, reports, *, source="", **more):
        return super().record(reports, **more)


@caught_by("a_report_finds_its_mail_by_the_provider_s_name")
class KnowsMessageIdsAlone(SqliteOutbox):
    def record(self, reports, **more):
        return super().record([one for one in reports if one.message_id], **more)


@caught_by("of_one_recipient_no_more_is_kept_than_a_slip_shows")
class KeepsWithoutEnd(SqliteOutbox):
    def record(self, reports, **more):
        return Recorded(new=len(reports)) if len(reports) > 16 else super().record(reports, **more)
