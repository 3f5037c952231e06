"""deliver_many(): several submissions by one transport, one outcome for each, in order."""

from __future__ import annotations

import collections
import copy
import time
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import attrs

from . import _log
from ._delivery import Outcome, Told, begin, foreign, let_go, redacted, tell, understood
from ._errors import PillarboxError, SendDeferred, SignInNeeded
from ._mail import Submission
from ._transports import Journal, Transport

Attempts: TypeAlias = Iterable[tuple[Submission, Journal] | PillarboxError]
_BEFORE_SIGN_IN = frozenset({"dns", "proxy", "connect", "tls", "greeting"})


def deliver_many(attempts: Attempts, transport: Transport, told: Told | None = None) -> Iterator[Outcome]:
    """Submit several by one transport, and give one outcome for each, in order, as it is known.

    An error among *attempts* (a message that could not be composed) is its own outcome. A refused sign-in, or a
    server that can't be reached, is told to those behind it without being tried again. What *attempts* itself raises
    ends the batch, and is raised when all that was pulled before has its outcome.
    """
    items = _Items(attempts)
    stop: PillarboxError | None = None
    while stop is None:
        batch = _Batch(items, transport, told)
        yield from batch.outcomes()
        if batch.is_exhausted:
            break
        stop = batch.stop
    for item in items:
        outcome = item.unfit or copy.copy(stop) or SendDeferred("Nothing left.")
        item.tell(transport, outcome, told)
        yield outcome
    if items.failed is not None:
        raise items.failed


@attrs.define
class _Item:
    """One of a batch: what was pulled, and what is known of it before the transport answers."""

    submission: Submission | None
    journal: Journal
    unfit: PillarboxError | None = None
    started: float = attrs.field(factory=time.monotonic)

    def tell(self, transport: Transport, outcome: Outcome, told: Told | None) -> None:
        if self.submission is not None:
            tell(self.submission, self.journal, transport, outcome, time.monotonic() - self.started, told)


class _Items(Iterator[_Item]):
    """The attempts one by one; what their source raises is the caller's own error, and ends them."""

    def __init__(self, attempts: Attempts) -> None:
        self._source = iter(attempts)
        self.failed: Exception | None = None

    def __next__(self) -> _Item:
        if self.failed is not None:
            raise StopIteration
        try:
            attempt = next(self._source)
        except StopIteration:
            raise
        except Exception as error:  # noqa: BLE001  (raised again by deliver_many)
            self.failed = error
            raise StopIteration from None
        return _Item(None, Journal(), attempt) if isinstance(attempt, PillarboxError) else _Item(*attempt)


class _Batch:
    """One run of a transport's `send_many`, to its end or to the first thing that stops it."""

    def __init__(self, waiting: Iterator[_Item], transport: Transport, told: Told | None) -> None:
        self._waiting = waiting
        self._transport = transport
        self._told = told
        self._pulled: collections.deque[_Item] = collections.deque()
        self._has_pulled = False
        self.is_exhausted = False
        self.stop: PillarboxError | None = None

    def outcomes(self) -> Iterator[Outcome]:
        problem: Exception | None = None
        answers: Iterator[object] = iter(())
        try:
            answers = iter(self._transport.send_many(self._fit()))
            for answer in answers:
                yield from self._refusals()
                if not self._pulled:
                    break  # an answer to nothing
                yield self._settle(answer)
                if self.stop is not None:
                    break
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything; it must not decide what was sent)
            problem = error
        finally:
            _close(answers)
        if not self._has_pulled and not self.is_exhausted:
            self.stop = self._broken_off(problem)
        yield from self._left_open(problem)

    def _fit(self) -> Iterator[tuple[Submission, Journal]]:
        """Give the transport those it can take; the others keep their place in the answers."""
        for item in self._waiting:
            self._pulled.append(item)
            self._has_pulled = True
            if item.submission is not None and self._may_begin(item, item.submission):
                yield item.submission, item.journal
        self.is_exhausted = True

    def _may_begin(self, item: _Item, submission: Submission) -> bool:
        try:
            begin(submission, item.journal, self._transport)
        except PillarboxError as error:
            item.unfit = error
        except Exception as error:  # noqa: BLE001  (the plugin's limits, or the outbox's disk)
            item.unfit = foreign(error, item.journal, self._transport)
        return item.unfit is None

    def _refusals(self) -> Iterator[Outcome]:
        while self._pulled and self._pulled[0].unfit is not None:
            yield self._settle(self._pulled[0].unfit)

    def _settle(self, answer: object) -> Outcome:
        item = self._pulled.popleft()
        if item.submission is not None:
            outcome = understood(answer, item.submission, item.journal, self._transport)
        else:
            outcome = item.unfit or SendDeferred("Nothing left.")
        if isinstance(outcome, PillarboxError) and item.unfit is None:
            self._stop_for(outcome)
        item.tell(self._transport, outcome, self._told)
        return outcome

    def _stop_for(self, error: PillarboxError) -> None:
        unreachable = isinstance(error, SendDeferred) and error.stage in _BEFORE_SIGN_IN
        if isinstance(error, SignInNeeded) or unreachable:
            self.stop = error

    def _broken_off(self, problem: Exception | None) -> PillarboxError:
        """Return what a run means that took nothing at all: there is no use in another."""
        if isinstance(problem, PillarboxError):
            return redacted(problem, self._transport)
        return foreign(problem or RuntimeError("takes nothing"), Journal(), self._transport)

    def _left_open(self, problem: Exception | None) -> Iterator[Outcome]:
        """Tell of those that were pulled and not answered: an error of ours is the first one's answer."""
        if problem is not None and not isinstance(problem, PillarboxError):
            let_go(self._transport)
        while self._pulled:
            item = self._pulled[0]
            if item.unfit is None and isinstance(problem, PillarboxError):
                said, problem = problem, None
                yield self._settle(said)
            else:
                yield self._settle(item.unfit or self._unanswered(item.journal, problem))

    def _unanswered(self, journal: Journal, problem: Exception | None) -> PillarboxError:
        if self.stop is not None and not journal.handed_over:
            return copy.copy(self.stop)
        return foreign(problem or RuntimeError("no answer"), journal, self._transport)


def _close(answers: object) -> None:
    close = getattr(answers, "close", None)
    if close is None:
        return
    try:
        close()
    except Exception as error:  # noqa: BLE001  (what was answered stands)
        _log.event("warning", "pillarbox.close_failed", error=type(error).__name__)
