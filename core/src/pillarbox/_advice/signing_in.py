"""What has to be set, registered and connected before the first mail leaves by the new method."""

from __future__ import annotations

from collections.abc import Iterator

from .._accounts import connect_command, sign_in_of
from .._errors import PillarboxError
from .._route import Finding, Level
from .._settings import Company
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
    found = change.connection(account)
    if found is None:
        who = account.signs_in_as or account.mailbox
        seen = (
            f"{who} has to sign in once; until then nothing is sent"
            if who
            else "somebody has to sign in once"
        )
        yield Finding("sign-in", Level.WARN, "change-connect", seen, f"Run: {connect_command(account.owner)}")
        return
    yield Finding("sign-in", Level.OK, "change-connected", f"connected as {found.address or account.mailbox}")


def _set(change: Change) -> str:
    whose = "company set" if isinstance(change.record, Company) else f"user set {change.record.id}"
    cure = f"Set it: pillarbox {whose} --method {change.to} --help"
    address = change.record.address
    return f"See what fits: pillarbox suggest {address}, or {cure[0].lower()}{cure[1:]}" if address else cure
