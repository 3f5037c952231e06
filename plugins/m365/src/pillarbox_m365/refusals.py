"""What Microsoft Entra says when it gives no token, by its codes (AADSTS...), and whose business each is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pillarbox import PillarboxError, RefusedReason, SendDeferred, SettingsError, SignInNeeded, quotation

_AGAIN = "Connect the account again."
_CONSENT = "Have an administrator of Microsoft 365 allow the application, then connect again."
_POLICY = (
    "Connect again from where and how the policy allows it, or have the administrator exempt the application."
)


class Row(NamedTuple):
    """One refusal.

    Attributes:
        said: What it means, a sentence.
        cure: What to do.
    """

    said: str
    cure: str


_CHANGED = Row("The password was changed since the account was connected.", _AGAIN)
_OLD = Row("The connection was not used for so long that Microsoft has ended it.", _AGAIN)
_FREQUENCY = Row("The policy of the organisation asks for a new sign-in from time to time.", _AGAIN)
_REVOKED = Row("The connection was ended: access was revoked, or the sign-in is no longer valid.", _AGAIN)
_SECOND = Row("The policy of the organisation asks for another proof (conditional access).", _AGAIN)
_BLOCKED = Row("The policy of the organisation does not allow this sign-in (conditional access).", _POLICY)
_UNALLOWED = Row("The application was not allowed to act for this account, or no longer is.", _AGAIN)
_ADMIN = Row("The organisation lets only an administrator allow this application.", _CONSENT)

PEOPLE: Mapping[int, Row] = {
    50173: _CHANGED,
    50133: _CHANGED,
    50055: Row("The password has expired.", "Sign in to Microsoft 365, set a new one, and connect again."),
    700082: _OLD,
    700084: _OLD,
    70043: _FREQUENCY,
    70008: _REVOKED,
    70000: _REVOKED,
    50078: _SECOND,
    50072: _SECOND,
    50074: _SECOND,
    50076: _SECOND,
    50079: _SECOND,
    50158: _SECOND,
    53000: _BLOCKED,
    53001: _BLOCKED,
    53002: _BLOCKED,
    53003: _BLOCKED,
    53004: _BLOCKED,
    530003: _BLOCKED,
    530031: _BLOCKED,
    530032: _BLOCKED,
    530034: _BLOCKED,
    700003: _BLOCKED,
    65001: _UNALLOWED,
    65004: Row("The person did not allow the application.", "Connect again, and accept what is asked."),
    90093: _ADMIN,
    90094: _ADMIN,
    90095: _ADMIN,
    50105: Row(
        "The account was not given access to the application.",
        "Have an administrator of Microsoft 365 assign it.",
    ),
    50020: Row(
        "The account belongs to another organisation than the registration.", "Sign in with one of this one."
    ),
    50034: Row("There is no such account in the organisation of the registration.", "Check the address."),
    50053: Row("The account is locked after too many sign-ins.", "Wait, or have an administrator unlock it."),
    50057: Row("The account was switched off.", "Have an administrator of Microsoft 365 switch it on."),
    54005: Row("The sign-in was used already.", "Begin again."),
}
"""What a person mends by connecting again, or has an administrator of the organisation mend for them."""
REGISTRATION: Mapping[int, Row] = {
    7000222: Row(
        "The client secret of the registration has expired.",
        "Make a new one in Entra and set it in [apps.m365].",
    ),
    7000215: Row(
        "The client secret of the registration is wrong.",
        "Set its value, not its ID, in [apps.m365], or make a new one.",
    ),
    700016: Row("There is no such application in the tenant.", "Check client_id and tenant in [apps.m365]."),
    700027: Row(
        "The certificate does not belong to the registration, or has expired.",
        "Upload the one that [apps.m365] names to the registration in Entra.",
    ),
    7000218: Row(
        "The registration asks for a client secret or a certificate, and there is none.",
        'Set one in [apps.m365]; or register the redirect under "Mobile and desktop applications" and allow public client flows.',
    ),
    700025: Row(
        "The registration is of a public client, and a secret was shown.",
        "Register the redirect under Web, or remove the secret.",
    ),
    7000112: Row(
        "The application was switched off in the tenant.", "Have an administrator switch it on in Entra."
    ),
    7000229: Row("The application is not known in the tenant.", "Have an administrator allow it there."),
    90002: Row("There is no such tenant.", "Check tenant in [apps.m365]."),
    900023: Row("The tenant's name is none.", "Check tenant in [apps.m365]."),
    50011: Row(
        "The page to come back to is not registered.",
        "Add exactly this redirect URI to the registration in Entra.",
    ),
    500113: Row(
        "No page to come back to is registered.", "Add the redirect URI to the registration in Entra."
    ),
    500011: Row("The tenant has no Microsoft Graph or Exchange of that name.", "Check graph in [apps.m365]."),
    70011: Row("The registration may not ask for such a permission.", "Add it to the registration in Entra."),
    650052: Row("The tenant has no service of that name.", "Check that it has Exchange Online."),
    50194: Row(
        "The application is not one for several tenants.", "Set the tenant in [apps.m365] to your own."
    ),
}
"""What the deployer mends; until then nobody's account works."""
_OF_REGISTRATION = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_resource"})
_FOR_NOW = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_CODE = re.compile(r"AADSTS(\d{4,8})")
_TRAIL = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)


def codes_of(said: Mapping[str, Any]) -> list[int]:
    """Return the codes in an answer of the provider."""
    listed = said.get("error_codes")
    found = [one for one in listed if isinstance(one, int)] if isinstance(listed, list) else []
    return found + [int(one) for one in _CODE.findall(str(said.get("error_description", "")))]


def error_of(said: Mapping[str, Any] | None) -> PillarboxError:
    """Return what an answer without a token means: SignInNeeded, SettingsError or SendDeferred, each with its cure."""
    if said is None:
        return SignInNeeded("The connection holds nothing to go on with.", stage="sign-in", cure=_AGAIN)
    codes, name = codes_of(said), str(said.get("error", ""))
    for code in codes:
        if code in REGISTRATION:
            return SettingsError(f"{REGISTRATION[code].said} (AADSTS{code})", cure=REGISTRATION[code].cure)
        if code in PEOPLE:
            return SignInNeeded(
                PEOPLE[code].said, code=f"AADSTS{code}", stage="sign-in", cure=PEOPLE[code].cure
            )
    if name in _FOR_NOW:
        return SendDeferred("Microsoft gives no token now.", code=name, stage="sign-in")
    if name in _OF_REGISTRATION:
        return SettingsError(
            f"Microsoft refused the registration: {words_of(said)}",
            cure="Check [apps.m365] and the registration in Entra.",
        )
    return SignInNeeded(
        f"Microsoft gives no token for this account: {words_of(said)}",
        code=name,
        stage="sign-in",
        cure=_AGAIN,
    )


def words_of(said: Mapping[str, Any]) -> str:
    """Return the provider's words as a quotation, without the numbers behind them that only its support reads."""
    words = _TRAIL.sub("", str(said.get("error_description", "")))
    return quotation(words or str(said.get("error", "")) or "it does not say why")


def reason_of(said: Mapping[str, Any]) -> RefusedReason:
    """Return why a sign-in that was under way ended, by the provider's answer."""
    name, codes = str(said.get("error", "")), codes_of(said)
    if name in {"expired_token", "code_expired"} or {54005, 70008, 70020}.intersection(codes):
        return RefusedReason.EXPIRED
    declined = name in {"access_denied", "authorization_declined"} or 65004 in codes
    return (
        RefusedReason.CANCELLED
        if declined and not {90094, 90095}.intersection(codes)
        else RefusedReason.FAILED
    )
