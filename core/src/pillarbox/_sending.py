"""One send: called off by its caller until the hand-over, bounded by a deadline, kept in an outbox where there is one."""

from __future__ import annotations

import collections
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable

import attrs

from . import _log
from ._composition import compose
from ._delivery import Outcome, settled
from ._errors import OutcomeUnknown, PillarboxError, SendDeferred, SendError
from ._mail import Receipt, State, Submission
from ._message import Message
from ._outbox import Entry, Outbox, Step, steps
from ._route import Route
from ._transports import Journal


class Switch:
    """Calls one send off, from any thread, until its hand-over; also one that has not begun yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._journal: Journal | None = None
        self._off = False
        self.key = ""
        """The outbox's entry, where there is one."""

    def is_off(self) -> bool:
        """Whether it was called off."""
        return self._off

    def governs(self, journal: Journal, key: str = "") -> None:
        """Begin to stand for the attempt of *journal*."""
        with self._lock:
            self._journal, self.key = journal, key
            if self._off:
                journal.call_off()

    @property
    def receipt(self) -> Receipt | None:
        """The carrier's word, where it is known although the attempt goes on."""
        return self._journal.receipt if self._journal is not None else None

    def call_off(self) -> bool:
        """Forbid the hand-over; False when it has already been."""
        with self._lock:
            self._off = self._journal is None or self._journal.call_off()
            return self._off


class Deadline:
    """When the caller wants an answer, whatever it is."""

    def __init__(self, seconds: float | None) -> None:
        self._give_up = None if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float | None:
        """The seconds that are left, 0 at least; None without end."""
        if self._give_up is None:
            return None
        return min(max(0.0, self._give_up - time.monotonic()), threading.TIMEOUT_MAX)


def too_late(switch: Switch) -> SendError:
    """Call off what can be called off, and return what the caller is told about the deadline."""
    if switch.call_off():
        return SendDeferred("The deadline passed before the hand-over; nothing left.", stage="deadline")
    kept = f"The outbox keeps it as {switch.key}, and will say." if switch.key else ""
    return OutcomeUnknown(
        "The deadline passed after the hand-over; whether the message left is not known yet.",
        stage="deadline",
        cure=kept,
    )


def within(deadline: Deadline, switch: Switch, attempt: Callable[[], Receipt]) -> Receipt:
    """Return what *attempt* returns, by the *deadline*: then it is called off, or goes on unwatched if handed over.

    Raises:
        SendDeferred: The deadline passed before the hand-over.
        OutcomeUnknown: It passed after it.
    """
    if deadline.left is None:
        return attempt()
    watched = _Watched(attempt)
    if watched.wait(deadline.left):
        return watched.result()
    error = too_late(switch)
    if not switch.is_off() and watched.wait(0):
        return watched.result()
    if switch.receipt is not None:
        return switch.receipt
    raise error


class _Watched:
    """An attempt in a thread of its own, which may be left to itself."""

    def __init__(self, attempt: Callable[[], Receipt]) -> None:
        self._attempt = attempt
        self._outcome: Receipt | BaseException | None = None
        self._over = threading.Event()
        context = contextvars.copy_context()  # the host's request id, for what listens to attempts
        threading.Thread(target=context.run, args=(self._run,), name="pillarbox-send", daemon=True).start()

    def _run(self) -> None:
        try:
            self._outcome = self._attempt()
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            self._outcome = error
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        return self._over.wait(seconds)

    def result(self) -> Receipt:
        if isinstance(self._outcome, Receipt):
            return self._outcome
        raise self._outcome or RuntimeError("the attempt has no outcome")


class Kept:
    """The outbox's entry of a send. An error that the caller hears of ends it; only the unknown stays.

    What fails in the outbox after the attempt is logged and changes nothing of what the caller is told: it is written
    later, or the entry stands where its journal left it, and is looked for.

    Args:
        outbox: Where it is kept.
        entry: As it was made; it is claimed from the start.
        sender: Whose it is: a name that `Outbox.enter` gave.

    Raises:
        SendDeferred: Its account, company or user is paused; nothing left.
    """

    def __init__(self, outbox: Outbox, entry: Entry, sender: str) -> None:
        self._outbox = outbox
        pause = outbox.is_paused(entry)
        if pause is not None:
            raise SendDeferred(
                f"Paused: {pause.reason}", stage="paused", cure=f"Run: pillarbox outbox resume {pause.scope}"
            )
        (self._entry,) = outbox.put([attrs.evolve(entry, state=State.CLAIMED, worker=sender, fence=1)])
        self._lock = threading.Lock()
        self._ended = False
        self.journal = outbox.journal(self._entry)

    @property
    def key(self) -> str:
        """The entry's."""
        return self._entry.key

    def settle(self, outcome: Receipt | PillarboxError) -> None:
        """Keep what came of the attempt."""
        if isinstance(outcome, PillarboxError) and self.journal.called_off:
            self.cancel()
            return
        moves = steps.ended_for_caller(self._entry, outcome)
        if not self.journal.handed_over and settled(outcome) in {State.ACCEPTED, State.UNKNOWN}:
            moves = [*steps.by_way_of_attempting(self._entry, moves[0]), *moves[1:]]
        self._take(moves)

    def cancel(self) -> None:
        """Take the entry out, once: its caller was told that nothing left."""
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._take([steps.called_off(self._entry)])

    def break_off(self) -> None:
        """End it where nobody waits for an answer any more: what was handed over is looked for."""
        if self.journal.call_off():
            self.cancel()
        else:
            lost = OutcomeUnknown("The attempt broke off after the hand-over; whether it left is not known.")
            self.settle(self.journal.receipt or lost)

    def _take(self, moves: list[Step]) -> None:
        try:
            self._outbox.take(moves)
        except Exception as error:  # noqa: BLE001  (what was sent is sent, whatever becomes of the note of it)
            _log.event("error", "pillarbox.outbox_failed", submission=self.key, error=type(error).__name__)
            with contextlib.suppress(Exception):
                self._outbox.take(moves, soon=True)


def through(kept: Kept, attempt: Callable[[], Receipt]) -> Receipt:
    """Return what *attempt* returns, and keep it in the outbox, or end the entry with its error."""
    try:
        receipt = attempt()
    except PillarboxError as error:
        kept.settle(error)
        raise
    except BaseException:  # a time-out of the host's framework, say
        kept.break_off()
        raise
    kept.settle(receipt)
    return receipt


class Entries:
    """The outbox's entries of a batch, in its order; without an outbox, journals in memory."""

    def __init__(
        self,
        keep: Callable[[Submission, Route, Message], Kept | None],
        route: Route,
        require: Callable[[Message], None],
    ) -> None:
        self._keep = keep
        self._route = route
        self._require = require
        self._begun: collections.deque[Kept | None] = collections.deque()

    def begin(self, message: Message) -> tuple[Submission, Journal] | PillarboxError:
        """Return *message* as an attempt, or why it can't be one."""
        kept = None
        try:
            self._require(message)
            submission = compose(message, self._route)
            kept = self._keep(submission, self._route, message)
        except PillarboxError as error:
            return error
        finally:
            self._begun.append(kept)
        return submission, kept.journal if kept is not None else Journal()

    def end(self, outcome: Outcome) -> Outcome:
        """Keep the *outcome* of the one that was begun first, and return it."""
        kept = self._begun.popleft()
        if kept is not None:
            kept.settle(outcome)
        return outcome

    def leave(self) -> None:
        """End the entries of those that nobody will hand over now."""
        for kept in self._begun:
            if kept is not None:
                kept.break_off()
