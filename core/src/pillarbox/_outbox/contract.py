"""What an outbox promises: durable submissions, each in one state, each some worker's or nobody's."""

from __future__ import annotations

import abc
import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from .._errors import MessageError, OutboxError, OutcomeUnknown, SendDeferred, SettingsError
from .._mail import now
from .._settings import Account
from .._transports import Journal
from . import steps
from .entry import ENDED, Entry, Event, LaneCount, Pause, Search, Step, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._reports import KeptReport, Recorded, Report
    from .._vault import Rows
    from .settings import OutboxSettings
    from .turn import Post
    from .worker import Only, Worker


class Outbox(abc.ABC):
    """Keeps submissions until they have ended, and their history after that.

    Each call is durable when it returns, unless it says otherwise, and may be made from any thread. Moves are compare-and-set:
    a step is taken only from the state, and in the claim, in which it was decided. Whoever keeps entries somewhere else
    writes the abstract methods and passes `pillarbox.testing.OutboxContract`.

    Attributes:
        clock: What time it is, aware; tests put their own in its place.
    """

    clock: Callable[[], dt.datetime] = staticmethod(now)

    @abc.abstractmethod
    def put(self, entries: Sequence[Entry]) -> list[Entry]:
        """Keep *entries*, all or none, and return them as they are kept.

        One whose key is there already with the same `digest` is returned as it stands, and nothing is changed.

        Raises:
            MessageError: A key is there with another digest.
        """

    @abc.abstractmethod
    def take(self, moves: Iterable[Step], *, soon: bool = False) -> list[bool]:
        """Take each step that still may be taken, all in one transaction; say which were.

        The mark of a hand-over is not taken while a scope of the entry is paused.

        With *soon* the call returns at once, empty: the steps are written with the next that is durable, a few
        milliseconds later at most, and again while the storage fails.
        """

    @abc.abstractmethod
    def note(self, entry: Entry, name: str, value: str) -> None:
        """Keep a note of the entry's journal.

        Raises:
            SendDeferred: The entry is not in the claim *entry* any more.
        """

    @abc.abstractmethod
    def claim(self, wanted: Wanted) -> list[Entry]:
        """Return due entries that are now the worker's, with their bytes.

        In order within a lane among those due (priority first, then as they were put), each lane in its turn, none of a
        scope that is paused, and none of a lane in which another living worker has something. A lane with a desk
        (`pillarbox.outbox.desk_of`) is given, whole, to workers alone that confine themselves to its user.
        """

    @abc.abstractmethod
    def abandoned(self) -> list[Entry]:
        """Return the entries that are claimed or attempted by a worker that is dead, without their bytes."""

    @abc.abstractmethod
    def due_looks(self, limit: int = 100, *, users: frozenset[str] | None = None) -> list[Entry]:
        """Return unknown entries whose next look is due, with their bytes; of lanes with a desk, those of *users* alone."""

    @abc.abstractmethod
    def expired(self, limit: int = 100) -> list[Entry]:
        """Return waiting entries that were not to leave after a moment that has passed, without their bytes."""

    @abc.abstractmethod
    def enter(self, kind: str) -> str:
        """Return the name of a new worker, alive until it leaves or its process dies."""

    @abc.abstractmethod
    def leave(self, worker: str) -> None:
        """Let a worker's life end: what it still has is abandoned."""

    @abc.abstractmethod
    def get(self, key: str) -> Entry | None:
        """Return an entry with its bytes, or None."""

    @abc.abstractmethod
    def history(self, key: str) -> list[Event]:
        """Return what happened to an entry, oldest first."""

    @abc.abstractmethod
    def lanes(self, user: str | None = None) -> list[LaneCount]:
        """Return how each lane stands that has entries which have not ended; only those of *user*, where one is given."""

    def workers(self) -> int | None:
        """Return how many workers are alive, or None where that can't be told."""
        return None

    @abc.abstractmethod
    def pause(self, pause: Pause) -> None:
        """Start nothing more in a scope. A person's pause is not replaced by one of pillarbox's own."""

    @abc.abstractmethod
    def resume(self, scope: str) -> bool:
        """Start again in a scope; say whether it was paused."""

    @abc.abstractmethod
    def pauses(self) -> list[Pause]:
        """Return what is paused now."""

    @abc.abstractmethod
    def answered(self, method: str, mailbox: str, since: dt.datetime) -> list[dt.datetime]:
        """Return when attempts of a mailbox ended since then, oldest first: what its limit of a minute counts."""

    @abc.abstractmethod
    def next_due(self) -> dt.datetime | None:
        """Return when the next waiting or unknown entry is due, or a pause ends; None when nothing waits."""

    @abc.abstractmethod
    def erase(self, before: dt.datetime) -> int:
        """Erase the bytes of entries that ended before then; say of how many. Their history stays."""

    @abc.abstractmethod
    def wait(self, seconds: float) -> None:
        """Return when something may have come, also from another process, or *seconds* have passed."""

    def wake(self) -> None:  # noqa: B027  (an outbox that only polls has nothing to do)
        """Let what waits in this process look again."""

    def close(self) -> None:  # noqa: B027  (nothing to let go is a fair default)
        """Write what is still to be written, and let go of what is open."""

    def vault_rows(self) -> Rows | None:
        """Return a place for a vault's rows, which all share who share this outbox; None where there is none."""
        return None

    def put_in(self, connection: Any, entries: Sequence[Entry]) -> list[Entry]:
        """Keep *entries* as `put` does, inside the transaction of the host's own *connection*: together, or not at all.

        Raises:
            MessageError: As `put`.
            SettingsError: This outbox lies where no transaction of the host reaches, or *connection* leads elsewhere.
        """
        raise SettingsError(
            "This outbox can't be written in a transaction of the host's: it lies elsewhere.",
            cure="Use the one in the host's own database: pip install pillarbox-procrastinate",
        )

    def worker(self, post: Post, settings: OutboxSettings, only: Only) -> Worker:
        """Return a worker that empties this outbox; one that needs another kind of worker brings it."""
        from .worker import Worker

        return Worker(self, post, settings, only=only)

    def journal(self, entry: Entry) -> KeptJournal:
        """Return the journal of an attempt of *entry*, in the claim that it carries."""
        return KeptJournal(self, entry)

    def known(self, key: str) -> Entry:
        """Return an entry by its key, or by the start of it where only one has it.

        Raises:
            OutboxError: There is none, or several.
        """
        entry = self.get(key)
        if entry is None:
            raise OutboxError(f"The outbox has no entry {key[:40]!r}.", cure="Run: pillarbox outbox")
        return entry

    def move(self, step: Step) -> Entry:
        """Take one step that a person decided, and return the entry.

        Raises:
            OutboxError: The entry stands elsewhere by now, and where.
        """
        if not self.take([step])[0]:
            entry = self.known(step.key)
            raise OutboxError(
                f"{entry.key} is {entry.state.value}, so it can't become {step.state.value if step.state else 'that'}.",
                cure=entry.reason,
            )
        return self.known(step.key)

    def hold(self, key: str, reason: str, *, by: str = "") -> Entry:
        """Keep a waiting entry for a person to decide."""
        return self.move(steps.held(key, reason, by))

    def cancel(self, key: str, reason: str = "", *, by: str = "") -> Entry:
        """Take an entry out of which nothing can have left.

        Raises:
            OutboxError: It was handed over, or has ended.
        """
        return self.move(steps.cancelled(key, reason or "Cancelled.", by))

    def retry(self, key: str, *, by: str = "") -> Entry:
        """Send a waiting or held entry now. The caller answers for one that is held: it may have been sent.

        Raises:
            OutboxError: It is under way, or has ended.
        """
        return self.move(steps.retried(key, by))

    def settle(self, key: str, *, sent: bool, reason: str = "", by: str = "") -> Entry:
        """End an entry that is held or unknown by what a person found out.

        Raises:
            OutboxError: It stands elsewhere.
        """
        return self.move(steps.found_out(self.known(key), reason, by, sent=sent, at=self.clock()))

    def re_point(self, entry: Entry, account: Account, reason: str, *, by: str = "") -> bool:
        """Let an entry that waits, or is held, go by another account from now on; say whether it still stood there.

        Its bytes, recipients and history stay; the account, its owner, method and mailbox change, the journal's notes are the
        old carrier's and go. It is queued.

        Raises:
            OutboxError: This outbox can't.
        """
        raise OutboxError(
            "This outbox can't move an entry to another account.", cure="Cancel it, and send it anew."
        )

    def renamed(self, company: str, old: str, new: str) -> None:  # noqa: B027
        """Let what is of the user *old* be of *new*, who is the same: account, history and pauses.

        An outbox that can't leaves it; then what waits for an account of their own is held, since that account is gone.
        """

    def record(
        self,
        reports: Sequence[Report],
        *,
        company: str,
        owner: str | None = None,
        source: str = "",
        cursor: str = "",
    ) -> Recorded:
        """Keep what a provider said of mails, each report once, whatever the order or repetition; nothing else changes.

        A report is about a mail of *company* (and of *owner*'s accounts, where one is given) that its Message-ID names, else
        its provider's name for it, and about the recipient that it names, or the only one. Where that is not certain it is
        counted as unknown, and nothing is kept.

        Args:
            reports: What came.
            company: Whose mail they may be about.
            owner: Of which accounts of theirs: `company`, `user:<id>`; all by default.
            source: Where they came from, where *cursor* is to be kept: in the same write.
            cursor: Where the next look begins.

        Raises:
            OutboxError: This outbox keeps no reports.
        """
        raise OutboxError("This outbox keeps no reports.", cure="Use the embedded one, or PostgreSQL.")

    def reports(self, key: str) -> list[KeptReport]:
        """Return what was reported of an entry, in the order in which it came."""
        return []

    def cursor(self, source: str) -> str | None:
        """Return where the next look at *source* begins, as it was kept with the reports of the last; None at first."""
        return None

    def is_paused(self, entry: Entry) -> Pause | None:
        """Return the pause that keeps *entry* from starting, or None."""
        scopes = scopes_of(entry)
        return next((one for one in self.pauses() if one.scope in scopes), None)

    @abc.abstractmethod
    def list(self, search: Search | None = None) -> list[Entry]:
        """Return entries without their bytes, the newest first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class KeptJournal(Journal):
    """The journal of one attempt, kept in an outbox: its marks are durable when they return.

    Attributes:
        marks: Marks the hand-over of an entry, and says whether it could be; whoever sends several puts theirs in its place.
    """

    def __init__(self, outbox: Outbox, entry: Entry) -> None:
        super().__init__(entry.notes)
        self._outbox = outbox
        self._entry = entry
        self.marks: Callable[[Entry], bool] = self._mark_alone

    def _write(self, name: str, value: str) -> None:
        try:
            self._outbox.note(self._entry, name, value)
        except SendDeferred:
            if not self.handed_over:
                raise
            raise OutcomeUnknown(
                "The entry is not this worker's any more; it was handed over, and whether it left is not known.",
                stage="hand-over",
            ) from None

    def _mark_alone(self, entry: Entry) -> bool:
        return self._outbox.take([steps.attempting(entry)])[0]

    def _mark(self) -> None:
        if self.marks(self._entry):
            return
        pause = self._outbox.is_paused(self._entry)
        if pause is not None:
            raise SendDeferred(f"Paused: {pause.reason}", stage=steps.PAUSED)
        raise SendDeferred("The entry is not this worker's any more; nothing left.", stage="hand-over")


def scopes_of(entry: Entry) -> tuple[str, str, str]:
    """Return the scopes that *entry* stands in: its lane, its company, its user."""
    return f"lane:{entry.account}", f"company:{entry.company}", f"user:{entry.company}/{entry.user or ''}"


def same(there: Entry, given: Entry) -> Entry:
    """Return *there* where *given* asks for the same under the same key.

    Raises:
        MessageError: It asks for something else.
    """
    if there.digest == given.digest:
        return there
    raise MessageError(
        f"The key of {there.submission.reference or there.key} is taken by other content.",
        cure="Use the key of one message for that message alone.",
    )


def has_ended(entry: Entry) -> bool:
    """Whether nothing more happens to *entry* by itself."""
    return entry.state in ENDED
