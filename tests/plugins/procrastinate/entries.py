"""Entries to keep, without a directory behind them."""

from __future__ import annotations

import datetime as dt

from pillarbox import Envelope, Submission
from pillarbox.outbox import Entry, Outbox, Wanted


def entry(key: str, lane: str = "company/company", **more) -> Entry:
    """Return an entry of one short message."""
    submission = Submission(
        key=key,
        message_id=f"<{key}@acme.example>",
        envelope=Envelope("orders@acme.example", ("ap@customer.example",)),
        chunks=(b"Subject: Invoice\r\n\r\n", f"Text of {key}\r\n".encode()),
        header_size=20,
        from_header="orders@acme.example",
        reference=more.pop("reference", ""),
        composed_at=dt.datetime.now(dt.UTC),
    )
    mailbox = f"{lane.rpartition('/')[2]}@acme.example"
    facts = {"owner": "company", "company": "company", "method": "slowmail", "mailbox": mailbox}
    return Entry(submission=submission, account=lane, **{**facts, **more})


def claimed(outbox: Outbox, worker: str, **more) -> list[Entry]:
    """Return what *worker* gets of *outbox* when it asks for ten."""
    return outbox.claim(Wanted(worker=worker, **{"most": 10, "each": 10, **more}))
