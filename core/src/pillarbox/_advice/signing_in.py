"""What has to be set, registered and connected before the first mail leaves by the new method."""

from __future__ import annotations

from collections.abc import Iterator

from .._accounts import connect_command, sign_in_of
from .._errors import PillarboxError
from .._route import Finding, Level
from .._settings import Account, Company
from .change import Change


def signing_in(change: Change) -> Iterator[Finding]:
    """Yield what is missing of settings, registration and sign-in."""
    if change.lacking is not None:
        seen = "; ".join(" ".join(problem.split()) for problem in change.lacking.problems)
        yield Finding("settings", Level.FAIL, "change-settings", seen, _set(change))
    account = change.account
    if account is None:
        return
    connector, _ = sign_in_of(account, change.transports[account.method])
    if not connector:
        return
    try:
        change.register(connector)
    except PillarboxError as error:
        yield Finding("registration", Level.FAIL, "change-registration", error.detail, error.cure)
        yield from _connected(change, account)
        return
    yield from _connected(change, account)
    found = change.connection(account)
    yield from change.granted(account, found) if found is not None else ()


def _connected(change: Change, account: Account) -> Iterator[Finding]:
    """Yield whether somebody has still to sign in."""
    found = change.connection(account)
    if found is not None and not found.refused:
        seen = f"connected as {found.address or account.mailbox}"
        yield Finding("sign-in", Level.OK, "change-connected", seen)
        return
    who = account.signs_in_as or account.mailbox or "somebody"
    seen = f"{who} has to sign in once; until then nothing is sent"
    if found is not None:
        seen = f"{who} has to sign in again: {found.refused}"
    yield Finding("sign-in", Level.WARN, "change-connect", seen, f"Run: {connect_command(account.owner)}")


def _set(change: Change) -> str:
    whose = "company set" if isinstance(change.record, Company) else f"user set {change.record.id}"
    cure = f"Set it: pillarbox {whose} --method {change.to} --help"
    address = change.record.address
    return f"See what fits: pillarbox suggest {address}, or {cure[0].lower()}{cure[1:]}" if address else cure
