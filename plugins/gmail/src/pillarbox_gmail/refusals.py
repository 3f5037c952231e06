"""What a refusal of Google's sign-in means, by its error code: one table. Its other words may hold secrets. Pure."""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from pillarbox import PillarboxError, SendDeferred, SettingsError, SignInNeeded

from .exchange import Answer
from .settings import Mode


class Whose(enum.Enum):
    """Who has to do something about it."""

    PERSON = "the person who connects"
    DEPLOYER = "whoever keeps the registration"


class Refusal(NamedTuple):
    """One row: the code, and with which subtype, and what it means.

    Attributes:
        code: Of RFC 6749, section 5.2, or Google's own.
        subtype: Google's `error_subtype`; "" for any.
        mode: In which it means that; None for both.
        whose: Who can mend it.
        meaning: A sentence.
        cure: What to do.
    """

    code: str
    subtype: str
    mode: Mode | None
    whose: Whose
    meaning: str
    cure: str


_CONSOLE = "See the client in the Google Cloud console, and [apps.gmail]."

REFUSALS = (
    Refusal(
        "invalid_grant",
        "invalid_rapt",
        None,
        Whose.PERSON,
        "Google ended the sign-in by a policy of the Workspace, which asks people to sign in again after some hours.",
        "Have the administrator exempt this app (Security, Google Cloud session control), and connect again.",
    ),
    Refusal(
        "invalid_grant",
        "",
        Mode.SERVICE,
        Whose.DEPLOYER,
        "Google does not let the service account act for this mailbox, or this machine's clock is wrong.",
        "Check that the mailbox exists in the Workspace, and the clock.",
    ),
    Refusal(
        "invalid_grant",
        "",
        None,
        Whose.PERSON,
        "Google ended the sign-in: the person's password was changed, access was revoked, it was not used for six months,"
        " or the consent screen is in testing, where a sign-in lasts seven days.",
        "Connect again; publish the app, or make it internal, if it ends every seven days.",
    ),
    Refusal(
        "unauthorized_client",
        "",
        Mode.SERVICE,
        Whose.DEPLOYER,
        "Nobody has delegated the service account for what is asked for.",
        "In the Admin console (Security, API controls, Domain-wide delegation) allow its client ID these scopes.",
    ),
    Refusal(
        "invalid_client",
        "",
        None,
        Whose.DEPLOYER,
        "Google does not know the client, or its secret is wrong.",
        _CONSOLE,
    ),
    Refusal(
        "deleted_client",
        "",
        None,
        Whose.DEPLOYER,
        "The client was deleted in the Google Cloud console.",
        _CONSOLE,
    ),
    Refusal("disabled_client", "", None, Whose.DEPLOYER, "Google has switched the client off.", _CONSOLE),
    Refusal(
        "unauthorized_client",
        "",
        None,
        Whose.DEPLOYER,
        "The client may not sign people in like this.",
        "Make a client of the right type (desktop app or web application) and set it in [apps.gmail].",
    ),
    Refusal(
        "redirect_uri_mismatch",
        "",
        None,
        Whose.DEPLOYER,
        "The page that Google is to send people back to is not registered.",
        "Add it to the authorised redirect URIs of the client, exactly as it is.",
    ),
    Refusal(
        "org_internal",
        "",
        None,
        Whose.PERSON,
        "The app is for one Workspace alone, and the person is not in it.",
        "Sign in with an account of that Workspace; or make the consent screen external.",
    ),
    Refusal(
        "admin_policy_enforced",
        "",
        None,
        Whose.DEPLOYER,
        "An administrator of the Workspace does not allow this app.",
        "Have them trust its client ID: Admin console, Security, API controls, App access control.",
    ),
    Refusal(
        "invalid_scope",
        "",
        None,
        Whose.DEPLOYER,
        "Google does not give what is asked for to this client.",
        "Add the scopes to the consent screen; for a service account, to its domain-wide delegation.",
    ),
    Refusal(
        "rate_limit_exceeded",
        "",
        None,
        Whose.DEPLOYER,
        "Too many people signed in to the app for one that is not verified.",
        "Have the app verified by Google, or make it internal.",
    ),
)


def code_of(answer: Answer | None) -> tuple[str, str]:
    """Return the error code and its subtype that an *answer* gives, "" for what is none."""
    told = (answer.told if answer else None) or {}
    codes = (str(told.get(name, "")) for name in ("error", "error_subtype"))
    code, subtype = (one if re.fullmatch(r"[a-z_]{1,40}", one) else "" for one in codes)
    return code, _RAPT.get(subtype, subtype)


_RAPT = {"rapt_required": "invalid_rapt"}
"""What Google calls the same thing besides."""
PASSING = frozenset({"internal_failure", "server_error", "temporarily_unavailable"})
"""Codes that say nothing against anybody: later it may be given."""


def row_of(code: str, subtype: str, mode: Mode) -> Refusal | None:
    """Return the first row that applies, or None."""
    for row in REFUSALS:
        if row.code == code and row.subtype in {"", subtype} and row.mode in {None, mode}:
            return row
    return None


def of_token_endpoint(answer: Answer | None, mode: Mode) -> PillarboxError:
    """Return what it means that the token endpoint gave no token."""
    code, subtype = code_of(answer)
    row = row_of(code, subtype, mode)
    status = answer.status if answer else 0
    if row is not None and row.whose is Whose.PERSON:
        return SignInNeeded(row.meaning, code=code, stage="sign-in", cure=row.cure)
    if row is not None:
        return SettingsError(row.meaning, cure=row.cure)
    if code and 400 <= status < 500:
        return SettingsError(f"Google refused to give a token: {code}.", cure=_CONSOLE)
    return SendDeferred(
        "Google was asked for a token, and its answer is none.", code=str(status or ""), stage="sign-in"
    )
