"""Several messages on the way at once, each whole in one write by BDAT (RFC 3030): opt-in, for bulk.

With DATA a client waits for each answer before it sends the next content, so that one message is in doubt at most. With a
window of W the line is filled, and W may be in doubt when it breaks; each is then judged by the replies that came.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs

from pillarbox import Journal, MessageError, OutcomeUnknown, PillarboxError, Receipt, SendError, Submission

from . import judgement
from .envelope import Transaction
from .line import Line
from .lockstep import Remembered
from .protocol import Phase
from .replies import Reply

Attempt: TypeAlias = tuple[Submission, Journal]
AVOIDED = Remembered()
"""Servers that offer CHUNKING and left a message in doubt, or do not know BDAT after all."""
_NOT_KNOWN = frozenset({500, 501, 502, 504})


@attrs.define
class _OnTheWay:
    """One message of the window: written and not answered, or answered without having been written."""

    attempt: Attempt
    transaction: Transaction | None = None
    error: PillarboxError | None = None
    behind: bool = False
    whole: bool = True


class Window:
    """Fills one line with up to *size* messages, and gives their answers in order.

    Args:
        line: Ready for a command.
        size: How many may be unanswered.
        again: Sends an attempt in lock step, where a server turned out not to know BDAT.

    Attributes:
        is_over: Whether nothing more may be written to the line.
    """

    def __init__(self, line: Line, size: int, again: Callable[[Attempt], Receipt | PillarboxError]) -> None:
        self._line = line
        self._size = size
        self._again = again
        self._waiting: collections.deque[_OnTheWay] = collections.deque()
        self._left: list[Reply] = []
        self._used = line.session.phase is Phase.BEGUN
        self._proven: bool = False
        self.is_over: bool = False

    @property
    def has_room(self) -> bool:
        """Whether another message may be written now; the first one's answer shows that the server knows BDAT."""
        return not self.is_over and len(self._waiting) < (self._size if self._proven else 1)

    @property
    def is_empty(self) -> bool:
        """Whether every message was answered."""
        return not self._waiting

    def write(self, attempt: Attempt) -> None:
        """Hand *attempt* over without waiting; what speaks against it is its answer, in its turn."""
        submission, journal = attempt
        one = _OnTheWay(attempt, behind=self._used)
        self._waiting.append(one)
        try:
            one.transaction = self._line.prepare(submission)
            with journal.handing_over():
                broken = self._line.connection.run(
                    self._line.session.write_chunk(one.transaction, behind=one.behind)
                )
        except (MessageError, SendError) as error:
            one.error = error
            return
        self._used = True
        if broken is not None:
            one.whole = broken.written >= sum(map(len, one.transaction.chunked(reset=one.behind)))
            self._end(broken.replies)

    def answer(self) -> Receipt | PillarboxError:
        """Return what became of the oldest message, waiting for it."""
        one = self._waiting.popleft()
        if one.error is not None or one.transaction is None:
            return one.error or MessageError("The message was not prepared.")
        replies = self._replies(one, one.transaction)
        complete = len(replies) == len(one.transaction.commands)
        if complete and replies[-1].code in _NOT_KNOWN and all(reply.kind == 2 for reply in replies[:-1]):
            self._avoid()
            self._end([])
            return self._again(one.attempt)
        self._proven = complete
        try:
            return judgement.chunk(self._line.settings.server, one.transaction, replies, whole=one.whole)
        except OutcomeUnknown as unknown:
            self._avoid()
            return unknown
        except PillarboxError as error:
            return error

    def _replies(self, one: _OnTheWay, transaction: Transaction) -> list[Reply]:
        if not self.is_over:
            steps = self._line.session.read_chunk(transaction, behind=one.behind)
            replies, broken = self._line.connection.run(steps)
            if broken is not None or (replies and replies[-1].code == 421):
                self._end([])
            return replies
        count = len(transaction.commands) + one.behind
        taken, self._left = self._left[:count], self._left[count:]
        return taken[one.behind :]

    def _end(self, replies: list[Reply]) -> None:
        """Write nothing more; what the server still said is for those that wait, in order."""
        self.is_over = True
        self._left = [*replies, *self._line.connection.rest()]
        self._line.drop()

    def _avoid(self) -> None:
        AVOIDED.add(self._line.settings.server, self._line.settings.port)
        self.is_over = True

    def close(self) -> None:
        """Let the line go where messages are unanswered: nobody will ask for them now."""
        if self._waiting or self.is_over:
            self._line.drop()
        self._line.session.leave_unsettled()


def fill(
    window: Window, first: Attempt, take: Callable[[], Attempt | None]
) -> Iterator[Receipt | PillarboxError]:
    """Give an answer for *first* and those that *take* gives, in order, until there is none or the window is over.

    Each is taken only when there is room for it, so that no more than the window's size may be in doubt.
    """
    window.write(first)
    exhausted = False
    while True:
        while window.has_room and not exhausted:
            attempt = take()
            exhausted = attempt is None
            if attempt is not None:
                window.write(attempt)
        if window.is_empty:
            return
        yield window.answer()
