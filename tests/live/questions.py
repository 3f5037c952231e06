"""Questions to a service or a program, and the table of the answers; nothing is imported but the standard library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import attrs


class NotTold(Exception):
    """A question that can't be answered here; says why, in a clause."""


S = TypeVar("S")


@attrs.frozen
class Question(Generic[S]):
    """One question: its words, and how an answer is got from a study of type S."""

    words: str
    answer: Callable[[S], str]


@attrs.frozen
class Answered:
    """A question with its answer.

    Attributes:
        words: The question.
        answer: What was found, in words.
        is_told: Whether it answers the question; else it says why there is no answer.
    """

    words: str
    answer: str
    is_told: bool


def asked(
    questions: Sequence[Question[S]], study: S, failures: tuple[type[Exception], ...]
) -> Iterator[Answered]:
    """Yield an answer to each of *questions*; what fails by one of *failures* is told in its place, and the next is asked."""
    for one in questions:
        try:
            yield Answered(one.words, one.answer(study), is_told=True)
        except NotTold as error:
            yield Answered(one.words, f"not told: {error}", is_told=False)
        except failures as error:
            said = getattr(error, "detail", "") or type(error).__name__
            yield Answered(one.words, f"not told: {said}", is_told=False)


def table(live: Sequence[Answered], fake: Sequence[Answered]) -> str:
    """Return the answers as text, each beside the fake's; a mark stands where they differ."""
    lines = []
    for one, other in zip(live, fake, strict=True):
        mark = "=" if one.answer == other.answer else "#"
        lines += [f"{mark} {one.words}", f"    here  {one.answer}"]
        lines += [f"    fake  {other.answer}"] if mark == "#" else []
    return "\n".join(lines)


def whether(fact: object) -> str:
    """Return `yes` or `no`."""
    return "yes" if fact else "no"


def seconds_since(at: float) -> str:
    """Return how long ago *at* was, rounded so that a fake and a fast service read alike."""
    passed = time.monotonic() - at
    return "at once" if passed < 2 else f"after {passed:.0f} s"
