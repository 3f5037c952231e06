"""Several messages on the way at once, each whole in one write by BDAT (RFC 3030): opt-in, for bulk.

With DATA a client waits for each answer before it sends the next content, so that one message is in doubt at most. With a
window of W the line is filled, and W may be in doubt when it breaks; each is then judged by the replies that came. One
whose server took leave with 421 is not in doubt, nor are those behind it: it closed before it came to them.

The first message of a window goes in two chunks, and the answer to the first, of one octet, is waited for: a server that
offers CHUNKING and does not know BDAT would take content for commands, and one octet is no command.
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


@attrs.define
class _OnTheWay:
    """One message of the window: written and not answered, or answered without having been written.

    Attributes:
        transaction: What was written, or is to be.
        known: The replies that came before its content was handed over: to MAIL and RCPT, of a window's first.
        came: All replies, where they were taken before its turn.
        reset: Whether RSET goes in front of it.
        whole: Whether all of it was written.
        error: What speaks against it.
        elsewhere: Whether it has to go by DATA, and nothing of it left.
    """

    attempt: Attempt
    transaction: Transaction | None = None
    known: list[Reply] = attrs.field(factory=list)
    came: list[Reply] | None = None
    reset: bool = False
    whole: bool = True
    error: PillarboxError | None = None
    elsewhere: bool = False


class Window:
    """Fills one line with up to *size* messages, and gives their answers in order.

    Args:
        line: Ready for a command.
        size: How many may be unanswered.
        again: Sends an attempt in lock step, where nothing of it left and the line, or BDAT, is of no use.
        fresh: Whether the line was opened for this window; one that was kept may have been closed meanwhile.

    Attributes:
        is_over: Whether nothing more may be written to the line.
    """

    def __init__(
        self,
        line: Line,
        size: int,
        again: Callable[[Attempt], Receipt | PillarboxError],
        *,
        fresh: bool = True,
    ) -> None:
        self._line = line
        self._size = size
        self._again = again
        self._fresh = fresh
        self._waiting: collections.deque[_OnTheWay] = collections.deque()
        self._left: list[Reply] = []
        self._farewell: Reply | None = None
        self._used = line.session.phase is Phase.BEGUN
        self._proven = False
        self._ended = False
        self.is_over: bool = False

    @property
    def has_room(self) -> bool:
        """Whether another message may be written now."""
        return not self.is_over and len(self._waiting) < (self._size if self._proven else 1)

    @property
    def is_empty(self) -> bool:
        """Whether every message was answered."""
        return not self._waiting

    def write(self, attempt: Attempt) -> None:
        """Hand *attempt* over without waiting; what speaks against it is its answer, in its turn."""
        submission, journal = attempt
        one = _OnTheWay(attempt, reset=self._used)
        self._waiting.append(one)
        try:
            one.transaction = self._line.prepare(submission)
            with journal.handing_over():
                if self._proven or self._begin(one, one.transaction):
                    self._write(one, one.transaction)
        except (MessageError, SendError) as error:
            one.error = error

    def _begin(self, one: _OnTheWay, transaction: Transaction) -> bool:
        """Announce the first message with one octet of it, and return whether its rest may follow.

        Raises:
            SendDeferred, SendRejected, SignInNeeded: The server does not want it.
        """
        session = self._line.session
        replies, broken = self._line.connection.run(session.begin_chunks(transaction, reset=one.reset))
        self._used = True
        last = replies[-1] if len(replies) == len(transaction.commands) else None
        stumbled = last is None or _is_not_known(last) or last.kind not in {2, 4, 5}
        if stumbled and _is_taken(transaction, replies):
            self._avoid()
            one.elsewhere = True
        elif last is not None and _is_no_command(last):
            self._avoid()
            self._end([])  # the octet lies there still, in front of whatever would be said next
        elif session.gone and not self._fresh:
            one.elsewhere = True
        if one.elsewhere or not self._line.may_be_kept:
            self._end([])
        if one.elsewhere:
            return False
        judgement.envelope(self._line.settings.server, transaction, replies, broken, go_on=250)
        one.known, self._proven = replies[:-1], True
        return True

    def _write(self, one: _OnTheWay, transaction: Transaction) -> None:
        steps = self._line.session.write_chunk(transaction, reset=one.reset, begun=bool(one.known))
        broken, octets = self._line.connection.run(steps)
        self._used = True
        if broken is not None:
            one.whole = broken.written >= octets
            self._break_off(broken.replies)

    def _break_off(self, came: list[Reply]) -> None:
        """End where writing failed; *came* are the first of the replies that had come by then, one at most."""
        rest = self._line.connection.rest
        left = came if _says_farewell(came) else [*came, *rest()]
        if _says_farewell(left) and self._line.session.gone and not rest():
            self._farewell = left[-1]
        self._end(left)

    def answer(self) -> Receipt | PillarboxError:
        """Return what became of the oldest message, waiting for it."""
        one = self._waiting.popleft()
        if one.elsewhere:
            return self._again(one.attempt)
        if one.error is not None or one.transaction is None:
            return one.error or MessageError("The message was not prepared.")
        replies = self._replies(one, one.transaction) if one.came is None else one.came
        complete = len(replies) == len(one.transaction.commands)
        if complete and _is_not_known(replies[-1]) and _is_taken(one.transaction, replies):
            self._hear_the_others()
            return self._again(one.attempt)
        server = self._line.settings.server
        try:
            return judgement.chunk(server, one.transaction, replies, whole=one.whole, farewell=self._farewell)
        except OutcomeUnknown as unknown:
            self._avoid()
            return unknown
        except PillarboxError as error:
            return error

    def _hear_the_others(self) -> None:
        """Take the replies to all that was written and let the line go, so that one message can go by another."""
        for one in self._waiting:
            if one.transaction is not None and one.error is None and one.came is None:
                one.came = self._replies(one, one.transaction)
        self._end([])
        self._avoid()

    def _replies(self, one: _OnTheWay, transaction: Transaction) -> list[Reply]:
        """Return the replies to what was written of *one*, RSET aside, as far as there are any."""
        skipped = one.reset and not one.known
        count = len(transaction.commands) - len(one.known) + skipped
        if self._ended:
            taken, self._left = self._left[:count], self._left[count:]
        else:
            taken = self._taken(count)
        if skipped and len(taken) < count and taken[:1] and taken[0].kind != 2:
            return []  # who refuses RSET may refuse MAIL for the one before, and take the content all the same
        return [*one.known, *taken[skipped:]]

    def _taken(self, count: int) -> list[Reply]:
        taken, broken = self._line.connection.run(self._line.session.read_chunk(count))
        if _says_farewell(taken) and self._line.connection.run(self._line.session.hear_out()):
            self._farewell = taken[-1]
        if broken is not None or not self._line.may_be_kept:
            self._end([])
        return taken

    def _end(self, left: list[Reply]) -> None:
        """Write nothing more; the replies that are *left* are for those that wait, in order."""
        self.is_over = self._ended = True
        self._left = left
        self._line.drop()

    def _avoid(self) -> None:
        AVOIDED.add(self._line.settings.server, self._line.settings.port)
        self.is_over = True

    def close(self) -> None:
        """Let the line go where messages are unanswered: nobody will ask for them now."""
        if self._waiting or self.is_over:
            self._line.drop()
        self._line.session.leave_unsettled()


def _is_taken(transaction: Transaction, replies: list[Reply]) -> bool:
    """Whether the server took the sender and somebody to send to, so that what it says next is about BDAT."""
    answers = replies[: len(transaction.commands) - 1]
    complete = len(answers) == len(transaction.commands) - 1
    return complete and answers[0].kind == 2 and any(one.kind == 2 for one in answers[1:])


def _is_not_known(reply: Reply) -> bool:
    """Whether *reply* to BDAT says that the server does not know it, or not there."""
    return 500 <= reply.code <= 504


def _is_no_command(reply: Reply) -> bool:
    """Whether *reply* to BDAT says that there is no such command, rather than that nobody was to get the content."""
    return 500 <= reply.code <= 502


def _says_farewell(replies: list[Reply]) -> bool:
    return bool(replies) and replies[-1].code == 421


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
