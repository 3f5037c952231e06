"""Messages, routes, and the strategies that make them up."""

from __future__ import annotations

import datetime as dt

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pillarbox import Account, Address, Attachment, Calendar, Message, Route

KEY = "0123456789abcdef0123456789abcdef"
AT = dt.datetime(2026, 11, 24, 9, 30, 5, tzinfo=dt.UTC)
ANNA = Address("anna@acme.example", "Anna Berg")
ROUTE = Route(
    account=Account(owner="company", method="smtp"), from_address=ANNA, envelope_sender="anna@acme.example"
)
INVITATION = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Köln\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
TRAPS = [
    "=?utf-8?q?a?=",
    "=?",
    "?=",
    "  ",
    " ",
    ",",
    ";",
    '"',
    "\\",
    "(",
    "<",
    "@",
    ".",
    "%",
    "'",
    "ü",
    "ß",
    "日本",
    "😀",
    "é",
]

patient = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
"""For a machine that others use too."""

characters = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
words = st.one_of(st.text(characters, max_size=12), st.sampled_from([*TRAPS, "a" * 120, "é" * 60]))


def lines(most: int) -> st.SearchStrategy[str]:
    """Return texts of one line: words of every alphabet, the traps of header syntax, long ones."""
    return st.lists(words, max_size=12).map("".join).map(lambda text: text[:most])


names = lines(200)
subjects = lines(600)
filenames = lines(200).filter(bool)
addresses = st.sampled_from(
    ["a@b.example", "a.b+c@acme.example", '"a b"@acme.example', "x@bücher.example", "o'neil@acme.example"]
)
mailboxes = st.builds(Address, addresses, names)
texts = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80),
        st.sampled_from(["\n", "\r\n", "\r", ".\n", "From x\n", "a" * 1200, "ü" * 400, " \n", "\t\n", "=20"]),
    ),
    max_size=10,
).map("".join)
contents = st.one_of(st.binary(max_size=300), st.binary(min_size=29_180, max_size=29_190))
kinds = st.sampled_from(
    ["", "application/pdf", 'text/csv; charset=utf-8; header="pre sent"', "text/plain", "image/png"]
)
attachments = st.builds(Attachment, filenames, contents, kinds)
pictures = st.builds(
    lambda name, content, number: Attachment(
        name, content, "image/png", inline=True, content_id=f"p{number}@acme"
    ),
    filenames,
    contents,
    st.integers(0, 10**9),
)
calendars = st.sampled_from([None, Calendar(INVITATION), Calendar(INVITATION, "Einladung für Köln.ics")])
messages = st.builds(
    Message,
    to=st.lists(mailboxes, min_size=1, max_size=4),
    cc=st.lists(mailboxes, max_size=3),
    bcc=st.lists(mailboxes, max_size=3),
    reply_to=st.lists(mailboxes, max_size=2),
    subject=subjects,
    text=st.none() | texts,
    html=st.none() | texts,
    attachments=st.lists(
        st.one_of(attachments, pictures), max_size=3, unique_by=lambda one: one.content_id or id(one)
    ),
    headers=st.dictionaries(st.sampled_from(["X-Document", "X-Host-Note"]), lines(2000)),
    references=st.lists(st.sampled_from(["<a@b.example>", f"<{'r' * 150}@b.example>"]), max_size=4),
    calendar=calendars,
)
