"""Offers Gmail for addresses whose mail goes to Google."""

from __future__ import annotations

from pillarbox import Suggestion, hookimpl

_MX = (".google.com", ".googlemail.com", ".psmtp.com")
_PERSONAL = frozenset({"gmail.com", "googlemail.com"})
_REGISTER = "Somebody registers an application with Google once; for addresses outside one Workspace Google has to verify it."


@hookimpl
def pillarbox_suggest(domain: str, mx: tuple[str, ...]) -> Suggestion | None:
    """Offer gmail where the mail exchangers are Google's, or the domain is its own for everybody."""
    if domain.lower().rstrip(".") in _PERSONAL:
        return Suggestion(
            method="gmail", reason=f"{domain} belongs to Google.", drawbacks=(_REGISTER,), rank=90
        )
    if any(server.lower().rstrip(".").endswith(_MX) for server in mx):
        return Suggestion(
            method="gmail",
            reason=f"The mail of {domain} goes to Google Workspace.",
            drawbacks=(_REGISTER,),
            rank=90,
        )
    return None
