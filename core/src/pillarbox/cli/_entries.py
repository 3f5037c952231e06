"""How the outbox's entries are shown: as lines, as a slip, as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from .._errors import OutboxError, SettingsError
from .._mail import State as Standing
from .._outbox import Entry, Event, Outbox, Search
from .._outbox.again import everybody
from .._outbox.entry import AT_ONCE
from .._owner_only import create
from .._reports import KeptReport
from .._slip import Slip, moment, slip, slip_html
from .._status import sentence
from ._app import State
from ._output import clean, columns, folded, label, plain, print_json, say, width

SHORT = 8
"""How much of a key is shown; the outbox takes the start of one."""
_COLOURS = {
    Standing.ACCEPTED: "green",
    Standing.REJECTED: "red",
    Standing.HELD: "red",
    Standing.UNKNOWN: "yellow",
    Standing.DEFERRED: "yellow",
}


def outbox_of(state: State) -> Outbox:
    """Return the outbox, if there is one.

    Raises:
        OutboxError: Nothing was ever kept.
    """
    found: Outbox | None = state.mailer.existing_queue
    if found is None:
        raise OutboxError("Nothing was kept so far.", cure="Keep a mail with: pillarbox send --queue")
    return found


def named(outbox: Outbox, name: str) -> Entry:
    """Return the entry of this key, or start of a key, or document number, where only one has it.

    Raises:
        OutboxError: There is none, or several.
    """
    found = (
        [] if outbox.get(name) is not None else outbox.list(Search(reference=name, limit=5)) if name else []
    )
    if len(found) > 1:
        keys = ", ".join(entry.key[:SHORT] for entry in found)
        raise OutboxError(
            f"Several mails have the number {clean(name)[:40]}.", cure=f"Name one by its key: {keys}."
        )
    return outbox.known(found[0].key if found else name)


def print_entry(state: State, entry: Entry, said: str) -> None:
    """Print what became of *entry*."""
    if state.json:
        print_json(facts(entry))
    else:
        say(clean(said))


def facts(entry: Entry) -> dict[str, Any]:
    """Return *entry* as a program gets it: all but its bytes, and what is the outbox's own."""
    one = entry.submission
    values: dict[str, Any] = plain({
        "key": entry.key, "state": entry.state, "reason": entry.reason, "code": entry.code, "reference": one.reference,
        "subject": entry.subject, "from": one.from_header, "recipients": everybody(entry), "message_id": one.message_id,
        "account": entry.account, "owner": entry.owner, "company": entry.company, "user": entry.user,
        "method": entry.method, "mailbox": entry.mailbox, "attempts": entry.attempts, "priority": entry.priority,
        "created_at": entry.created_at, "changed_at": entry.changed_at,
        "due_at": None if entry.due_at == AT_ONCE else entry.due_at,
        "part_of": entry.part_of, "again_of": entry.again_of, "enclosures": entry.enclosures, "receipt": entry.receipt,
    })  # fmt: skip
    return values


def print_counts(counts: Mapping[Standing, int]) -> None:
    """Print how many stand in each state that is no end."""
    found = [f"{state.value} {count:,}" for state, count in counts.items() if count]
    say(f"  {'   '.join(found) or 'nothing waits'}")


def print_entries(entries: Iterable[Entry]) -> None:
    """Print a line for each, and below it why it stands where that is not plain, with what can be done."""
    for entry in entries:
        state = label(f"{entry.state.value:<10}", _COLOURS.get(entry.state, "white"))
        say(f"  {state} {entry.key[:SHORT]}  {moment(entry.created_at)[:16]}  {_what(entry)}")
        for line in [line for text in _why(entry) for line in folded(clean(text), width() - 13)]:
            say(f"{'':13}{line}")


def _what(entry: Entry) -> str:
    to = everybody(entry)
    more = f" and {len(to) - 1} more" if len(to) > 1 else ""
    named = " ".join(filter(None, (entry.submission.reference, entry.subject))) or "(no subject)"
    return clean(f"{named} to {to[0]}{more}")


def _why(entry: Entry) -> list[str]:
    if entry.state in {Standing.HELD, Standing.UNKNOWN}:
        short = entry.key[:SHORT]
        way = f"Settle it: pillarbox outbox settle {short} --sent | --not-sent"
        return [sentence(entry.reason), way] if entry.state is Standing.HELD else [sentence(entry.reason)]
    if entry.state in {Standing.ACCEPTED, Standing.QUEUED} and not entry.reason:
        return []
    later = (
        ""
        if entry.due_at == AT_ONCE or entry.state is not Standing.DEFERRED
        else f" Next try: {moment(entry.due_at)[:16]}."
    )
    return [f"{sentence(entry.reason)}{later}"] if entry.reason else []


def print_slip(
    state: State,
    entry: Entry,
    history: Sequence[Event],
    repeats: Sequence[Entry],
    reports: Sequence[KeptReport],
) -> None:
    """Print all that is known of *entry*."""
    if state.json:
        again = [one.key for one in repeats]
        print_json({**facts(entry), "history": list(history), "again": again, "reports": list(reports)})
        return
    shown = slip(entry, history, repeats, reports)
    say(clean(f"{shown.title}: {shown.state}"))
    _print_pairs("", shown.facts)
    _print_pairs("Recipients", shown.recipients)
    _print_pairs("Reported afterwards", shown.reports)
    _print_pairs("Attachments", shown.attachments)
    _print_pairs("History", shown.history)
    say()
    for line in folded(shown.limits, width()):
        say(line)


def print_reports(state: State, entry: Entry, reports: Sequence[KeptReport]) -> None:
    """Print what was reported of *entry*."""
    if state.json:
        print_json({"key": entry.key, "reports": list(reports)})
        return
    pairs = slip(entry, reports=reports).reports
    if not pairs:
        say("Nothing was reported of it.")
    for line in columns(pairs):
        say(line)


def _print_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    if not pairs:
        return
    say()
    if title:
        say(title)
    for line in columns([(f"  {name}", value) for name, value in pairs]):
        say(line)


def write_html(path: str, shown: Slip) -> None:
    """Write the slip to a new file at *path* that only its owner can read.

    Raises:
        SettingsError: The file is there, or can't be written.
    """
    try:
        descriptor = create(path)
    except OSError as error:
        raise SettingsError(
            f"{clean(path)} can't be written: {error.strerror}.", cure="Choose a new file."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(slip_html(shown))


def sure(question: str, *, yes: bool) -> None:
    """Ask, unless it was said beforehand.

    Raises:
        Abort: The answer is no.
    """
    if not yes and not click.confirm(question, err=True):
        raise click.Abort("Nothing was changed.")
