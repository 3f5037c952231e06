"""The addresses that an account may show: its list of aliases, those that Google has verified."""

from __future__ import annotations

from typing import Any

from pillarbox import SendDeferred

from .addresses import is_address
from .app import GmailApp
from .exchange import Broken
from .wire import Wire

PATH = "/gmail/v1/users/me/settings/sendAs"


def aliases(settings: GmailApp, wire: Wire, token: str) -> tuple[str, ...]:
    """Return the verified aliases of the account that *token* is for; none where Google does not say.

    An account without its list is of use all the same: it shows its own address.
    """
    try:
        answer = wire.ask("GET", settings.api + PATH, headers={"Authorization": f"Bearer {token}"})
    except (Broken, SendDeferred):
        return ()
    told = (answer.told or {}).get("sendAs") if answer.status == 200 else None
    listed = told if isinstance(told, list) else []
    return tuple(str(one["sendAsEmail"]) for one in listed if _is_verified(one))


def _is_verified(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("sendAsEmail"), str):
        return False
    return is_address(one["sendAsEmail"]) and (
        one.get("isPrimary") is True or one.get("verificationStatus") == "accepted"
    )
