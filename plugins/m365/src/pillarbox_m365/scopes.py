"""The permissions of Microsoft Graph and Exchange that a grant needs, and how a provider's spelling of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from pillarbox import FromPolicy, Grant, SignIn
from pillarbox.exchange import is_loopback

from .app import M365App

SEND = "Mail.Send"
READ_WRITE = "Mail.ReadWrite"
SHARED = ".Shared"
OUTLOOK = "https://outlook.office.com/"
SMTP = f"{OUTLOOK}SMTP.Send"
IMAP = f"{OUTLOOK}IMAP.AccessAsUser.All"
LARGEST_REQUEST = 4_000_000
"""Octets of a request, base64 included; Graph refuses more than 4 MB, and with `SEND` alone a message is one request."""
_GRAPH = "https://graph.microsoft.com"
_OTHERS = (FromPolicy.USER, FromPolicy.SEND_AS)
"""The policies by which an account shows other addresses than its own; Graph wants a permission for that."""


def purpose_of(purpose: str) -> str:
    """Return the purpose whose token serves *purpose*: one for SMTP and IMAP, since they are one resource."""
    return "smtp" if purpose in {"smtp", "imap"} else "send"


def of_person(asked: SignIn) -> tuple[str, ...]:
    """Return what a person is asked to allow: to read and to write only where it is to be confirmed what was sent."""
    confirms = asked.grant is Grant.CONFIRM
    if purpose_of(asked.purpose) == "smtp":
        return (SMTP, IMAP) if confirms else (SMTP,)
    scopes = (SEND, READ_WRITE) if confirms else (SEND,)
    if asked.account.mailbox.lower() != asked.account.signs_in_as.lower():
        return (*scopes, *(f"{scope}{SHARED}" for scope in scopes))
    shows_others = getattr(asked.account.settings, "from_policy", None) in _OTHERS
    return (*scopes, SEND + SHARED) if shows_others else scopes


def of_app(asked: SignIn) -> tuple[str, ...]:
    """Return the application permissions that *asked* needs; an administrator gave them, or did not."""
    return (SEND, READ_WRITE) if asked.grant is Grant.CONFIRM else (SEND,)


def default_of(app: M365App) -> str:
    """Return the scope that stands for all permissions which the application itself was given for Graph."""
    return f"{_GRAPH if is_loopback(urlsplit(app.graph).hostname or '') else app.graph}/.default"


def read(said: Iterable[str] | str, app: M365App) -> tuple[str, ...]:
    """Return the permissions in *said*, each in the one spelling that is compared here: Graph's without its address."""
    words = said.split() if isinstance(said, str) else said
    return tuple(dict.fromkeys(_plain(word, app) for word in words))


def _plain(scope: str, app: M365App) -> str:
    for base in (app.graph, _GRAPH):
        if scope.lower().startswith(f"{base.lower()}/"):
            return scope[len(base) + 1 :]
    return scope.replace("https://outlook.office365.com/", OUTLOOK, 1)


def has(scopes: Iterable[str], wanted: str) -> bool:
    """Whether *wanted* was granted, in any spelling."""
    return any(scope.rpartition("/")[2].lower() == wanted.lower() for scope in scopes)


def can_look(scopes: Iterable[str]) -> bool:
    """Whether drafts can be kept and sent mail be looked for."""
    return has(scopes, READ_WRITE) or has(scopes, READ_WRITE + SHARED)
