"""Simple MAPI carries text, refuses what it can't carry, and says what each answer means."""

from __future__ import annotations

import ctypes

import pytest

from pillarbox import OutcomeUnknown, SendDeferred, SendRejected, SignInNeeded, Unavailable
from pillarbox_mapi import simple_mapi
from pillarbox_mapi.accounts import Wish
from pillarbox_mapi.meanings import error_of
from pillarbox_mapi.problems import Problem
from pillarbox_mapi.simple_codes import MEANINGS, refusal
from pillarbox_mapi.simple_mapi import SimpleMapi

LETTER = {
    "subject": "Rechnung 1001 – 请",
    "text": "body.txt",
    "html": None,
    "people": [[1, "Zoë Berg <ap@customer.example>"], [3, "books@acme.example"]],
    "answers_to": [],
    "importance": 1,
    "read_receipt": False,
    "headers": [],
    "files": [],
}
FILE = {"path": "1.pdf", "name": "Rechnung.pdf", "content_type": "application/pdf", "content_id": ""}


def wide(address):
    """Return the UTF-16 text at *address*, up to its end."""
    octets = b""
    while (unit := ctypes.string_at(address + len(octets), 2)) != b"\0\0":
        octets += unit
    return octets.decode("utf-16-le")


class MailProgram:
    """A mail program that answers as it is told, and reads each structure while the call runs."""

    def __init__(self, *answers, name="Outlook"):
        self.answers, self.called = list(answers) or [0], name
        self.widths, self.seen = [], None

    def name(self):
        return self.called

    def send(self, message, *, wide):
        self.widths.append(wide)
        self.seen = read(message) if wide else None
        return self.answers.pop(0)


def read(message):
    people = [message.lpRecips[number] for number in range(message.nRecipCount)]
    files = [message.lpFiles[number] for number in range(message.nFileCount)]
    return {
        "subject": wide(message.lpszSubject),
        "text": wide(message.lpszNoteText),
        "people": [(one.ulRecipClass, wide(one.lpszName), wide(one.lpszAddress)) for one in people],
        "files": [(wide(one.lpszPathName), wide(one.lpszFileName), one.nPosition) for one in files],
    }


@pytest.fixture
def spool(tmp_path):
    (tmp_path / "body.txt").write_bytes("Grüße\r\n".encode())
    (tmp_path / "1.pdf").write_bytes(b"%PDF")
    return tmp_path


def prepared(program, spool, wish=None, profile="", **changed):
    carrier = SimpleMapi(program)
    carrier.prepare({**LETTER, **changed}, wish or Wish(), profile, spool, again=False)
    return carrier


def test_text_recipients_and_files_arrive(spool):
    """A hidden recipient as such, a file by its absolute path and at no place in the text."""
    program = MailProgram()
    prepared(program, spool, files=[FILE]).submit()
    assert program.seen == {
        "subject": "Rechnung 1001 – 请",
        "text": "Grüße\r\n",
        "people": [
            (1, "Zoë Berg", "SMTP:ap@customer.example"),
            (3, "books@acme.example", "SMTP:books@acme.example"),
        ],
        "files": [(str(spool / "1.pdf"), "Rechnung.pdf", 0xFFFFFFFF)],
    }


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"html": "body.html"}, "HTML"),
        ({"answers_to": ["a@acme.example"]}, "addresses for answers"),
        ({"importance": 2}, "importance"),
        ({"read_receipt": True}, "a read receipt"),
        ({"headers": [["X-Order", "1"]]}, "headers"),
        ({"on_behalf": "boss@acme.example"}, "another sender"),
        ({"files": [{**FILE, "content_id": "logo"}]}, "a picture inside the text"),
        ({"wish": Wish(must_be="anna@acme.example")}, "an account of your choice"),
        ({"profile": "Work"}, "a profile of your choice"),
    ],
)
def test_what_it_cannot_carry_is_refused_before_the_program_is_called(spool, changed, what):
    program = MailProgram()
    with pytest.raises(Problem) as raised:
        prepared(program, spool, **changed)
    assert (raised.value.name, raised.value.facts) == ("simple-cannot", {"what": what})
    assert program.widths == []


def test_without_a_default_mail_program_nothing_is_called(spool):
    """Windows would show a dialog."""
    program = MailProgram(name="")
    with pytest.raises(Problem) as raised:
        prepared(program, spool)
    assert (raised.value.code, program.widths) == (26, [])


def test_a_program_without_unicode_is_called_again_only_where_no_letter_is_lost(spool, monkeypatch):
    monkeypatch.setattr(simple_mapi, "ANSI", "cp1252")
    lost, kept = MailProgram(27), MailProgram(27, 0)
    with pytest.raises(Problem) as raised:
        prepared(lost, spool).submit()
    prepared(kept, spool, subject="Rechnung für Zoë").submit()
    assert (raised.value.code, lost.widths, kept.widths) == (27, [True], [True, False])


def test_it_is_sent_once(spool):
    """Whatever the answer, the next one needs a letter of its own."""
    carrier = prepared(MailProgram(2), spool)
    with pytest.raises(Problem, match="simple"):
        carrier.submit()
    with pytest.raises(Problem, match="no-draft"):
        carrier.submit()


def test_it_cannot_look():
    with pytest.raises(Problem) as raised:
        SimpleMapi(MailProgram()).find("key", "", "")
    assert raised.value.step == "look"


KINDS = {
    SendRejected: {1, 6, 9, 10, 11, 12, 14, 15, 17, 18, 20, 21, 24, 25, 27, 28},
    SendDeferred: {4, 5, 8, 13, 19, 22, 23},
    SignInNeeded: {3},
    OutcomeUnknown: {2, 7, 16, 29, 4_000_000_000},
    Unavailable: {26},
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in KINDS.items() for code in codes])
def test_each_answer_has_its_error_with_a_cure(kind, code):
    """What nobody has documented may have left."""
    error = refusal(code)
    assert type(error) is kind
    assert f"answered {code}:" in error.detail
    assert error.cure.endswith(".")


def test_no_row_is_without_a_test():
    assert set(MEANINGS) <= set().union(*KINDS.values())


@pytest.mark.parametrize(("code", "kind"), [(2, OutcomeUnknown), (26, Unavailable), (14, SendRejected)])
def test_the_host_hears_the_answer_of_the_program(code, kind):
    """One that may have sent is never taken for one that did not."""
    assert type(error_of(Problem("simple", step="send", code=code))) is kind


def test_the_host_hears_what_it_cannot_carry():
    with pytest.raises(SendRejected, match="can't do this: HTML"):
        raise error_of(Problem("simple-cannot", step="content", what="HTML"))
