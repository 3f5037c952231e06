"""The messages that are sent and composed: the same words and the same octets for every contender."""

from __future__ import annotations

import functools
import random
from email.message import EmailMessage

import attrs

SENDER = "orders@acme.example"
SENDER_NAME = "Acme Ltd"
RECIPIENT = "ap@customer.example"
SUBJECT = "Invoice 1001 from Acme Ltd"
FILENAME = "invoice.pdf"

PROSE = (
    "please find attached the invoice for your order of last week payment is due within thirty days of the date"
    " above if a line is unclear write to us and name the number of the document our bank details are unchanged"
)


@attrs.frozen
class Case:
    """What a message holds.

    Attributes:
        name: What it is called in the table.
        text: The plain text, LF line ends.
        html: The same as HTML, or None.
        attachment: A PDF's worth of octets that do not compress, or None.
    """

    name: str
    text: str
    html: str | None = None
    attachment: bytes | None = attrs.field(default=None, repr=False)


def case(name: str) -> Case:
    """Return the case called *name*: one of NAMES."""
    return _MAKERS[name]()


def email_message(what: Case) -> EmailMessage:
    """Return *what* as the standard library builds it, with every header that pillarbox writes too."""
    from email.utils import formatdate, make_msgid

    email = EmailMessage()
    email["From"] = f"{SENDER_NAME} <{SENDER}>"
    email["To"] = RECIPIENT
    email["Subject"] = SUBJECT
    email["Date"] = formatdate()
    email["Message-ID"] = make_msgid(domain="acme.example")
    email.set_content(what.text)
    if what.html is not None:
        email.add_alternative(what.html, subtype="html")
    if what.attachment is not None:
        email.add_attachment(what.attachment, maintype="application", subtype="pdf", filename=FILENAME)
    return email


def ready_bytes(what: Case) -> bytes:
    """Return *what* composed by the standard library, CRLF line ends: for contenders that only carry."""
    from email.policy import SMTP

    return email_message(what).as_bytes(policy=SMTP)


def _text(octets: int, word: str = "") -> str:
    """Return about *octets* of prose in short lines, one of which begins with a dot."""
    choose, words = random.Random(1001), PROSE.split()
    lines = ["Dear customer,", "", ". a line with a leading dot, which the wire has to double"]
    while sum(map(len, lines)) + len(lines) < octets:
        lines.append(" ".join([word, *choose.choices(words, k=11)]).strip())
    return "\n".join(lines) + "\n"


@functools.cache
def _octets(count: int) -> bytes:
    return random.Random(5).randbytes(count)


def _page(text: str) -> str:
    paragraphs = "".join(f"<p>{line}</p>\n" for line in text.splitlines())
    return f"<!doctype html>\n<html><body>\n{paragraphs}</body></html>\n"


_MAKERS = {
    "4 KB": lambda: Case("4 KB", _text(4_000)),
    "4 KB, umlauts": lambda: Case("4 KB, umlauts", _text(4_000, "für")),
    "4 KB, HTML": lambda: Case("4 KB, HTML", _text(2_000), _page(_text(2_000))),
    "100 KB": lambda: Case("100 KB", _text(2_000), attachment=_octets(100_000)),
    "2.9 MB": lambda: Case("2.9 MB", _text(2_000), attachment=_octets(2_900_000)),
    "3 MB": lambda: Case("3 MB", _text(2_000), attachment=_octets(3_000_000)),
    "5 MB": lambda: Case("5 MB", _text(2_000), attachment=_octets(5_000_000)),
}
NAMES = tuple(_MAKERS)
