"""Whose mail would show another address, get answers elsewhere, or not go at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._address import comparable
from .._errors import PillarboxError, SenderMismatch
from .._route import Finding, Level, Route
from .._settings import User
from .change import Change

MOST_TOLD = 20
"""The most writers that are told of one by one for the same thing."""


def addresses(change: Change) -> Iterator[Finding]:
    """Yield what would be other in the addresses, writer by writer."""
    found = [one for writer in change.writers for one in _of_writer(change, writer)]
    yield from _bounded(found)
    told = {one.code for one in found}
    if not told & {"change-from", "change-from-unproven", "change-writer-stopped", "change-writer-begins"}:
        yield Finding("sender", Level.OK, "change-from-kept", "mail shows the addresses that it shows now")
    if change.user is None and change.personal:
        seen = f"{change.personal:,} with an account of their own, which stays as it is"
        yield Finding("sender", Level.OK, "change-personal", seen)


def _bounded(found: Iterable[Finding]) -> Iterator[Finding]:
    """Give *found*, of each code so many, and the number of the rest."""
    kinds: dict[tuple[str, Level], list[Finding]] = {}
    for one in found:
        kinds.setdefault((one.code, one.level), []).append(one)
    for (code, level), those in kinds.items():
        yield from those[:MOST_TOLD]
        rest = len(those) - MOST_TOLD
        if rest > 0:
            yield Finding(those[0].stage, level, "change-more-writers", f"{rest:,} more with {code}")


def _of_writer(change: Change, writer: User | None) -> Iterator[Finding]:
    before, after = change.before(writer), change.after(writer)
    who = "mail that nobody in particular writes" if writer is None else str(writer)
    if isinstance(after, PillarboxError):
        yield from _stopped(who, before, after)
    elif isinstance(before, PillarboxError):
        shown = after.from_address or "the mail program's own address"
        yield Finding(
            "sender", Level.OK, "change-writer-begins", f"{who}: can't send now; would show {shown}"
        )
    else:
        yield from _other(change, who, writer, before, after)


def _stopped(who: str, before: Route | PillarboxError, after: PillarboxError) -> Iterator[Finding]:
    if isinstance(before, PillarboxError):
        return  # there is nothing to lose
    code = "change-from-unproven" if isinstance(after, SenderMismatch) else "change-writer-stopped"
    yield Finding("sender", Level.FAIL, code, f"{who}: {after.detail}", after.cure, exit_code=after.exit_code)


def _other(change: Change, who: str, writer: User | None, before: Route, after: Route) -> Iterator[Finding]:
    if _from(before) != _from(after):
        seen = f"{who}: shows {_from(before)} now; would show {_from(after)}"
        yield Finding("sender", Level.WARN, "change-from", seen, _cure(change, writer, after))
    if _answers(before) != _answers(after):
        seen = f"{who}: answers go to {_answers(before)} now; would go to {_answers(after)}"
        yield Finding("sender", Level.WARN, "change-reply-to", seen)
    if before.envelope_sender != after.envelope_sender:
        seen = f"{who}: bounces go to {_bounces(before)} now; would go to {_bounces(after)}"
        yield Finding("sender", Level.WARN, "change-bounces", seen)
    for warning in after.warnings:
        if warning not in before.warnings:
            yield Finding("sender", Level.WARN, "change-doubtful", f"{who}: {warning}")


def _from(route: Route) -> str:
    return route.from_address.wire if route.from_address else "the mail program's own address"


def _bounces(route: Route) -> str:
    return route.envelope_sender or "the mail program's own address"


def _answers(route: Route) -> str:
    return ", ".join(address.wire for address in route.reply_to) or _from(route)


def _cure(change: Change, writer: User | None, after: Route) -> str:
    """Return how the writer's own address could still be shown, where it could."""
    if writer is None or not writer.address or after.from_address is None or change.user is not None:
        return ""
    if after.from_address.same_mailbox(writer.address):
        return ""
    learned = change.connections.get(after.account.owner)
    aliases = map(comparable, learned.aliases) if learned is not None else ()
    policy = f'{change.to}.from_policy = "send_as"'
    if comparable(writer.address) in aliases:
        return f"It is an alias of the account already: set {policy}."
    return (
        f"To show it, make it an alias of {_from(after)} or grant Send As, connect again, and set {policy}."
    )
