"""What the account could do that it can't do now, and the other way round: copies, looking, retries."""

from __future__ import annotations

from collections.abc import Iterator

from .._accounts import sign_in_of
from .._mail import AnswerState
from .._outbox import Entry
from .._plugins import asked
from .._route import Finding, Level
from .._settings import Account
from .._transports import Transport
from .change import Change


def abilities(change: Change, transport: type[Transport]) -> Iterator[Finding]:
    """Yield what would be other in sent copies, in looking, and in retrying."""
    account, now = change.account, change.now
    if account is None:
        return
    before = None if now is None else change.transports[now.method]
    yield from _copies(account, now, transport, before)
    yield _looking(change, account, transport)
    yield from _partial(change, transport, before)
    yield from _options(change)


def _copies(
    account: Account, now: Account | None, transport: type[Transport], before: type[Transport] | None
) -> Iterator[Finding]:
    then = asked(transport, "describe", account.settings).copy or "not known"
    if now is None or before is None:
        yield Finding("copy", Level.OK, "change-copy", then)
        return
    today = asked(before, "describe", now.settings).copy or "not known"
    if then != today:
        level = Level.WARN if before.saves_copy and not transport.saves_copy else Level.OK
        yield Finding("copy", level, "change-copy", f"now: {today}; then: {then}")


def _looking(change: Change, account: Account, transport: type[Transport]) -> Finding:
    connection = change.connection(account)
    able = transport.capabilities(connection)
    if able.find:
        return Finding("look", Level.OK, "change-look", "a mail in doubt can be looked for")
    if connection is None and sign_in_of(account, transport)[0] and transport.connector:
        seen = "whether a mail in doubt can be looked for depends on what is allowed when the account is connected"
        return Finding("look", Level.SKIP, "change-look", seen, "Connect it with send and confirm.")
    seen = able.note or "a mail in doubt can't be looked for: it waits for a person"
    return Finding("look", Level.WARN, "change-look", seen)


def _partial(change: Change, transport: type[Transport], before: type[Transport] | None) -> Iterator[Finding]:
    if transport.takes_envelope or (before is not None and not before.takes_envelope):
        return
    count = sum(map(_was_partly_refused, change.sent))
    seen = f"recipients that are refused for now can't be tried again alone; that concerned {count:,} messages so far"
    yield Finding("recipients", Level.WARN if count else Level.OK, "change-partial", seen)


def _was_partly_refused(entry: Entry) -> bool:
    answers = entry.receipt.recipients.values() if entry.receipt is not None else ()
    return any(answer.state is not AnswerState.ACCEPTED for answer in answers)


def _options(change: Change) -> Iterator[Finding]:
    """Yield how many messages asked for something of their method alone."""
    asking = [one for one in change.sent if one.submission.options and one.method != change.to]
    if asking:
        methods = ", ".join(sorted({one.method for one in asking}))
        seen = (
            f"{len(asking):,} messages asked for something that only {methods} does; it would be passed over"
        )
        yield Finding("options", Level.WARN, "change-options", seen)
