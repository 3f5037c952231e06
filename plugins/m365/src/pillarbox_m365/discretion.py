"""What Entra is sent stays out of MSAL's log, and out of what is quoted of an answer that repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

_SENT = ("code", "code_verifier", "device_code", "refresh_token", "client_secret", "client_assertion")
"""Fields of a request whose values are as good as a token."""
_SHORTEST = 8
"""A shorter value would be replaced where it stands by accident."""


def discreet(cache: Any) -> Any:
    """Return MSAL's *cache*, which logs each answer with the request it belongs to, without what may not be logged."""
    add = cache.add

    def add_discreetly(event: Mapping[str, Any], **more: Any) -> Any:
        data = {name: value for name, value in event.get("data", {}).items() if name not in _SENT}
        return add({**event, "data": data}, **more)

    cache.add = add_discreetly
    return cache


def without_sent(text: str, form: Any) -> str:
    """Return *text*, an answer to *form*, without what was sent: who answers may repeat all of it in its words."""
    for name in _SENT if isinstance(form, Mapping) else ():
        value = form.get(name) or ""
        sent = value.decode() if isinstance(value, bytes) else str(value)
        if len(sent) >= _SHORTEST:
            text = text.replace(sent, "...").replace(quote_plus(sent), "...")
    return text
