"""Simple MAPI carries text, refuses what it can't carry, and says what each answer means."""

from __future__ import annotations

import gc

import pytest

from pillarbox import OutcomeUnknown, SendDeferred, SendRejected, SignInNeeded, Unavailable
from pillarbox_mapi import simple_mapi
from pillarbox_mapi.accounts import Wish
from pillarbox_mapi.meanings import error_of
from pillarbox_mapi.problems import Problem
from pillarbox_mapi.simple_codes import MEANINGS, refusal
from pillarbox_mapi.simple_mapi import Mapi32, SimpleMapi, registered
from tests.plugins.mapi.simple_program import MailProgram

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


@pytest.fixture
def spool(tmp_path):
    (tmp_path / "body.txt").write_bytes("Grüße\r\n".encode())
    (tmp_path / "1.pdf").write_bytes(b"%PDF")
    return tmp_path


def prepared(program, spool, **changed):
    carrier = SimpleMapi(program)
    carrier.prepare({**LETTER, **changed}, Wish(), "", spool, again=False)
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
        "flags": 0,
        "files": [("Rechnung.pdf", 0xFFFFFFFF, b"%PDF".hex())],
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (r"..\..\Startup\a.exe", ".._.._Startup_a.exe"),
        ("../a.txt", ".._a.txt"),
        (r"C:\a.txt", "C__a.txt"),
        ("a.txt:b", "a.txt_b"),
        ("it's 100% <ours>?.txt", "it's 100% <ours>?.txt"),
    ],
)
def test_a_name_leads_nowhere(spool, name, shown):
    """A mail program may copy the file to where it says."""
    program = MailProgram()
    prepared(program, spool, files=[{**FILE, "name": name}]).submit()
    assert [file[0] for file in program.seen["files"]] == [shown]


def test_a_program_of_a_wild_name_is_named_in_bounds(spool):
    """The registry is the user's, who may write anything into it."""
    carrier = SimpleMapi(MailProgram(name="Post\x1b[2J\n" + "x" * 500))
    assert carrier.attach("")["version"] == "Post[2J" + "x" * 93


def test_a_read_receipt_is_asked_for_by_the_flag_of_the_message(spool):
    program = MailProgram()
    prepared(program, spool, read_receipt=True).submit()
    assert program.seen["flags"] == 2


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


def test_what_no_structure_takes_fails_before_the_hand_over(spool):
    """Half of a surrogate pair has no octets."""
    program = MailProgram()
    with pytest.raises(UnicodeEncodeError):
        prepared(program, spool, subject="\ud800")
    assert program.widths == []


def test_the_texts_live_as_long_as_the_letter_is_in_hand(spool):
    """What was prepared before a thousand other things were made is still read whole."""
    program = MailProgram()
    carrier = prepared(program, spool, files=[FILE], subject="s" * 1000)
    gc.collect()
    assert len([bytes(number % 256 for number in range(1000)) for _ in range(1000)]) == 1000
    carrier.submit()
    assert (program.seen["subject"], program.seen["text"]) == ("s" * 1000, "Grüße\r\n")


class Registry:
    """What Windows says of its mail programs."""

    def __init__(self, values):
        self.values = values

    def value(self, key, name=""):
        return self.values.get(f"{key}:{name}".removeprefix("Software\\Clients\\Mail"))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, ""),
        ({":": "Post"}, ""),
        ({":": "Post", "\\Other:DLLPath": "other.dll"}, ""),
        ({":": "Post", "\\Post:DLLPath": "post.dll"}, "Post"),
        ({":": "Post", "\\Post:DLLPathEx": "post.dll"}, "Post"),
        ({":": "Post", "\\Post:MSIComponentID": "{6DB1921F}"}, "Post"),
    ],
)
def test_a_mail_program_that_names_no_library_is_none(values, name):
    """Windows would show a dialog, and wait for an answer."""
    assert registered(Registry(values)) == name


def test_a_windows_without_the_function_for_unicode_is_a_program_without_unicode():
    """Nothing is called, so that the text may go in the code page."""
    bare = Mapi32(Registry({}))
    assert (bare.send(None, wide=True), bare.send(None, wide=False)) == (27, 26)


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


def test_the_host_hears_what_it_cannot_do():
    with pytest.raises(SendRejected, match="can't do this: a look"):
        raise error_of(Problem("simple-cannot", step="look", what="a look at what was sent"))
