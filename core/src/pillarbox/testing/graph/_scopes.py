"""What a token allows: the permissions of each step, for one's own mailbox, for another's, and for an app."""

from __future__ import annotations

from .._http.values import Token
from ._errors import GraphError

_OWN_PERSON = ("User.Read", "User.ReadWrite")
_ANY_PERSON = ("User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All")
_LOOK = ("Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite")
_CHANGE = ("Mail.ReadWrite",)
_SEND = ("Mail.Send",)
NEEDED = {
    "get": _LOOK,
    "list": _LOOK,
    "draft": _CHANGE,
    "patch": _CHANGE,
    "delete": _CHANGE,
    "attach": _CHANGE,
    "session": _CHANGE,
    "send": _SEND,
    "sendMail": _SEND,
}
"""The permissions of which one is enough, step by step, but for `me`; that of an upload session is in its address."""


def require(token: Token, step: str, *, own: bool) -> None:
    """Do nothing if *token* allows *step*.

    Args:
        token: The token.
        step: What is asked for.
        own: Whether it is the person's own mailbox; another's takes the `.Shared` form, which covers both.

    Raises:
        GraphError: It does not; 403.
    """
    if not any(grants(token, scope, own=own) for scope in _enough(token, step, own=own)):
        if step == "me":
            raise GraphError(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        raise GraphError(403, "ErrorAccessDenied")


def grants(token: Token, scope: str, *, own: bool) -> bool:
    """Whether *token* has *scope*, in the form that it takes."""
    mail = scope.startswith("Mail.")
    wanted = {scope} if own or token.app or not mail else set()
    if mail and not token.app:
        wanted.add(f"{scope}.Shared")
    return not {one.lower() for one in wanted}.isdisjoint(map(_short, token.scopes))


def _enough(token: Token, step: str, *, own: bool) -> tuple[str, ...]:
    if step != "me":
        return NEEDED[step]
    return _OWN_PERSON + _ANY_PERSON if own and not token.app else _ANY_PERSON


def _short(scope: str) -> str:
    """Return *scope* without the resource that providers write before it: `https://graph.microsoft.com/`."""
    return scope.rpartition("/")[2].lower()
