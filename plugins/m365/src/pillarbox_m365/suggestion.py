"""Offers Microsoft 365 for addresses whose mail goes to Exchange Online."""

from __future__ import annotations

from pillarbox import Suggestion, hookimpl

_MX = ".mail.protection.outlook.com"
_NEWER_MX = ".mx.microsoft"
_PERSONAL = frozenset({"outlook.com", "hotmail.com", "live.com", "msn.com"})
_LATER = "Exchange Online switches off sign-in with a password for SMTP, so an SMTP account works only with sign_in = m365."


@hookimpl
def pillarbox_suggest(domain: str, mx: tuple[str, ...]) -> Suggestion | None:
    """Offer m365 where the mail exchangers are Microsoft's, or the domain is one of its own for everybody."""
    servers = [server.lower().rstrip(".") for server in mx]
    if any(server.endswith((_MX, _NEWER_MX)) for server in servers):
        return Suggestion(
            method="m365",
            reason=f"The mail of {domain} goes to Exchange Online (Microsoft 365).",
            drawbacks=("An administrator registers an application once.", _LATER),
            rank=90,
        )
    if domain.lower().rstrip(".") in _PERSONAL:
        return Suggestion(
            method="m365",
            reason=f"{domain} belongs to Microsoft.",
            drawbacks=("The registration has to allow personal Microsoft accounts.",),
            rank=80,
        )
    return None
