"""What a server says it can do (RFC 5321 4.1.1.1)."""

from __future__ import annotations

from typing import NamedTuple

from .replies import Reply


class Capabilities(NamedTuple):
    """The extensions that a reply to EHLO offers; nothing after HELO.

    Attributes:
        names: The keywords, upper case.
        size: The largest message in octets (RFC 1870); None where it names none.
        mechanisms: Of AUTH (RFC 4954), upper case, in the server's order.
        pipelining, starttls, eightbit, smtputf8, dsn, require_tls, chunking: Whether the extension is offered.
    """

    names: frozenset[str] = frozenset()
    size: int | None = None
    mechanisms: tuple[str, ...] = ()
    pipelining: bool = False
    starttls: bool = False
    eightbit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    require_tls: bool = False
    chunking: bool = False

    @classmethod
    def of(cls, reply: Reply) -> Capabilities:
        """Return what the *reply* to EHLO offers; lines that make no sense are passed over."""
        words = [line.decode("ascii", "replace").upper().split() for line in reply.lines[1:]]
        offered = {first: rest for first, *rest in (line for line in words if line)}
        return cls(
            names=frozenset(offered),
            size=_size(offered.get("SIZE", [])),
            mechanisms=_mechanisms(words),
            pipelining="PIPELINING" in offered,
            starttls="STARTTLS" in offered,
            eightbit="8BITMIME" in offered,
            smtputf8="SMTPUTF8" in offered,
            dsn="DSN" in offered,
            require_tls="REQUIRETLS" in offered,
            chunking="CHUNKING" in offered,
        )


def _size(words: list[str]) -> int | None:
    if words and words[0].isascii() and words[0].isdigit():
        return int(words[0]) or None
    return None


def _mechanisms(words: list[list[str]]) -> tuple[str, ...]:
    """Return the mechanisms of all AUTH lines, those written `AUTH=LOGIN` by old servers included."""
    found = [name for line in words if line[:1] == ["AUTH"] for name in line[1:]]
    old = [
        name for line in words if line and line[0].startswith("AUTH=") for name in [line[0][5:], *line[1:]]
    ]
    return tuple(dict.fromkeys(name for name in (*found, *old) if name))
