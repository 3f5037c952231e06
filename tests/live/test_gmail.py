"""What nobody has verified of the Gmail API: asked of a fake in every run, and of the real one where somebody says so."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox_gmail.app import SEND
from tests.live.accounts import at_gmail, real
from tests.live.asking import FAILURES, Connected
from tests.live.gmail import QUESTIONS, Study
from tests.live.questions import Answered, asked, table


def answers(one: Connected) -> list[Answered]:
    """Return the answers of one account."""
    return list(asked(QUESTIONS, Study(one), FAILURES))


def answers_of_a_fake(**given: Any) -> list[Answered]:
    """Return the answers of an account at a fake."""
    with at_gmail(**given) as one:
        return answers(one)


def test_every_question_has_an_answer() -> None:
    """The fake answers all of them, so that none is left out when it matters; the table tells them."""
    found = answers_of_a_fake()
    print(table(found, found))
    assert [one for one in found if not one.is_told] == []


def test_a_service_of_other_manners_answers_otherwise() -> None:
    """The questions tell apart what is kept and what is not."""
    first, other = answers_of_a_fake(), answers_of_a_fake(keeps_message_ids=True, remembers_uploads=True)
    differ = {
        one.words: two.answer for one, two in zip(first, other, strict=True) if one.answer != two.answer
    }
    assert [answer for words, answer in differ.items() if "Message-ID kept" in words] == ["yes"] * 4
    assert differ["What does a finished upload say when it is asked?"] == "200 with the same id"


def test_a_connection_that_only_sends() -> None:
    """What can't be looked at is told as that, and the rest is answered."""
    found = answers_of_a_fake(scopes=(SEND,))
    assert {one.is_told for one in found} == {True, False}
    assert all("was not granted" in one.answer for one in found if not one.is_told)


@pytest.mark.live
@pytest.mark.timeout(1800)
def test_live(capsys: pytest.CaptureFixture[str]) -> None:
    """The real one answers what its connection allows, and the table shows where it differs from the fake."""
    with real("gmail") as one:
        found = answers(one)
    with capsys.disabled():
        print(f"\n{table(found, answers_of_a_fake())}")
    assert [one for one in found if not one.is_told and "was not granted" not in one.answer] == []
