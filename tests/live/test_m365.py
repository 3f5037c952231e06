"""What nobody has verified of Microsoft Graph: asked of a fake in every run, and of the real one where somebody says so."""

from __future__ import annotations

import pytest

from pillarbox.testing.graph import Manners
from tests.live.accounts import at_graph, real
from tests.live.asking import FAILURES, Connected
from tests.live.m365 import QUESTIONS, SEND, Study
from tests.live.questions import Answered, asked, table

OTHER = Manners(message_ids="replaced", tags="lost", immutable_ids=False, mime_from="mailbox")


def answers(one: Connected) -> list[Answered]:
    """Return the answers of one account."""
    return list(asked(QUESTIONS, Study(one), FAILURES))


def answers_of_a_fake(manners: Manners | None = None, **given: tuple[str, ...]) -> list[Answered]:
    """Return the answers of an account at a fake."""
    with at_graph(manners, **given) as one:
        return answers(one)


def test_every_question_has_an_answer() -> None:
    """The fake answers all of them, so that none is left out when it matters; the table tells them."""
    found = answers_of_a_fake()
    print(table(found, found))
    assert [one for one in found if not one.is_told] == []


def test_a_service_of_other_manners_answers_otherwise() -> None:
    """The questions tell apart what is kept and what is not."""
    first, other = answers_of_a_fake(), answers_of_a_fake(OTHER)
    told = [one.words for one, two in zip(first, other, strict=True) if one.answer != two.answer]
    assert {
        word for word in ("Message-ID", "tag", "immutable", "as MIME?") if any(word in one for one in told)
    } == {
        "Message-ID",
        "tag",
        "immutable",
        "as MIME?",
    }
    assert table(first, other).count("#") == len(told)


def test_a_connection_that_only_sends() -> None:
    """What can't be looked at is told as that, and the rest is answered."""
    found = answers_of_a_fake(scopes=SEND)
    assert {one.is_told for one in found} == {True, False}
    assert all("was not granted Mail.ReadWrite" in one.answer for one in found if not one.is_told)


@pytest.mark.live
@pytest.mark.timeout(1800)
def test_live(capsys: pytest.CaptureFixture[str]) -> None:
    """The real one answers what its connection allows, and the table shows where it differs from the fake."""
    with real("m365") as one:
        found = answers(one)
    with capsys.disabled():
        print(f"\n{table(found, answers_of_a_fake())}")
    assert [one for one in found if not one.is_told and "was not granted" not in one.answer] == []
