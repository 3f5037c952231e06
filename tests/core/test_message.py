"""What the host wrote: checked when it is built, in one place, with a sentence and a cure."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pillarbox import Address, Attachment, Calendar, Message, MessageError, Unsubscribe
from pillarbox._message import OURS, message_id
from tests.core.messages import INVITATION
from tests.core.test_address import CONTROLS

TO = "a@b.example"

PLACES: dict[str, Callable[[str], object]] = {
    "subject": lambda text: Message(to=TO, subject=text),
    "reference": lambda text: Message(to=TO, reference=text),
    "header name": lambda text: Message(to=TO, headers={text: "value"}),
    "header value": lambda text: Message(to=TO, headers={"X-Note": text}),
    "in reply to": lambda text: Message(to=TO, in_reply_to=f"<{text}@b.example>"),
    "references": lambda text: Message(to=TO, references=["<a@b.example>", f"<{text}@b.example>"]),
    "message id": message_id,
    "to": lambda text: Message(to=f"{text}@b.example"),
    "name": lambda text: Message(to=Address("a@b.example", text)),
    "cc name": lambda text: Message(to=TO, cc=f'"{text}" <a@b.example>'),
    "bcc": lambda text: Message(bcc=["c@b.example", f"{text}@b.example"]),
    "reply to": lambda text: Message(to=TO, reply_to=f"a@{text}.example"),
    "file name": lambda text: Attachment(text, b""),
    "content type": lambda text: Attachment("a.bin", b"", f"application/{text}"),
    "parameter": lambda text: Attachment("a.bin", b"", f'text/csv; header="{text}"'),
    "content id": lambda text: Attachment("a.png", b"", inline=True, content_id=text),
    "invitation's name": lambda text: Calendar(INVITATION, text),
    "unsubscribe url": lambda text: Unsubscribe(f"https://acme.example/{text}"),
    "unsubscribe mailbox": lambda text: Unsubscribe(mailto=f"leave@acme.example?subject={text}"),
}


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("place", PLACES)
def test_no_control_character_gets_into_a_message(place: str, control: str) -> None:
    """Rule 32: refused when the value is built, wherever it stands."""
    for text in (f"a{control}Bcc: x", f"a{control}", f"{control}a", f"a{control} b", f"a{control}{control}b"):
        with pytest.raises(MessageError):
            PLACES[place](text)


@pytest.mark.parametrize("name", ["", " ", "X Note", "X-Note:", "X:Note", "X-Nöte", "X-Note ", "a" * 77])
def test_a_header_name_is_an_rfc_5322_token(name: str) -> None:
    """A colon or a space in a name would start another field."""
    with pytest.raises(MessageError):
        Message(to=TO, headers={name: "value"})


@pytest.mark.parametrize(
    "name", [*sorted(OURS), "Bcc", "FROM", "Content-Type", "content-foo", "Resent-To", "Resent-Bcc"]
)
def test_a_header_that_is_not_the_hosts_is_refused(name: str) -> None:
    """What pillarbox writes, what the parts need, and what would send to somebody else."""
    with pytest.raises(MessageError, match="can't be given"):
        Message(to=TO, headers=[(name, "value")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": b"bytes"},
        {"html": 5},
        {"text": "a\0b"},
        {"html": "\ud800"},
        {"subject": None},
        {"subject": "a" * 8_001},
        {"importance": "urgent"},
        {"importance": ["high"]},
        {"attachments": "invoice.pdf"},
        {"attachments": [b"bytes"]},
        {"attachments": 5},
        {"headers": "X-Note: value"},
        {"headers": [("X-Note",)]},
        {"headers": {"X-Note": 5}},
        {"headers": 5},
        {"calendar": INVITATION},
        {"unsubscribe": "https://acme.example/leave"},
        {"not_after": dt.datetime(2026, 1, 1)},  # noqa: DTZ001
        {"not_after": "tomorrow"},
        {"to": 5},
        {"to": [None]},
        {"references": ["no brackets and spaces"]},
        {"in_reply_to": "<a@b.example> and more"},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_when_the_message_is_built(wrong: dict[str, Any]) -> None:
    """With a MessageError and nothing else, so that a host needs one except."""
    with pytest.raises(MessageError):
        Message(**{"to": TO, **wrong})


def test_a_message_without_a_recipient_is_refused() -> None:
    """Reply-To is none."""
    with pytest.raises(MessageError, match="no recipient"):
        Message(reply_to=TO, text="hello")


def test_more_recipients_than_anybody_takes_are_refused() -> None:
    """Ten thousand pass, one more does not."""
    many = [f"a{number}@b.example" for number in range(10_001)]
    assert len(Message(to=many[1:]).recipients) == 10_000
    with pytest.raises(MessageError, match="10,000"):
        Message(to=many)


def test_recipients_are_each_mailbox_once_in_the_order_given() -> None:
    """To, then Cc, then Bcc; a domain in another case or encoding is the same."""
    message = Message(
        to=["Anna <a@bücher.example>", "c@d.example"],
        cc=["a@XN--bcher-kva.example", "e@f.example"],
        bcc=["c@d.example", "A@bücher.example"],
    )
    shown = [address.address for address in message.recipients]
    assert shown == ["a@bücher.example", "c@d.example", "e@f.example", "A@bücher.example"]


def test_one_value_or_several_are_taken_alike() -> None:
    """Addresses, attachments, headers and Message-IDs, as a host has them."""
    file = Attachment("a.txt", b"a")
    one = Message(to=TO, attachments=file, headers={"X-A": "b"}, references="<a@b> <c@d>", in_reply_to="a@b")
    many = Message(
        to=[Address(TO)],
        attachments=[file],
        headers=[("X-A", "b")],
        references=["a@b", "c@d"],
        in_reply_to=["<a@b>"],
    )
    assert one == many
    assert many.references == ("<a@b>", "<c@d>")


def test_a_message_is_not_changed_by_what_it_was_made_from() -> None:
    """Lists and mappings of the host are copied."""
    recipients, options = [TO], {"smtp": {"dsn": True}}
    message = Message(to=recipients, options=options)
    recipients.append("c@d.example")
    options["smtp"] = {}
    assert message.to == (Address(TO),)
    assert message.options == {"smtp": {"dsn": True}}


def test_a_message_can_be_compared_but_is_no_key() -> None:
    """Its options are a mapping; a host keeps messages by its own reference."""
    assert Message(to=TO, subject="a") == Message(to=TO, subject="a") != Message(to=TO, subject="b")
    with pytest.raises(TypeError):
        hash(Message(to=TO))


def test_what_the_host_writes_survives_pickle_and_copy() -> None:
    """It crosses process boundaries (Celery)."""
    message = Message(
        to="Anna <a@bücher.example>",
        attachments=[Attachment("a.png", b"PNG", inline=True, content_id="a@b")],
        calendar=Calendar(INVITATION),
        unsubscribe=Unsubscribe("https://acme.example/leave"),
        not_after=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
    )
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message


def test_a_body_and_a_file_are_not_shown() -> None:
    """A log that prints a file or an invitation prints its size."""
    assert repr(Attachment("a.txt", b"secret")) == (
        "Attachment(filename='a.txt', content=<6 bytes>, content_type='text/plain', inline=False, content_id='')"
    )
    assert "VCALENDAR" not in repr(Calendar(INVITATION))


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("invoice.pdf", "application/pdf"),
        ("Report.XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("rows.csv", "text/csv"),
        ("mail.eml", "message/rfc822"),
        ("page.html", "text/html"),
        ("sound.wav", "audio/x-wav"),
        ("backup.tar.gz", "application/octet-stream"),
        ("no ending", "application/octet-stream"),
        ("data:multipart/mixed,x", "application/octet-stream"),
        ('data:te"xt/x,y', "application/octet-stream"),
        ("strange.ü", "application/octet-stream"),
        (".", "application/octet-stream"),
    ],
)
def test_a_content_type_is_guessed_by_the_end_of_the_file_name(filename: str, kind: str) -> None:
    """And nothing else in the name can become one."""
    assert Attachment(filename, b"").content_type == kind


@pytest.mark.parametrize(
    "given",
    [
        "application",
        "application/",
        "/pdf",
        "multipart/mixed",
        "Multipart/Mixed; boundary=x",
        "text/plain; charset",
        'text/plain; charset="utf-8',
        "text/plain; char set=utf-8",
        "text/plain, text/html",
        "text/plain; a=b; c",
        "text/pläin",
        'text/plain; a="ü"',
        "text/plain; " + "a=b; " * 100,
    ],
)
def test_what_is_no_content_type_is_refused(given: str) -> None:
    """RFC 2045 5.1; a multipart is not a file."""
    with pytest.raises(MessageError, match="content type"):
        Attachment("a.bin", b"", given)


def test_the_parameters_of_a_content_type_are_read() -> None:
    """Unquoted, in order, their names in lower case."""
    file = Attachment("a.csv", b"", 'Text/CSV;Charset=utf-8 ; header="pre \\"sent\\""')
    assert file.kind == "text/csv"
    assert file.parameters == (("charset", "utf-8"), ("header", 'pre "sent"'))


@pytest.mark.parametrize("content", [b"abc", bytearray(b"abc"), memoryview(b"abc")])
def test_a_file_keeps_its_own_bytes(content: bytes) -> None:
    """Whatever kind of buffer they came in."""
    assert Attachment("a.bin", content).content == b"abc"


@pytest.mark.parametrize(
    "wrong",
    [
        {"content": "text"},
        {"content": None},
        {"filename": ""},
        {"filename": None},
        {"filename": "a" * 256},
        {"inline": True},
        {"content_id": "<a@b>"},
        {"content_id": "a b"},
        {"content_id": "ä"},
        {"content_id": "a" * 251},
        {"content_type": 5},
    ],
)
def test_a_file_that_can_not_be_attached_is_refused(wrong: dict[str, Any]) -> None:
    """A file has a name and bytes, an inline one a content id."""
    with pytest.raises(MessageError):
        Attachment(**{"filename": "a.png", "content": b"", **wrong})


def test_two_files_with_one_content_id_are_refused() -> None:
    """HTML could show only one of them."""
    picture = Attachment("a.png", b"a", inline=True, content_id="a")
    with pytest.raises(MessageError, match="content_id"):
        Message(to=TO, html="<img src=cid:a>", attachments=[picture, picture])


def test_a_file_is_read_from_a_path_under_its_own_name(tmp_path: Path) -> None:
    """Now, not when the mail leaves."""
    path = tmp_path / "invoice.pdf"
    path.write_bytes(b"%PDF")
    file = Attachment.from_path(path)
    path.unlink()
    assert file == Attachment("invoice.pdf", b"%PDF", "application/pdf")


@pytest.mark.parametrize("line", ["METHOD:REQUEST", "method:request", "Method:Request "])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_the_method_of_an_invitation_is_read_from_its_text(line: str, ending: str) -> None:
    """In any case, with any line break."""
    content = ending.join(["BEGIN:VCALENDAR", "X-METHOD:PUBLISH", line, " METHOD:CANCEL", "END:VCALENDAR"])
    assert Calendar(content).method == "REQUEST"


@pytest.mark.parametrize(
    "content",
    [
        "",
        None,
        b"BEGIN:VCALENDAR",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nMETHOD:RE QUEST",
        "BEGIN:VCALENDAR\nMETHOD:" + "A" * 41,
        "METHOD:REQUEST",
        INVITATION + "\0",
    ],
)
def test_what_is_no_invitation_is_refused(content: Any) -> None:
    """A calendar would ignore it, and the recipient see a strange file."""
    with pytest.raises(MessageError):
        Calendar(content)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"url": "http://acme.example/leave"},
        {"url": "https://acme.example/a b"},
        {"url": "https://acme.example/>,<mailto:x@y.example"},
        {"mailto": "läave@acme.example"},
        {"url": "https://acme.example/" + "a" * 900},
    ],
)
def test_what_nobody_can_unsubscribe_with_is_refused(wrong: dict[str, Any]) -> None:
    """RFC 2369 and RFC 8058: https, ASCII, nothing that ends the brackets."""
    with pytest.raises(MessageError):
        Unsubscribe(**wrong)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a@b.example", "<a@b.example>"),
        ("<a.b+c@[192.0.2.1]>", "<a.b+c@[192.0.2.1]>"),
        ("<a=2@b>", "<a=2@b>"),
    ],
)
def test_a_message_id_is_kept_in_brackets(given: str, kept: str) -> None:
    """RFC 5322 3.6.4."""
    assert message_id(given) == kept


@pytest.mark.parametrize(
    "given", ["", "<>", "a", "<a>", "<a@>", "<@b>", "a b@c", "<a@b><c@d>", "<a@b", "ä@b", "a" * 901]
)
def test_what_is_no_message_id_is_refused(given: str) -> None:
    """Ours has an @; nothing in it ends it."""
    with pytest.raises(MessageError):
        message_id(given)


def test_somebody_elses_message_id_may_lack_the_at_sign() -> None:
    """Programs write such ids, and an answer has to name them."""
    assert Message(to=TO, in_reply_to="<abc123>").in_reply_to == ("<abc123>",)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("piece", ["a", " ", "; a=b", '"', "=?", "METHOD:", "<", "a@"])
def test_huge_values_are_refused_at_once(place: str, piece: str) -> None:
    """No check takes more than linear time: a quadratic one would run into the time limit."""
    with pytest.raises(MessageError):
        PLACES[place](piece * (2_000_000 // len(piece)))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["\nMETHOD:", "\nMETHOD:A B ", "METHOD:A", "\n", "\r ", "A"])
def test_a_huge_invitation_is_looked_through_in_linear_time(piece: str) -> None:
    """Its text has no limit of its own."""
    with pytest.raises(MessageError, match="METHOD"):
        Calendar("BEGIN:VCALENDAR " + piece * (5_000_000 // len(piece)) + "x!")
