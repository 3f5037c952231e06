"""The text of an SPF record as terms (RFC 7208 4.6 and 12)."""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

import attrs

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_TERM = re.compile(
    r"(?P<sign>[-+~?]?)(?P<kind>[a-z][a-z0-9]*)(?::(?P<value>[^/\s]+))?(?P<prefix>(?:/\d{1,3})?(?://\d{1,3})?)"
)
_ADDRESS = re.compile(r"(?P<sign>[-+~?]?)ip(?P<version>[46]):(?P<network>[0-9a-f.:]+(?:/\d{1,3})?)")
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>\S*)")
_KINDS = frozenset({"all", "include", "a", "mx", "ptr", "exists"})
_WITH_VALUE = frozenset({"include", "exists"})


class Fault(Exception):
    """A record that receivers take for broken (`permerror`), or that is missing.

    Attributes:
        code: The finding's.
        said: What is wrong, a clause.
    """

    def __init__(self, code: str, said: str) -> None:
        super().__init__(code, said)
        self.code = code
        self.said = said


@attrs.frozen
class Term:
    """One mechanism.

    Attributes:
        sign: `+`, `-`, `~` or `?`.
        kind: `all`, `include`, `a`, `mx`, `ptr`, `exists`, `ip`.
        value: The name behind the colon; "" for the domain itself.
        network: Of `ip`.
        prefixes: The lengths for IPv4 and IPv6 of `a` and `mx`.
    """

    sign: str
    kind: str
    value: str = ""
    network: Network | None = None
    prefixes: tuple[int, int] = (32, 128)


@attrs.frozen
class Record:
    """What a domain says: its terms in order, and where to go on when none matches."""

    terms: tuple[Term, ...]
    redirect: str = ""


def chosen(texts: list[str], name: str) -> Record:
    """Return the one SPF record among the TXT records of *name* (RFC 7208 4.5).

    Raises:
        Fault: There is none, or several, or it can't be read.
    """
    found = [text for text in texts if text.lower().split(" ", 1)[0] == "v=spf1"]
    if not found:
        raise Fault("spf-none", "no SPF record")
    if len(found) > 1:
        raise Fault("spf-several", f"{len(found)} SPF records under {name}")
    return parsed(found[0])


def parsed(text: str) -> Record:
    """Return the record that *text* is.

    Raises:
        Fault: It can't be read.
    """
    words = text.lower().split()[1:]
    modifiers = [found for word in words if (found := _MODIFIER.fullmatch(word)) is not None]
    terms = [_term(word) for word in words if _MODIFIER.fullmatch(word) is None]
    redirects = [found["value"] for found in modifiers if found["name"] == "redirect"]
    if len(redirects) > 1 or "" in redirects:
        raise Fault("spf-invalid", "redirect stands in the record twice, or is empty")
    end = next((place for place, term in enumerate(terms) if term.kind == "all"), None)
    if end is not None:  # nothing counts behind it, nor beside it (RFC 7208 5.1)
        return Record(tuple(terms[: end + 1]))
    return Record(tuple(terms), *redirects)


def _term(word: str) -> Term:
    if (address := _ADDRESS.fullmatch(word)) is not None:
        return _of_address(word, address)
    found = _TERM.fullmatch(word)
    lacks_value = found is not None and found["kind"] in _WITH_VALUE and not found["value"]
    if found is None or found["kind"] not in _KINDS or lacks_value:
        raise Fault("spf-invalid", f"{word[:60]} is no term of SPF")
    return Term(
        found["sign"] or "+", found["kind"], found["value"] or "", None, _prefixes(word, found["prefix"])
    )


def _of_address(word: str, found: re.Match[str]) -> Term:
    try:
        network = ipaddress.ip_network(found["network"], strict=False)
    except ValueError:
        raise Fault("spf-invalid", f"{word[:60]} is no network") from None
    if str(network.version) != found["version"]:
        raise Fault("spf-invalid", f"{word[:60]} is of the other version")
    return Term(found["sign"] or "+", "ip", network=network)


def _prefixes(word: str, text: str) -> tuple[int, int]:
    four, _, six = text.partition("//")
    lengths = int(four[1:] or 32), int(six or 128)
    if lengths[0] > 32 or lengths[1] > 128:
        raise Fault("spf-invalid", f"{word[:60]} has no such prefix")
    return lengths
