"""Simple MAPI by real DLLs: a Windows Python calls Wine's mapi32.dll, which calls the default mail program, written in C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from pillarbox import (
    Account,
    Attachment,
    Journal,
    OutcomeUnknown,
    Route,
    SendRejected,
    SightingState,
    Unavailable,
)
from pillarbox_mapi import MapiTransport
from pillarbox_mapi.settings import Interface
from pillarbox_mapi.simple_codes import MEANINGS, NO_UNICODE
from tests.plugins.mapi.world import submission

from .desk import Desk
from .simple_desk import GONE, NAME, NARROW, MailProgram

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("simple-mapi")]
COMPANY = Route(account=Account(owner="company", method="mapi"), from_address=None)
NOWHERE = 0xFFFFFFFF


@pytest.fixture(scope="module")
def program(at_desk: Desk) -> MailProgram:
    return MailProgram(at_desk)


def by_program(program: MailProgram, **settings: Any) -> MapiTransport:
    return program.desk.transport("company", "orders@acme.example", interface=Interface.SIMPLE, **settings)


@pytest.fixture(scope="module")
def shared(program: MailProgram) -> Iterator[MapiTransport]:
    """One worker for all that do it no harm: it takes a second to start."""
    program.begin()
    with by_program(program) as transport:
        yield transport


def letter(**fields: Any) -> Any:
    return submission(COMPANY, **fields)


def test_a_plain_letter_arrives_whole(program: MailProgram, shared: MapiTransport) -> None:
    """No session, no window, no flag that may show a dialog, no originator."""
    program.begin()
    receipt = shared.send(letter(), Journal())
    (asked,) = program.asked
    assert (asked.subject, asked.text, asked.files) == ("Invoice 1001", "Good morning\r\n", [])
    assert asked.people == [(1, "ap@customer.example", "SMTP:ap@customer.example")]
    assert asked.flags == {"session": 0, "window": 0, "flags": 0x40000, "message_flags": 0, "originator": 0}
    assert (receipt.sender, receipt.submitted_only, program.sent) == (f"{NAME}'s own account", True, 1)


def test_letters_of_every_script_arrive(program: MailProgram, shared: MapiTransport) -> None:
    """Those outside the first plane among them, which take two units of UTF-16."""
    program.begin()
    text = "Grüße, 請求書, Здравствуйте, 📎 €\r\n" * 200
    shared.send(
        letter(to="Zoë 請 📎 <zoe@customer.example>", subject="発票 1001 – größer € 📎", text=text), Journal()
    )
    (asked,) = program.asked
    assert (asked.is_wide, asked.subject, asked.text) == (True, "発票 1001 – größer € 📎", text)
    assert asked.people == [(1, "Zoë 請 📎", "SMTP:zoe@customer.example")]


def test_each_kind_of_recipient_arrives_as_such(program: MailProgram, shared: MapiTransport) -> None:
    program.begin()
    hidden = [f"h{number}@customer.example" for number in range(50)]
    shared.send(letter(to=["a@customer.example"], cc=["b@customer.example"], bcc=hidden), Journal())
    people = [(kind, address.removeprefix("SMTP:")) for kind, _, address in program.asked[0].people]
    assert people == [(1, "a@customer.example"), (2, "b@customer.example"), *((3, one) for one in hidden)]


NAMES = [
    "Rechnung 1001 – größer €.pdf",
    "請求書.pdf",
    "a.b.c",
    "con.txt",
    "it's 100% <ours>?.txt",
    "x" * 150 + ".pdf",
    "📎",
]


def test_files_arrive_with_their_names_and_octets(program: MailProgram, shared: MapiTransport) -> None:
    """Whatever Windows allows on a disk, and whichever names are the same; they are gone from there afterwards."""
    program.begin()
    octets = bytes(range(256)) * 40
    files = [Attachment(name, name.encode() + octets) for name in (*NAMES, "same.txt", "same.txt")]
    shared.send(letter(attachments=[*files, Attachment("empty.bin", b"")]), Journal())
    got = program.asked[0].files
    wanted = [(one.filename, NOWHERE, one.filename.encode() + octets) for one in files]
    assert [file[1:] for file in got] == [*wanted, ("empty.bin", NOWHERE, b"")]
    assert len({path for path, *_ in got}) == len(got)
    assert list(shared.host.spool.root.iterdir()) == []


def test_a_read_receipt_is_asked_for(program: MailProgram, shared: MapiTransport) -> None:
    """By the flag of the message; the address for it is the program's own, so that another is told as left out."""
    program.begin()
    with by_program(program, lossy=True) as transport:
        receipt = transport.send(letter(read_receipt=True, reply_to=["anna@acme.example"]), Journal())
    assert program.asked[0].flags["message_flags"] == 2
    assert receipt.detail == f"taken by {NAME}, without an address for answers"


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_each_answer_becomes_its_error(program: MailProgram, shared: MapiTransport, code: int) -> None:
    """Without Unicode it is asked again in the code page, where no letter is lost; otherwise never a second time."""
    program.begin("answer", code)
    with pytest.raises(MEANINGS[code].error, match=f"Simple MAPI answered {code}:"):
        shared.send(letter(), Journal())
    assert [asked.is_wide for asked in program.asked] == ([True, False] if code == NO_UNICODE else [True])
    assert program.sent == 0


@pytest.mark.parametrize(("does", "sent"), [("die before", 0), ("die after", 1), ("fault before", 0)])
def test_a_crash_in_the_program_leaves_the_outcome_unknown(
    program: MailProgram, does: str, sent: int
) -> None:
    """It is the worker that crashes. Nothing is asked twice, and the next letter goes through another worker."""
    program.begin(*does.split())
    journal, one = Journal(), letter()
    with by_program(program) as transport:
        with pytest.raises(OutcomeUnknown):
            transport.send(one, journal)
        assert (len(program.asked), program.sent) == (1, sent)
        assert transport.find(one, journal).state is SightingState.UNCLEAR
        program.do("answer", 0)
        transport.send(letter(), Journal())
    assert program.sent == sent + 1


def test_a_program_that_stands_still_is_killed_with_its_worker(program: MailProgram) -> None:
    """At the deadline; what it would have done behind it does not happen."""
    program.begin("stall", 5000)
    with by_program(program, send_timeout=2.0) as transport:
        with pytest.raises(OutcomeUnknown, match="did not answer in time"):
            transport.send(letter(attachments=[Attachment("a.pdf", b"%PDF")]), Journal())
        stood = time.monotonic()
        assert list(transport.host.spool.root.iterdir()) == []
    time.sleep(max(0.0, 4.0 - (time.monotonic() - stood)))
    assert (len(program.asked), program.sent) == (1, 0)


def test_a_program_without_unicode_gets_what_loses_no_letter(program: MailProgram) -> None:
    """In the code page of Windows, files and names among it; mapi32.dll says 27 before anything is asked."""
    program.begin(library=NARROW)
    name = "Zoë größer €.pdf"
    with by_program(program) as transport:
        transport.send(
            letter(subject="Für Zoë", text="Grüße", attachments=[Attachment(name, b"%PDF")]), Journal()
        )
        (asked,) = program.asked
        with pytest.raises(SendRejected, match="answered 27"):
            transport.send(letter(subject="請求書"), Journal())
    assert (asked.is_wide, asked.subject, asked.text) == (False, "Für Zoë", "Grüße\r\n")
    assert [file[1:] for file in asked.files] == [(name, NOWHERE, b"%PDF")]
    assert (len(program.asked), program.sent) == (1, 1)


@pytest.mark.parametrize(
    "told", [{"name": ""}, {"library": ""}], ids=["no default", "a default without a DLL"]
)
def test_without_a_mail_program_nothing_is_handed_over(program: MailProgram, told: dict[str, str]) -> None:
    """Windows would show a dialog, so that it is not asked."""
    program.begin(**told)
    journal = Journal()
    with by_program(program) as transport, pytest.raises(Unavailable, match="no default mail program"):
        transport.send(letter(), journal)
    assert not journal.handed_over


def test_a_program_of_the_users_that_is_none_leaves_it_to_the_machines(program: MailProgram) -> None:
    """An empty name says nothing; another one that names no DLL is called as little as none."""
    program.begin()
    journal = Journal()
    with by_program(program) as transport:
        program.users("")
        transport.send(letter(), Journal())
        program.users("Another")
        with pytest.raises(Unavailable, match="no default mail program"):
            transport.send(letter(), journal)
        program.users("")
    assert (journal.handed_over, program.sent) == (False, 1)


def test_a_program_that_windows_has_no_dll_of_for_simple_mapi_is_answered_by_windows(
    program: MailProgram,
) -> None:
    """DLLPathEx is for Extended MAPI: Wine's answer is 26, and nothing was asked."""
    program.begin(value="DLLPathEx")
    with by_program(program) as transport, pytest.raises(Unavailable, match="answered 26"):
        transport.send(letter(), Journal())
    assert program.asked == []


def test_a_mail_program_whose_dll_is_gone_is_answered_by_windows(program: MailProgram) -> None:
    """Wine's answer is 26; Windows may show a dialog, which ends at the deadline."""
    program.begin(library=GONE)
    with by_program(program) as transport, pytest.raises(Unavailable, match="answered 26"):
        transport.send(letter(), Journal())
    assert program.asked == []
