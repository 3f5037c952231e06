"""How the sign-in of an account stands: who, since when, whether it still gives tokens, and what to do where it does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import attrs

from .._connectors import LATER, Connection, Grant
from .._errors import PillarboxError, SignInNeeded, Unavailable
from .._route import Finding, Level
from .._secrets import connection_of
from .._vault import NEVER, VAULT_CURE, Vault

FINDINGS: Mapping[str, str] = {
    "registration-ok": "The registration in [apps] is complete, as far as can be told without the provider.",
    "registration-unusable": "The registration in [apps], or the connector, is missing or can't be used.",
    "registration-check-failed": "The connector's own look at the registration broke off.",
    "sign-in-ok": "The account is connected: as whom, and since when.",
    "sign-in-missing": "Nobody has connected the account yet.",
    "sign-in-elsewhere": "The account was connected for another server, mailbox or registration than the settings name now.",
    "sign-in-unreadable": "What is kept of the sign-in can't be opened or read.",
    "sign-in-ended": "The provider gives no more tokens for the sign-in; somebody has to connect again.",
    "sign-in-registration-refused": "The provider refused the registration; it is asked again some minutes later.",
    "sign-in-no-vault": "There is no vault that could hold the sign-in, or it has no key.",
    "grant-send": "It may send, and nothing else: a mail in doubt can't be looked for.",
    "grant-confirm": "It may send, and look whether a mail was sent.",
    "grant-short": "Less was granted than the method needs for what was chosen.",
}
"""The codes of the stages that core looks at for an account that is connected, with their meaning."""
IN_WORDS = {
    Grant.SEND: "send only: where the line breaks at the wrong moment it can't look whether a mail left, and asks you",
    Grant.CONFIRM: "send and confirm: it may also look whether a mail left, so it never sends one twice",
}
"""What a grant means, for the one who gives it."""


@attrs.frozen(kw_only=True)
class Standing:
    """How a sign-in stands.

    Attributes:
        code: Of `FINDINGS`.
        connection: What it learned; None where there is none to read.
        problem: Why it gives no token, or None.
    """

    code: str
    connection: Connection | None = None
    problem: PillarboxError | None = None


def standing(
    vault: Vault | None, name: str, bound: Mapping[str, str], now: float, connect: str, *, opened: bool
) -> Standing:
    """Return how the sign-in under *name* stands.

    Args:
        vault: Where it is.
        name: The row's.
        bound: What it is to be bound to.
        now: In seconds since 1970.
        connect: The command that connects the account.
        opened: Whether to see that the secret can be opened.
    """
    if vault is None:
        return Standing(code="sign-in-no-vault", problem=Unavailable("There is no vault.", cure=VAULT_CURE))
    row = vault.rows.load(name)
    if row is None:
        return _failed("sign-in-missing", NEVER, connect)
    try:
        found = connection_of(row.readable.get("connection", {}))
        if row.readable.get("destination") != dict(bound):
            return _failed("sign-in-elsewhere", _ELSEWHERE, connect, found)
        if opened:
            vault.load(name, bound)
    except SignInNeeded as error:
        return _failed("sign-in-unreadable", error.detail, connect)
    except Unavailable as error:
        return Standing(code="sign-in-no-vault", problem=error)
    return _judged(found, now, connect)


_ELSEWHERE = "It was connected for another server or registration than the settings name now."


def _judged(found: Connection, now: float, connect: str) -> Standing:
    if found.refused and not found.refused_until:
        return _failed("sign-in-ended", found.refused, connect, found)
    if found.refused and now < found.refused_until <= now + LATER:
        problem = SignInNeeded(found.refused, stage="sign-in", cure="Mend the registration in [apps].")
        return Standing(code="sign-in-registration-refused", connection=found, problem=problem)
    return Standing(code="sign-in-ok", connection=found)


def _failed(code: str, why: str, connect: str, found: Connection | None = None) -> Standing:
    again = "Connect it" if code == "sign-in-missing" else "Connect it again"
    problem = SignInNeeded(why, stage="sign-in", cure=f"{again}: {connect}")
    return Standing(code=code, connection=found, problem=problem)


def found_of_sign_in(one: Standing, now: float) -> Finding:
    """Return what `check` says of the sign-in."""
    if one.problem is not None:
        known = f" (connected {as_whom(one.connection, now)})" if one.connection is not None else ""
        seen = f"{one.problem.detail}{known}"
        return Finding(
            "sign-in", Level.FAIL, one.code, seen, one.problem.cure, exit_code=one.problem.exit_code
        )
    assert one.connection is not None
    return Finding("sign-in", Level.OK, one.code, f"connected {as_whom(one.connection, now)}")


def found_of_grant(found: Connection, wanted: Iterable[str], connect: str) -> Iterator[Finding]:
    """Yield what `check` says of what was granted, where that is known."""
    granted = {scope.lower() for scope in found.scopes}
    missing = [scope for scope in wanted if scope.lower() not in granted]
    if missing:
        seen, cure = (
            f"not granted: {', '.join(missing)}",
            f"Connect it again, and leave every box ticked: {connect}",
        )
        yield Finding("grant", Level.FAIL, "grant-short", seen, cure, exit_code=77)
    elif (grant := grant_of(found)) is not None:
        yield Finding("grant", Level.OK, f"grant-{grant.value}", IN_WORDS[grant])


def grant_of(found: Connection) -> Grant | None:
    """Return the grant that was asked for, or None where that is not known."""
    return next((one for one in Grant if one.value == found.grant), None)


def as_whom(found: Connection, now: float) -> str:
    """Return as whom and since when, to be said behind *connected* or *signs in*."""
    since = since_of(found)
    if since is None:
        return f"as {found.address}"
    days = int(now - since.timestamp()) // 86_400
    age = "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} ago"
    return f"as {found.address} since {since.astimezone():%Y-%m-%d %H:%M}, {age}"


def since_of(found: Connection) -> dt.datetime | None:
    """Return when it was connected; aware, or None where that is not known."""
    try:
        since = dt.datetime.fromisoformat(found.connected_at)
    except (ValueError, TypeError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=dt.UTC)
