"""What the server knows about one client, and what it refuses for that reason; pure, no sockets."""

from __future__ import annotations

import attrs

from .values import MailPath, Said

_EXTENSION = {
    "BODY": "8BITMIME",
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
}
"""The extension that defines a parameter, where its name is another than the parameter's."""


@attrs.define
class Transaction:
    """A mail transaction as far as it has got (RFC 5321 3.3)."""

    sender: MailPath
    recipients: list[MailPath] = attrs.field(factory=list)
    chunks: bytearray = attrs.field(factory=bytearray)


@attrs.define
class State:
    """What is known since the connection, or TLS, began (RFC 3207 4.2: STARTTLS forgets all).

    The refusals are replies, b"" where there is nothing to refuse.

    Attributes:
        greeted: Whether EHLO or HELO was answered 250.
        offered: The lines of EHLO's answer but the first, in capitals, as they were really given.
        user: Who has signed in.
        transaction: The open one.
    """

    greeted: bool = False
    offered: tuple[str, ...] = ()
    user: str | None = None
    transaction: Transaction | None = None

    def offer(self, keyword: str) -> str | None:
        """Return the parameters of what EHLO's answer offered under *keyword*, None where it did not."""
        for offer in self.offered:
            name, _, parameters = offer.partition(" ")
            if name == keyword:
                return parameters
        return None

    def after_hello(self, said: Said) -> None:
        """Take note of the answer to EHLO or HELO."""
        if said.code == 250:
            self.greeted = True
            self.offered = tuple(line.decode("ascii", "replace").upper() for line in said.lines[1:])
            self.transaction = None

    def after_mail(self, said: Said, path: MailPath | None) -> None:
        """Take note of the answer to MAIL."""
        if said.code // 100 == 2:
            self.transaction = Transaction(path or MailPath(""))

    def after_rcpt(self, said: Said, path: MailPath | None) -> None:
        """Take note of the answer to RCPT."""
        if said.code // 100 == 2 and self.transaction is not None:
            self.transaction.recipients.append(path or MailPath(""))

    def after_rset(self, said: Said) -> None:
        """Take note of the answer to RSET."""
        if said.code == 250:
            self.transaction = None

    def refusal_of_mail(self, path: MailPath | None) -> bytes:
        """Refuse a MAIL command with *path*, None for one that could not be read."""
        if not self.greeted:
            return b"503 5.5.1 say EHLO first\r\n"
        if self.transaction is not None:
            return b"503 5.5.1 a transaction is open\r\n"
        if self.offer("AUTH") is not None and self.user is None:
            return b"530 5.7.0 sign in first\r\n"
        return self._refusal_of_path(path) or self._refusal_of_declared_size(path)

    def refusal_of_rcpt(self, path: MailPath | None) -> bytes:
        """Refuse a RCPT command with *path*, None for one that could not be read."""
        if self.transaction is None:
            return b"503 5.5.1 MAIL comes first\r\n"
        return self._refusal_of_path(path)

    def refusal_of_content(self, size: int = 0) -> bytes:
        """Refuse to take *size* octets of content."""
        if self.transaction is None:
            return b"503 5.5.1 MAIL comes first\r\n"
        if not self.transaction.recipients:
            return b"554 5.5.1 no valid recipients\r\n"
        return self._refusal_of_size(size)

    def refusal_of_chunk(self) -> bytes:
        """Refuse a BDAT command."""
        if self.offer("CHUNKING") is None:
            return b"502 5.5.1 CHUNKING is not offered\r\n"
        return self.refusal_of_content()

    def _refusal_of_path(self, path: MailPath | None) -> bytes:
        if path is None:
            return b"501 5.5.4 that is no path\r\n"
        if any(self.offer(_EXTENSION.get(name, name)) is None for name in path.parameters):
            return b"555 5.5.4 a parameter that was not offered\r\n"
        if not path.address.isascii() and self.offer("SMTPUTF8") is None:
            return b"553 5.6.7 SMTPUTF8 is not offered\r\n"
        return b""

    def _refusal_of_declared_size(self, path: MailPath | None) -> bytes:
        size = path.parameters.get("SIZE", "0") if path else "0"
        if not (size.isascii() and size.isdigit()):
            return b"501 5.5.4 SIZE is a number\r\n"
        return self._refusal_of_size(int(size[:20]))

    def _refusal_of_size(self, size: int) -> bytes:
        """Refuse more than SIZE offered; without a number, or with 0, there is no limit (RFC 1870 4)."""
        limit = self.offer("SIZE") or ""
        limited = limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < size
        return b"552 5.3.4 too large\r\n" if limited else b""
