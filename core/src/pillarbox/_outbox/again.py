"""Sending again on purpose: a new submission of the same message, under a Message-ID and a Date of its own."""

from __future__ import annotations

import datetime as dt
import os
import re

import attrs

from .._composition import date
from .._errors import OutboxError
from .._mail import Envelope, State, Submission
from .entry import AT_ONCE, ENDED, Entry

_DOUBTFUL = frozenset({State.UNKNOWN, State.HELD})


def repeated(entry: Entry, at: dt.datetime, *, anyway: bool = False) -> Entry:
    """Return a new entry that sends the message of *entry* once more, to all who were to get it.

    Its Message-ID and its Date are new, since it is another mail; the rest is byte for byte the same.

    Args:
        entry: With its bytes.
        at: The new Date; aware.
        anyway: Also while it is not known whether the first was sent.

    Raises:
        OutboxError: Its bytes are erased, it has not been sent yet, or nobody knows whether it was.
    """
    _refuse(entry, anyway=anyway)
    one = entry.submission
    key = os.urandom(16).hex()
    identity = f"<{key}@{one.message_id.rpartition('@')[2].rstrip('>')}>"
    header = _with(one.content[: one.header_size], b"Message-ID", identity)
    header = _with(header, b"Date", date(at))
    submission = attrs.evolve(
        one,
        key=key,
        message_id=identity,
        envelope=Envelope(one.envelope.sender, everybody(entry)),
        chunks=(header, one.content[one.header_size :]),
        header_size=len(header),
        not_after=None,
        composed_at=at.astimezone(dt.UTC),
    )
    return _fresh(entry, submission, at)


def _refuse(entry: Entry, *, anyway: bool) -> None:
    if entry.is_erased:
        raise OutboxError(
            f"The bytes of {entry.key} are erased; only its history is kept.", cure="Write it anew."
        )
    if entry.state not in ENDED | _DOUBTFUL:
        raise OutboxError(f"{entry.key} is {entry.state.value}: it has not been sent a first time yet.")
    if entry.state in _DOUBTFUL and not anyway:
        raise OutboxError(
            f"{entry.key} is {entry.state.value}: it may have been sent, and would be sent twice.",
            cure="Find out, or say that it is to be sent anyway.",
        )


def everybody(entry: Entry) -> tuple[str, ...]:
    """Return all who were to get it, those included who have it already and are not tried again."""
    had = entry.receipt.recipients if entry.receipt is not None else {}
    return tuple(dict.fromkeys([*had, *entry.submission.envelope.recipients]))


def _with(header: bytes, name: bytes, value: str) -> bytes:
    """Return *header* with another value in the one field *name*."""
    field = re.compile(rb"^" + name + rb":[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.IGNORECASE | re.MULTILINE)
    line = name + b": " + value.encode() + b"\r\n"
    changed, count = field.subn(lambda _: line, header)
    if count != 1:
        raise OutboxError(f"The message has {count} fields {name.decode()}, so it can't be made another.")
    return changed


def _fresh(entry: Entry, submission: Submission, at: dt.datetime) -> Entry:
    """Return *entry* with *submission*, as if nothing had happened yet."""
    return attrs.evolve(
        entry,
        submission=submission,
        size=submission.size,
        digest="",
        part_of="",
        again_of=entry.key,
        state=State.QUEUED,
        due_at=AT_ONCE,
        attempts=0,
        notes={},
        reason="",
        code="",
        receipt=None,
        worker="",
        fence=0,
        created_at=at.astimezone(dt.UTC),
        changed_at=at.astimezone(dt.UTC),
        attempted_at=None,
        tried_at=None,
    )
