"""What only a real Outlook can show: asked of the fake in every run, and of a real one by a person who has one."""

from __future__ import annotations

import contextlib

import pytest

from pillarbox.testing.outlook import FakeAccount, FakeOutlook, Fault
from pillarbox_mapi.com import ComError
from tests.live.outlook import __main__ as program
from tests.live.outlook.fake import YOU, at_fake
from tests.live.outlook.questions import QUESTIONS
from tests.live.questions import Answered, asked, table

TRAVELS = "Does our header travel with the mail?"


def answers(outlook: FakeOutlook | None = None) -> dict[str, Answered]:
    return {one.words: one for one in asked(QUESTIONS, at_fake(outlook), (ComError,))}


def test_every_question_has_an_answer_but_what_arrives():
    """The fake delivers nothing, and answers all else, so that none is left out when it matters."""
    found = answers()
    assert [one.words for one in found.values() if not one.is_told] == [TRAVELS]
    assert found["Where is a mail that was sent found by our header?"].answer == "sent"
    assert found["By which content id does the copy show the picture?"].answer == "dot"
    assert found["Which kinds of recipients has the copy?"].answer == "1, 3"


def test_an_outlook_of_other_manners_answers_otherwise():
    other = FakeOutlook(
        [FakeAccount("", name="You")],
        trusted=False,
        faults=[Fault("NameSpace", "SendAndReceive", "silent", times=100)],
    )
    first, told = answers(), answers(other)
    differ = [words for words in first if first[words].answer != told[words].answer]
    assert "Do accounts tell their addresses?" in differ
    assert "May a program send without a person being asked?" in differ
    assert told["Where is a mail that was sent found by our header?"].answer == "outbox"
    assert table(list(first.values()), list(told.values())).count("#") == len(differ)


def test_an_outlook_that_fails_is_told_and_the_next_question_is_asked():
    guarded = FakeOutlook([FakeAccount(YOU)], guard=True)
    found = answers(guarded)
    assert not found["Does Outlook know a recipient whom nobody knows?"].is_told
    assert found["Does an account that is set by reference stay?"].answer == "yes"


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "apartment", contextlib.nullcontext)


def test_nothing_is_sent_before_somebody_says_yes(anywhere, monkeypatch, capsys):
    world = FakeOutlook([FakeAccount(YOU)])
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert program.main(["--to", YOU], to_outlook=at_fake(world)._activate) == program.USAGE
    assert world.calls == []
    assert "This sends three mails to you@acme.example" in capsys.readouterr().out


def test_a_report_names_neither_addresses_nor_profiles(anywhere, tmp_path, capsys):
    world = FakeOutlook([FakeAccount(YOU)], profile="Secret profile")
    given = ["--to", YOU, "--yes", "--nobody", "--patience", "0.1", "--json", str(tmp_path / "told.json")]
    assert program.main(given, to_outlook=at_fake(world)._activate) == program.DONE
    shown = capsys.readouterr().out.split("Sent Items is deleted.")[1] + (tmp_path / "told.json").read_text(
        "utf-8"
    )
    assert YOU not in shown
    assert "Secret profile" not in shown
    assert len(world.sent) == 3


def test_an_outlook_that_is_not_there_is_one_sentence(anywhere, capsys):
    world = FakeOutlook(
        [FakeAccount(YOU)], faults=[Fault("Class", "Activate", hresult=0x800401F3, times=100)]
    )
    given = ["--to", YOU, "--yes", "--nobody", "--patience", "0.1"]
    assert program.main(given, to_outlook=at_fake(world)._activate) == program.FAILED
    assert "Outlook can't be asked: com at start 0x800401F3" in capsys.readouterr().err
