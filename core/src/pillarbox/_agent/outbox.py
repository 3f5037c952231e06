"""The company's outbox as a desktop worker sees it: one user's lanes, through the door, over a line that may break at any word."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import attrs

from .. import _log
from .._errors import OutboxError, PillarboxError, SendDeferred
from .._mail import State, now
from .._outbox import Entry, Event, LaneCount, Outbox, Pause, Search, Step, Wanted
from .._outbox.recovery import boot_time
from . import wire
from .door import STAGE, Door
from .telling import LONGEST_PAUSE, Note, Telling

GOOD_FOR = 10.0
"""Seconds after which the leave to hand over is not used any more: a computer that slept meanwhile may be taken for dead."""
ASK_AGAIN = 30.0
"""Seconds after which the server is asked for mail although it told of none."""


class AgentOutbox(Outbox):
    """What a `Worker` needs of an outbox, asked of a `Door`. What a worker does not need is refused.

    The server is asked when it said that there is news, when something comes due, and now and then. What came of an attempt is
    told until it is heard.

    Args:
        door: The way.
        elapsed: Seconds that no clock's setting changes, and that count while the computer sleeps.

    Attributes:
        ended: Why the work here is over, or None.
        on_end: Called when it is.
    """

    def __init__(self, door: Door, *, elapsed: Callable[[], float] = boot_time) -> None:
        self.ended: PillarboxError | None = None
        self.on_end: Callable[[], None] = lambda: None
        self.clock = lambda: now() + self._ahead
        self._door = door
        self._elapsed = elapsed
        self._ahead = dt.timedelta(0)
        self._guard = threading.Lock()
        self._bell = threading.Event()
        self._leaving = threading.Event()
        self._telling = Telling(self._say, self._say_note, self._leaving)
        self._in_hand: dict[str, int] = {}
        self._handed: set[str] = set()
        self._refused: dict[str, Pause] = {}
        self._accounts: dict[str, Any] = {}
        self._asks = {"claim", "looks"}
        self._asked_at = 0.0
        self._seen = ""
        self._next: dt.datetime | None = None
        self._threads: list[threading.Thread] = []

    # The worker's life

    def introduce(self) -> Any:
        """Tell the server that this worker takes over with its token; return what it says of the desk.

        Raises:
            PillarboxError: As `Door.call`; OutboxError where the server speaks otherwise.
        """
        said = self._call(wire.ENTER, {"protocol": wire.PROTOCOL})
        self._set_clock(said)
        return said

    def enter(self, kind: str) -> str:
        """Begin to listen for news, and to tell what came of attempts. See `Outbox`."""
        if not any(thread.is_alive() for thread in self._threads):
            self._leaving.clear()
            works = {"pillarbox-news": self._listen, "pillarbox-telling": self._telling.run}
            self._threads = [
                threading.Thread(target=work, name=name, daemon=True) for name, work in works.items()
            ]
            for thread in self._threads:
                thread.start()
        return self._door.session

    def leave(self, worker: str) -> None:
        """See `Outbox`. The server is told; where it can't be, it finds out by itself."""
        self._stop()
        with contextlib.suppress(PillarboxError):
            self._call(wire.LEAVE, {})

    def close(self) -> None:
        """Tell what is still to be told, where the server hears it at once, and let the connections go."""
        self._stop()
        with contextlib.suppress(PillarboxError), self._telling.after_all():
            pass
        self._door.close()

    def _stop(self) -> None:
        self._leaving.set()
        self._telling.wake()
        self._door.hang_up()
        for thread in self._threads:
            thread.join(2.0)

    # What is to be sent

    def claim(self, wanted: Wanted) -> list[Entry]:
        """See `Outbox`."""
        if not self._asks_now("claim"):
            return []
        with self._guard:
            in_hand = dict(self._in_hand)
        said = self._call(
            wire.CLAIM,
            {
                "most": wanted.most,
                "each": wanted.each,
                "octets": wanted.octets,
                "busy": sorted(wanted.busy),
                "methods": None if wanted.methods is None else sorted(wanted.methods),
                "in_hand": in_hand,
            },
        )
        self._set_clock(said)
        self._seen = str(said.get("seen", ""))
        self._next = _moment(said.get("next_due"))
        entries = self._entries(said)
        if len(entries) >= wanted.most:
            self._ask("claim")  # there may be more
        with self._guard:
            self._in_hand |= {entry.key: entry.fence for entry in entries}
            for entry in entries:
                self._refused.pop(entry.key, None)
        return list(self._with_content(entries))

    def due_looks(self, limit: int = 100, *, users: frozenset[str] | None = None) -> list[Entry]:
        """See `Outbox`."""
        if not self._asks_now("looks"):
            return []
        entries = self._entries(self._call(wire.LOOKS, {"limit": limit}))
        if len(entries) >= limit:
            self._ask("looks")
        return list(self._with_content(entries))

    def account(self, lane: str) -> Any:
        """Return what the server said of the account of *lane*, or None."""
        return self._accounts.get(lane)

    def next_due(self) -> dt.datetime | None:
        """See `Outbox`; by the server's clock."""
        return self._next

    def wait(self, seconds: float) -> None:
        """See `Outbox`."""
        self._bell.wait(seconds)
        self._bell.clear()

    def wake(self) -> None:
        """See `Outbox`; what was in hand has made room."""
        self._ask("claim", "looks")

    def _entries(self, said: Any) -> list[Entry]:
        try:
            entries = [wire.unpacked(Entry, one) for one in said["entries"]]
            self._accounts |= dict(said["accounts"])
        except (ValueError, KeyError, TypeError):
            raise OutboxError(
                "The server says what this worker does not understand.",
                cure=wire.SAME_VERSION,
            ) from None
        return entries

    def _with_content(self, entries: Sequence[Entry]) -> Iterable[Entry]:
        """Give those whose bytes could be had; the others go back, and come again."""
        for entry in entries:
            try:
                yield wire.with_content(entry, *self._door.content(entry.key, entry.fence, entry.size))
            except (PillarboxError, ValueError) as error:
                _log.event("warning", "pillarbox.outbox_failed", error=type(error).__name__)
                with self._guard:
                    self._in_hand.pop(entry.key, None)  # the next claim says so, and the server takes it back
                self._ask("claim")

    # What came of it

    def take(self, moves: Iterable[Step], *, soon: bool = False) -> list[bool]:
        """See `Outbox`. A hand-over is asked for by itself: it may be refused with a reason."""
        steps = [self._by_its_clock(step) for step in moves]
        if not steps:
            return []
        if soon:
            self._telling.later(*steps)
            return []
        with self._telling.after_all():
            if len(steps) == 1 and steps[0].state is State.ATTEMPTING:
                return [self._handing_over(steps[0])]
            return self._say(steps)

    def note(self, entry: Entry, name: str, value: str) -> None:
        """See `Outbox`. Behind the hand-over a note that can't be told now is told later, before what came of it."""
        note = Note(entry.key, entry.fence, name, value)
        try:
            with self._telling.after_all():
                is_kept = self._say_note(note)
        except (
            PillarboxError
        ):  # what keeps a note from being told says nothing of a mail that was handed over
            if entry.key not in self._handed:
                raise
            self._telling.later(note)
            return
        if not is_kept:
            raise SendDeferred("The entry is not this worker's any more; nothing left.", stage="hand-over")

    def is_paused(self, entry: Entry) -> Pause | None:
        """Return the pause for which the server refused the hand-over of *entry* last, or None."""
        return self._refused.pop(entry.key, None)

    def pause(self, pause: Pause) -> None:
        """See `Outbox`."""
        self._call(wire.PAUSE, {"pause": wire.packed(pause)})

    def answered(self, method: str, mailbox: str, since: dt.datetime) -> list[dt.datetime]:
        """See `Outbox`."""
        said = self._call(wire.ANSWERED, {"method": method, "mailbox": mailbox, "since": since.isoformat()})
        return [dt.datetime.fromisoformat(at) for at in said.get("at", ())]

    def _handing_over(self, step: Step) -> bool:
        asked_at = self._elapsed()
        said = self._call(wire.HAND_OVER, {"key": step.key, "fence": step.fence})
        if not said.get("taken"):
            if said.get("paused"):
                self._refused[step.key] = Pause(scope="lane:", reason=str(said.get("reason", "")))
            return False
        if self._elapsed() - asked_at > GOOD_FOR:
            raise SendDeferred("The server's leave came too late; nothing left.", stage=STAGE)
        self._handed.add(step.key)
        return True

    def _say(self, steps: Sequence[Step]) -> list[bool]:
        said = self._call(wire.SETTLE, {"steps": [wire.packed(step) for step in steps]})
        with self._guard:
            for step in steps:
                self._handed.discard(step.key)
                if self._in_hand.get(step.key) == step.fence:
                    del self._in_hand[step.key]
        taken = said.get("taken")
        if not isinstance(taken, list) or len(taken) != len(steps):
            raise OutboxError("The server did not say which steps it took.")
        return [one is True for one in taken]

    def _say_note(self, note: Note) -> bool:
        return self._call(wire.NOTE, attrs.asdict(note)).get("kept") is True

    # News

    def _listen(self) -> None:
        """Ask for news, in a thread, until the worker leaves; while it asks the server knows that it is alive."""
        pause = 0.5
        while not self._leaving.is_set() and self.ended is None:
            try:
                asked = {"seen": self._seen, "seconds": wire.LONGEST_WAIT}
                said = self._call(wire.WAIT, asked, seconds=wire.LONGEST_WAIT + 15.0)
                pause = 0.5
            except PillarboxError:
                self._leaving.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            except Exception as error:  # noqa: BLE001  (a fault must not end the listening)
                _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)
                self._leaving.wait(LONGEST_PAUSE)
                continue
            if said.get("news"):
                self._ask("claim", "looks")
                self._until_asked()

    def _until_asked(self) -> None:
        """Wait until the worker has asked for what there is, or has had time to: the same is no news twice."""
        ends = time.monotonic() + wire.LONGEST_WAIT
        while "claim" in self._asks and time.monotonic() < ends and not self._leaving.wait(0.05):
            pass

    def _ask(self, *what: str) -> None:
        with self._guard:
            self._asks.update(what)
        self._bell.set()

    def _asks_now(self, what: str) -> bool:
        with self._guard:
            at = time.monotonic()
            if at - self._asked_at > ASK_AGAIN:
                self._asked_at = at
                self._asks |= {"claim", "looks"}
            if self._next is not None and self._next <= self.clock():
                self._next = None
                self._asks |= {"claim", "looks"}
            is_asked = what in self._asks
            self._asks.discard(what)
        return is_asked

    def _call(self, path: str, table: dict[str, Any], **more: Any) -> Any:
        if self.ended is not None and path != wire.SETTLE:  # what was sent was sent, whoever took over
            raise self.ended
        try:
            return self._door.call(path, table, **more)
        except (SendDeferred, OutboxError):
            if path in {wire.CLAIM, wire.LOOKS}:
                self._ask("claim", "looks")
            raise
        except PillarboxError as error:
            self.ended = error
            self._bell.set()
            self.on_end()
            raise

    def _by_its_clock(self, step: Step) -> Step:
        """Return *step* with the moment of the carrier's word by the server's clock."""
        word = step.receipt
        return (
            step if word is None else attrs.evolve(step, receipt=attrs.evolve(word, at=word.at + self._ahead))
        )

    def _set_clock(self, said: Any) -> None:
        """Go by the server's clock: what is put off is put off by it."""
        at = _moment(said.get("at"))
        if at is not None:
            self._ahead = at - now()

    # What belongs to the server

    def abandoned(self) -> list[Entry]:
        """Return none: of the dead the server takes care."""
        return []

    def expired(self, limit: int = 100) -> list[Entry]:
        """Return none: they are the server's."""
        return []

    def erase(self, before: dt.datetime) -> int:
        """Erase nothing: the bytes are the server's."""
        return 0

    def lanes(self, user: str | None = None) -> list[LaneCount]:
        """Refuse."""
        self._refuse()

    def put(self, entries: Sequence[Entry]) -> list[Entry]:
        """Refuse."""
        self._refuse()

    def get(self, key: str) -> Entry | None:
        """Refuse."""
        self._refuse()

    def history(self, key: str) -> list[Event]:
        """Refuse."""
        self._refuse()

    def resume(self, scope: str) -> bool:
        """Refuse."""
        self._refuse()

    def pauses(self) -> list[Pause]:
        """Refuse."""
        self._refuse()

    def list(self, search: Search | None = None) -> list[Entry]:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise OutboxError("A worker at a desk is told of nothing but what it has to send.")


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
