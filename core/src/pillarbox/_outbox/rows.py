"""Entries as rows of any SQL database, and back: plain values, JSON for what is never asked for by itself."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .._errors import MessageError
from .._mail import Answer, AnswerState, Copy, CopyState, Envelope, Receipt, State, Submission
from .entry import Enclosure, Entry

COLUMNS = (
    "key", "lane", "company", "owner", "method", "mailbox", "actor", "state", "due", "priority", "attempts", "fence",
    "worker", "reason", "code", "created", "changed", "attempted", "tried", "digest", "part_of", "again_of",
    "reference", "recipients", "remaining", "not_after", "frozen", "notes", "receipt",
)  # fmt: skip
"""The columns of an entry, in order; its bytes lie in a table of their own."""

_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


_RECEIPT = tuple(field.name for field in attrs.fields(Receipt))


def micros(at: dt.datetime) -> int:
    """Return *at* as microseconds since 1970, which sort and compare the same in every database."""
    return (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> dt.datetime:
    """Return what `micros` made a number."""
    return _EPOCH + dt.timedelta(microseconds=value)


def or_none(value: int | None) -> dt.datetime | None:
    """Return the moment of *value*, or None."""
    return None if value is None else moment(value)


def row_of(entry: Entry) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`.

    Raises:
        MessageError: An option of the message is nothing that can be kept.
    """
    return (
        entry.key,
        entry.account,
        entry.company,
        entry.owner,
        entry.method,
        entry.mailbox,
        entry.user,
        entry.state.value,
        micros(entry.due_at),
        entry.priority,
        entry.attempts,
        entry.fence,
        entry.worker,
        entry.reason,
        entry.code,
        micros(entry.created_at),
        micros(entry.changed_at),
        None if entry.attempted_at is None else micros(entry.attempted_at),
        None if entry.tried_at is None else micros(entry.tried_at),
        entry.digest,
        entry.part_of,
        entry.again_of,
        entry.submission.reference,
        "\n".join(entry.submission.envelope.recipients),
        None,
        None if entry.submission.not_after is None else micros(entry.submission.not_after),
        _frozen(entry),
        text_of(dict(entry.notes)),
        receipt_text(entry.receipt),
    )


def _frozen(entry: Entry) -> str:
    """Return what never changes and is never asked for, as JSON."""
    one = entry.submission
    facts: dict[str, Any] = {
        "id": one.message_id,
        "from": one.envelope.sender,
        "size": entry.size,
        "header_size": one.header_size,
        "from_header": one.from_header,
        "smtputf8": one.smtputf8,
        "at": micros(one.composed_at),
        "subject": entry.subject,
        "enclosures": [(each.filename, each.size, each.sha256) for each in entry.enclosures],
    }
    if one.options:
        facts["options"] = dict(one.options)
    try:
        return _compact(facts)
    except (TypeError, ValueError):
        raise MessageError(
            "The message's options hold a value that can't be kept in the outbox.",
            cure="Give text, numbers, lists and tables alone.",
        ) from None


def text_of(values: Mapping[str, Any]) -> str:
    """Return *values* as JSON, or "" for none."""
    return _compact(values) if values else ""


def receipt_text(receipt: Receipt | None) -> str | None:
    """Return *receipt* as JSON."""
    if receipt is None:
        return None
    facts: dict[str, Any] = {name: getattr(receipt, name) for name in _RECEIPT}
    facts["at"] = micros(receipt.at)
    facts["recipients"] = {
        who: (one.state.value, one.said, one.code) for who, one in receipt.recipients.items()
    }
    if receipt.copy is not None:
        facts["copy"] = (receipt.copy.state.value, receipt.copy.where, receipt.copy.detail, receipt.copy.cure)
    return _compact({name: value for name, value in facts.items() if value})


def receipt_of(text: str | None) -> Receipt | None:
    """Return what `receipt_text` made a text."""
    if not text:
        return None
    facts = json.loads(text)
    answers = {
        who: Answer(AnswerState(state), said, code)
        for who, (state, said, code) in facts.pop("recipients", {}).items()
    }
    if "copy" in facts:
        state, where, detail, cure = facts["copy"]
        facts["copy"] = Copy(CopyState(state), where, detail, cure=cure)
    named = {name: value for name, value in facts.items() if name in _RECEIPT}
    return Receipt(**{**named, "at": moment(facts["at"]), "recipients": answers})


def entry_of(row: Sequence[Any], content: bytes | None = None, bcc: bytes | None = None) -> Entry:
    """Return the entry of a *row* of `COLUMNS`, with its bytes where they are given."""
    it = dict(zip(COLUMNS, row, strict=True))
    frozen = json.loads(it["frozen"])
    remaining = it["remaining"] if it["remaining"] is not None else it["recipients"]
    submission = Submission(
        key=it["key"],
        message_id=frozen["id"],
        envelope=Envelope(frozen["from"], tuple(remaining.split("\n"))),
        chunks=(bytes(content),) if content else (),
        bcc_header=bytes(bcc) if bcc else b"",
        header_size=frozen["header_size"],
        from_header=frozen["from_header"],
        smtputf8=frozen["smtputf8"],
        reference=it["reference"],
        not_after=or_none(it["not_after"]),
        options=frozen.get("options", {}),
        composed_at=moment(frozen["at"]),
    )
    return Entry(
        submission=submission,
        account=it["lane"],
        owner=it["owner"],
        company=it["company"],
        method=it["method"],
        mailbox=it["mailbox"],
        user=it["actor"],
        subject=frozen["subject"],
        enclosures=tuple(Enclosure(*one) for one in frozen["enclosures"]),
        digest=it["digest"],
        priority=it["priority"],
        part_of=it["part_of"],
        again_of=it["again_of"],
        state=State(it["state"]),
        due_at=moment(it["due"]),
        attempts=it["attempts"],
        notes=json.loads(it["notes"]) if it["notes"] else {},
        reason=it["reason"],
        code=it["code"],
        receipt=receipt_of(it["receipt"]),
        worker=it["worker"],
        fence=it["fence"],
        created_at=moment(it["created"]),
        changed_at=moment(it["changed"]),
        attempted_at=or_none(it["attempted"]),
        tried_at=or_none(it["tried"]),
        size=frozen.get("size", submission.size),
    )
