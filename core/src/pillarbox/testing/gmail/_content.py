"""What Gmail makes of a message: it has no envelope, so headers say who sends and who receives; pure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from email import policy
from email.utils import formataddr
from typing import Self

import attrs

from ._errors import Refused

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\n]*(?:\n[ \t][^\n]*)*)\n?)")
RECIPIENTS = ("to", "cc", "bcc")


def new_message_id() -> str:
    """Return a Message-ID as Gmail makes them."""
    return f"<CA{secrets.token_urlsafe(36)}@mail.gmail.com>"


@attrs.frozen
class Content:
    """A message as header fields, each with its octets as they came, and the rest from the empty line on."""

    fields: tuple[tuple[str, bytes], ...]
    rest: bytes = attrs.field(repr=False)

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Take *raw* apart; what is no header field ends the header."""
        fields, at = [], 0
        while found := _FIELD.match(raw, at):
            fields.append((found[1].decode().lower(), found[0]))
            at = found.end()
        return cls(tuple(fields), raw[at:])

    @property
    def octets(self) -> bytes:
        """The message in one piece."""
        return b"".join(field for _, field in self.fields) + self.rest

    def values(self, name: str) -> list[str]:
        """Return the values of the fields called *name* (in lower case), unfolded."""
        return [
            re.sub(r"\r?\n", "", field.partition(b":")[2].decode("utf-8", "replace")).strip()
            for one, field in self.fields
            if one == name
        ]

    def value(self, name: str) -> str:
        """Return the first value of *name*, "" without one."""
        return next(iter(self.values(name)), "")

    def without(self, *names: str) -> Self:
        """Return it without the fields called *names*."""
        return attrs.evolve(self, fields=tuple(field for field in self.fields if field[0] not in names))

    def with_first(self, name: str, value: str) -> Self:
        """Return it with *name* at the top, in the place of those it had."""
        end = b"\n" if self.fields and not self.fields[0][1].endswith(b"\r\n") else b"\r\n"
        field = f"{name}: {value}".encode() + end
        return attrs.evolve(self, fields=((name.lower(), field), *self.without(name.lower()).fields))

    def addresses(self, names: Iterable[str] = RECIPIENTS) -> tuple[str, ...]:
        """Return the addresses in the fields called *names*, in their order, each once.

        Raises:
            Refused: 400, for a field that is no list of addresses.
        """
        found = [one for name in names for value in self.values(name) for one in _addresses(name, value)]
        first: dict[str, str] = {}
        for one in found:
            first.setdefault(one.lower(), one)
        return tuple(first.values())


def _addresses(name: str, value: str) -> list[str]:
    """Read one field."""
    try:
        specs = [one.addr_spec for one in policy.default.header_factory(name, value).addresses]
    except Exception:  # noqa: BLE001  (the parser's own errors on odd input)
        specs = [""]
    if any("@" not in spec for spec in specs):
        raise Refused("invalidArgument", f"Invalid {name.capitalize()} header")
    return specs


@attrs.frozen
class Sender:
    """What may stand in From: the mailbox with its name, and the verified aliases, in lower case."""

    address: str
    name: str
    verified: frozenset[str]

    def shown(self, content: Content) -> str:
        """Return the address that From will show: the message's own, or the mailbox's in its place."""
        wanted = content.addresses(["from"])
        return wanted[0] if len(wanted) == 1 and self.may_show(wanted[0]) else self.address

    def may_show(self, address: str) -> bool:
        """Tell whether it is the mailbox or a verified alias."""
        return address.lower() in {self.address.lower(), *self.verified}

    def signed(self, content: Content) -> Content:
        """Return *content* with a From that Gmail allows: any other is replaced, and nobody is told."""
        wanted = content.addresses(["from"])
        if len(wanted) == 1 and self.may_show(wanted[0]):
            return content
        original = content.value("from")
        if original:
            content = content.with_first("X-Google-Original-From", original)
        return content.with_first("From", formataddr((self.name, self.address)))


def as_sent(content: Content, sender: Sender, *, replaces: bool, date: Callable[[], str]) -> Content:
    """Return *content* as the copy in Sent has it: allowed From, a Date, Gmail's Message-ID where it *replaces* ours."""
    content = sender.signed(content)
    if not content.value("date"):
        content = content.with_first("Date", date())
    if replaces or not content.value("message-id"):
        content = content.with_first("Message-ID", new_message_id())
    return content
