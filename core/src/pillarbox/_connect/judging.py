"""Whether the sign-in that came back is the one that was asked for (rules 11 and 37). Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from .._address import comparable, shown_domain
from .._connectors import Connection, Refused, RefusedReason, SignIn
from .._errors import MessageError, quotation
from .._schema import Role
from .._settings import Actor


def judged(
    asked: SignIn, before: Connection | None, now: Connection, wanted: Iterable[str], by: Actor
) -> Refused | None:
    """Return why what was learned *now* is not kept, or None.

    Args:
        asked: What was asked for.
        before: What the last sign-in of the account learned.
        now: What this one learned.
        wanted: The scopes without which it is of no use.
        by: Who asked.
    """
    who = asked.account.signs_in_as
    if not _same(now.address, who):
        return Refused(
            reason=RefusedReason.WRONG_ACCOUNT,
            wanted=who,
            signed_in_as=_shown(now.address),
            cure=_other_account(who),
        )
    if before is not None and _is_another(before, now) and by.role is Role.OWNER:
        return Refused(
            reason=RefusedReason.OTHER_PERSON,
            wanted=who,
            signed_in_as=_shown(now.address),
            cure="If the address was given to somebody else, have an administrator connect it.",
        )
    granted = {scope.lower() for scope in now.scopes}
    missing = tuple(scope for scope in wanted if scope.lower() not in granted)
    if missing:
        return Refused(
            reason=RefusedReason.SCOPE_MISSING,
            wanted=who,
            signed_in_as=_shown(now.address),
            missing=missing,
            cure="Connect again, and leave every box ticked.",
        )
    return None


def _other_account(who: str) -> str:
    return f"Connect again, choose to use another account, and sign in as {who}."


def _shown(address: str) -> str:
    """Return a provider's *address* for people; a domain that only looks like ours shows what it is (rule 39)."""
    local, at, domain = address.rpartition("@")
    with contextlib.suppress(MessageError):
        return quotation(f"{local}{at}{shown_domain(domain)}")
    return quotation(address)


def _same(one: str, other: str) -> bool:
    return bool(one) and comparable(one).lower() == comparable(other).lower()


def _is_another(before: Connection, now: Connection) -> bool:
    """Whether the same address belongs to somebody else now: the provider's own name of the person differs."""
    pinned = (before.issuer, before.tenant, before.subject)
    return _same(before.address, now.address) and pinned != (now.issuer, now.tenant, now.subject)
