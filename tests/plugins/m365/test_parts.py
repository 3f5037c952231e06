"""A composed message read again without copying it."""

from __future__ import annotations

import base64
import email
import email.policy
import random

import pytest

from pillarbox import Attachment, Calendar
from pillarbox_m365 import parts
from tests.plugins.m365.givens import submission

SIZES = (0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 29_183, 29_184, 29_185, 196_607, 196_608, 400_000)


def octets_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def read(**fields: object) -> parts.Parts:
    made = submission(**fields)
    return parts.read(made.content, made.bcc_header)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_out_as_it_went_in(size: int) -> None:
    """Decoded and in base64, with its sizes known before."""
    content = octets_of(size)
    (leaf,) = read(attachments=[Attachment("a.bin", content)]).files
    assert (b"".join(leaf.decoded()), leaf.size) == (content, size)
    coded = b"".join(leaf.base64())
    assert (coded, len(coded)) == (base64.b64encode(content), leaf.base64_size)


def test_a_message_without_files() -> None:
    """It is its text."""
    whole = read(text="Grüße\n" * 50)
    assert (whole.html, whole.text, whole.files) == (False, "Grüße\r\n" * 50, ())


def test_what_it_shows_is_the_html() -> None:
    """Where there are both, the plain text is left out: Graph has room for one."""
    whole = read(text="plain", html="<p>Grüße " + "x" * 2000 + "</p>")
    assert whole.html
    assert whole.text.startswith("<p>Grüße xxx")
    assert whole.files == ()


def test_files_in_their_order_with_their_names() -> None:
    """Those that the HTML shows come first, as they stand."""
    files = [
        Attachment("größe €.pdf", b"%PDF", "application/pdf"),
        Attachment("logo.png", b"png", "image/png", inline=True, content_id="logo@acme"),
    ]
    found = read(html="<img src='cid:logo@acme'>", attachments=files).files
    assert [(one.name, one.kind, one.content_id, one.is_inline) for one in found] == [
        ("logo.png", "image/png", "logo@acme", True),
        ("größe €.pdf", "application/pdf", "", False),
    ]


def test_a_mail_as_a_file() -> None:
    """It is one part, however it is made inside."""
    inner = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n"
    (leaf,) = read(attachments=[Attachment("old.eml", inner, "message/rfc822")]).files
    assert (leaf.kind, leaf.text()) == ("message/rfc822", inner)
    assert base64.b64decode(b"".join(leaf.base64())) == inner


def test_an_invitation_stays_a_file() -> None:
    """Its second form beside the text goes."""
    content = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    whole = read(text="Come.", calendar=Calendar(content, "REQUEST"))
    assert [one.kind for one in whole.files] == ["application/ics"]
    assert whole.text == "Come.\r\n"


def test_a_text_that_looks_like_a_boundary() -> None:
    """It is text."""
    made = submission(text="x", attachments=[Attachment("a.bin", b"abc")])
    token = made.key
    again = submission(
        text=f"--=_mixed_{token}\n\n--=_mixed_{token}--\n", attachments=[Attachment("a.bin", b"abc")]
    )
    whole = parts.read(again.content)
    assert len(whole.files) == 1
    assert token in whole.text


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_the_header_however_the_message_is_cut(pieces: int) -> None:
    """It is the same as the standard library reads."""
    made = submission(bcc=["hidden@acme.example"])
    content = made.content
    cut = tuple(content[at : at + pieces] for at in range(0, len(content), pieces))
    import attrs

    head = parts.header_of(attrs.evolve(made, chunks=cut))
    wanted = email.message_from_bytes(made.content_with_bcc(), policy=email.policy.default)
    assert head.items() == wanted.items()


@pytest.mark.parametrize("content", [b"", b"Subject: x", b"Subject: x\r\n\r\n", b"\r\n\r\n"])
def test_what_is_hardly_a_message(content: bytes) -> None:
    """It is read as what there is."""
    assert parts.read(content).files == ()


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_a_part_of_a_file_that_was_composed_elsewhere(encoding: str) -> None:
    """Lines of other lengths than ours are read from anywhere as well."""
    content = bytes(range(65, 91)) * 40
    lines = {
        "7bit": content,
        "quoted-printable": content[:500] + b"=\r\n" + content[500:],
        "base64": b"\r\n".join(base64.b64encode(content)[at : at + 57] for at in range(0, 1400, 57)),
    }
    head = f'Content-Type: a/b; name="a"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'.encode()
    (leaf,) = parts.read(head + lines[encoding]).files
    assert (leaf.width, leaf.size) == (0, len(content))
    assert b"".join(leaf.between(333, 999)) == content[333:999]
