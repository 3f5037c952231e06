"""Django's mail as a message of pillarbox's: what it says, to whom, and for whom; nothing is lost silently."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

import attrs
from django.conf import settings

from pillarbox import Message, MessageError

from .conf import option

if TYPE_CHECKING:
    from pillarbox import Route

USER_HEADER = "X-Pillarbox-User"
"""Names the writer in `EmailMessage.headers`; it is taken out, and is code's alone to set."""


def composed(mail: Any) -> Any:
    """Return what Django composes of *mail*, an `EmailMessage` of its own, as one of the standard library.

    Raises:
        MessageError: Its headers show other recipients than it has.
    """
    _refuse_other_recipients(mail)
    made = mail.message()
    for name in (USER_HEADER, "To", "Cc", "Bcc"):
        del made[name]
    # It has to have one, to be read; whom it goes to stands in `recipients`.
    made["To"] = next(iter(mail.recipients()), "")
    return made


def recipients(mail: Any) -> dict[str, list[str]]:
    """Return whom *mail* goes to: Django's `to`, `cc` and `bcc`, whatever its headers show."""
    return {name: _some(getattr(mail, name)) for name in ("to", "cc", "bcc")}


def message_of(made: Any, whom: Mapping[str, Any]) -> Message:
    """Return what Django has *made* as a message to *whom*.

    Raises:
        MessageError: It holds something that would be lost.
    """
    found = Message.from_email(made)
    return attrs.evolve(found, to=tuple(whom["to"]), cc=tuple(whom["cc"]), bcc=tuple(whom["bcc"]))


def _some(addresses: Any) -> list[str]:
    return [str(one) for one in addresses if one]


def _refuse_other_recipients(mail: Any) -> None:
    given = {name.lower(): str(value) for name, value in mail.extra_headers.items()}
    for name, addresses in (("to", mail.to), ("cc", mail.cc)):
        if name in given and given[name] != ", ".join(map(str, addresses)):
            raise MessageError(
                f"The header {name.capitalize()} shows other recipients than the mail has.",
                cure=f"Leave {name.capitalize()} out of headers: pillarbox shows who gets the mail.",
            )


def writer_of(mail: Any) -> str | None:
    """Return whom the header of *mail* names as its writer, or None."""
    return next(
        (str(value) for name, value in mail.extra_headers.items() if name.lower() == USER_HEADER.lower()),
        None,
    )


def is_of_the_site(mail: Any) -> bool:
    """Whether it is the site that writes, as in `mail_admins`: an error in a request is not the mail of who sent it."""
    return bool(mail.from_email == settings.SERVER_EMAIL != settings.DEFAULT_FROM_EMAIL)


def refuse_foreign_from(mail: Any, route: Route) -> None:
    """Refuse a from_email that the rules do not show (rule 14): it is never silently replaced.

    Django's own defaults mean whatever the rules say. `PILLARBOX["foreign_from"] = "ignore"` lets every from_email mean that.

    Raises:
        MessageError: It is another.
    """
    given = {name.lower(): str(value) for name, value in mail.extra_headers.items()}.get(
        "from", mail.from_email
    )
    if given in {settings.DEFAULT_FROM_EMAIL, settings.SERVER_EMAIL} or option("foreign_from") == "ignore":
        return
    address, shown = parseaddr(given)[1], route.from_address
    if shown is None or _folded(address) not in {_folded(shown.wire), _folded(shown.address)}:
        raise MessageError(
            f"The mail says it is from {given}, and would show {shown or 'the address of the mail program'}.",
            cure="Leave from_email out, name the user who writes, or set PILLARBOX['foreign_from'] = 'ignore'.",
        )


def _folded(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"
