"""The slip: what is known of one mail, on one page, for whoever is told that it never came."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from ._errors import quotation
from ._mail import Answer, AnswerState, State
from ._outbox import Entry, Event
from ._outbox.again import everybody

if TYPE_CHECKING:
    from ._reports import KeptReport

Pairs = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class Slip:
    """What is shown of one mail; plain texts, none of them trusted.

    Attributes:
        title: What it was about.
        state: Where it stands.
        facts: Names and values.
        recipients: Each address, and what the server said of it, in its own words.
        attachments: Each name, and its size and SHA-256.
        reports: Each recipient, and what was reported of it afterwards: the provider's words, which prove nothing.
        history: Each moment, and what happened.
        limits: One sentence on what this does not prove.
    """

    title: str
    state: str
    facts: Pairs
    recipients: Pairs
    attachments: Pairs
    history: Pairs
    limits: str
    reports: Pairs = ()


def slip(
    entry: Entry,
    history: Sequence[Event] = (),
    repeats: Sequence[Entry] = (),
    reports: Sequence[KeptReport] = (),
) -> Slip:
    """Return the slip of *entry*.

    Args:
        entry: With or without its bytes.
        history: What happened to it.
        repeats: The entries that send it again on purpose.
        reports: What was reported of it afterwards.
    """
    return Slip(
        title=quotation(entry.subject) or "(no subject)",
        state=entry.state.value,
        facts=tuple((name, quotation(value)) for name, value in _facts(entry, repeats) if value),
        recipients=tuple((quotation(who), _answer(entry, who)) for who in everybody(entry)),
        attachments=tuple(
            (quotation(one.filename), f"{one.size:,} octets, SHA-256 {one.sha256}")
            for one in entry.enclosures
        ),
        history=tuple(_lines(entry, history)),
        limits=limits(entry),
        reports=tuple((quotation(one.recipient), _reported(one)) for one in reports),
    )


def _reported(report: KeptReport) -> str:
    """Return what was reported of a recipient, and when; as whoever reported it says."""
    when = moment(report.at or report.recorded_at)
    said = f": {quotation(report.detail)}" if report.detail else ""
    return f"reported as {report.kind.value}, {when}{said}"


def _facts(entry: Entry, repeats: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    one, receipt = entry.submission, entry.receipt
    yield "Reference", one.reference
    yield "Why", entry.reason
    yield "Written", moment(one.composed_at)
    yield "Written by", entry.user or "nobody in particular"
    yield "From", one.from_header or "the mail program's own address"
    yield "Bounces to", one.envelope.sender or ""
    yield "Sent by", f"{entry.mailbox} by {entry.method} ({entry.account})"
    if entry.attempted_at is not None:
        yield "Last handed over", moment(entry.attempted_at)
    if receipt is not None and entry.state is State.ACCEPTED:
        yield ("Accepted" if _is_told(entry) else "Found out"), moment(receipt.at)
        yield "Account really used", receipt.sender or ""
    if receipt is not None:
        yield "Server's name for it", receipt.reference
        yield "Server's words", receipt.detail
        yield "Connection", receipt.security
        yield "Server's Message-ID", receipt.provider_message_id
        yield "Sent copy", str(receipt.copy) if receipt.copy is not None else ""
    yield "Message-ID", one.message_id
    yield "Attempts", str(entry.attempts)
    yield "Key", entry.key
    yield "Part of", entry.part_of
    yield "Again of", entry.again_of
    yield "Sent again as", ", ".join(repeat.key for repeat in repeats)


def _is_told(entry: Entry) -> bool:
    """Whether the carrier itself said so; else it was found out later, by a look or by a person."""
    return entry.receipt is not None and bool(entry.receipt.recipients)


def _answer(entry: Entry, who: str) -> str:
    """Return what became of one recipient, with the server's words and its code."""
    answer = entry.receipt.recipients.get(who) if entry.receipt is not None else None
    if answer is None:
        return _UNANSWERED.get(entry.state, "not sent yet")
    return ": ".join(filter(None, (_WORDS[answer.state], _said(answer))))


def _said(answer: Answer) -> str:
    """Return the server's words, led by its code where they don't begin with it."""
    if answer.said.startswith(answer.code):
        return quotation(answer.said)
    return quotation(f"{answer.code} {answer.said}")


_WORDS = {
    AnswerState.ACCEPTED: "accepted",
    AnswerState.REFUSED: "refused",
    AnswerState.REFUSED_FOR_NOW: "refused for now",
}
_UNANSWERED = {
    State.ACCEPTED: "sent, as was found out later",
    State.REJECTED: "not sent",
    State.CANCELLED: "not sent",
    State.UNKNOWN: "not known",
    State.HELD: "not known, or not sent yet",
    State.ATTEMPTING: "being sent",
}


def _lines(entry: Entry, history: Sequence[Event]) -> Iterator[tuple[str, str]]:
    yield moment(entry.created_at), "put into the outbox"
    for event in history:
        by = f" (by {quotation(event.by)})" if event.by else ""
        reason = quotation(event.reason)
        code = f" [{quotation(event.code)}]" if event.code and event.code not in reason else ""
        yield moment(event.at), f"{event.state.value}{f': {reason}' if reason else ''}{code}{by}"


def limits(entry: Entry) -> str:
    """Return one sentence on what the slip of *entry* does not prove."""
    if entry.state is State.ACCEPTED and not _is_told(entry):
        return "It was found out later that the mail was sent; what the server said of each recipient is not known."
    if entry.state is State.ACCEPTED:
        if entry.receipt is not None and entry.receipt.submitted_only:
            return "The account took the mail to send it later; that says nothing of whether it left, was put into a mailbox or was read."
        return "The server took charge of the mail for those it accepted; that says nothing of whether it reached a mailbox or was read."
    if entry.state in {State.UNKNOWN, State.HELD, State.ATTEMPTING} and entry.attempted_at is not None:
        return "The mail was handed over and no answer is known, so this proves neither that it left nor that it did not."
    if entry.state in {State.REJECTED, State.CANCELLED}:
        return "This says what this outbox did; the same mail may have been sent some other way."
    return "The mail has not been sent yet."


def moment(at: dt.datetime) -> str:
    """Return *at* with its offset from UTC, in this machine's zone."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}"


_STYLE = """
body { font: 11pt/1.45 Georgia, serif; color: #111; background: #fff; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .15rem .6rem .15rem 0; }
th { font-weight: normal; color: #555; width: 28%; } th, td { overflow-wrap: anywhere; }
p.limits { border-top: 1px solid #999; padding-top: .6rem; } @media print { body { margin: 0; } @page { margin: 18mm; } }
""".strip()
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{state}</p>
{tables}
<p class="limits">{limits}</p>
</body>
</html>
"""


def slip_html(shown: Slip) -> str:
    """Return *shown* as a page of HTML that needs nothing else, runs nothing, and prints on paper."""
    tables = "\n".join(
        [
            _table("", shown.facts),
            _table("Recipients", shown.recipients),
            _table("Reported afterwards", shown.reports),
            _table("Attachments", shown.attachments),
            _table("History", shown.history),
        ]
    )
    return _PAGE.format(
        title=html.escape(shown.title),
        style=_STYLE,
        state=html.escape(shown.state),
        tables=tables,
        limits=html.escape(shown.limits),
    )


def _table(title: str, rows: Pairs) -> str:
    if not rows:
        return ""
    head = f"<h2>{html.escape(title)}</h2>\n" if title else ""
    cells = "\n".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows
    )
    return f"{head}<table>\n{cells}\n</table>"
