"""Addresses, and the characters that may stand in a header: checked once, when a value is built."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import TypeAlias

import attrs

from ._errors import MessageError

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOM = r"[^\x00-\x20\x7f-\x9f\"(),:;<>@\[\\\].\s]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f-\x9f\s]|[ ]|\\[\x20-\x7e])*"')
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_IPV4 = re.compile(r"\[([0-9.]+)\]")
_IPV6 = re.compile(r"\[IPv6:([0-9A-Fa-f:.]+)\]", re.IGNORECASE)  # no %: ipaddress takes any text as a zone
_QUOTED_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')
LONGEST_ADDRESS = 254
"""Octets of an addr-spec: a path of RFC 5321 4.5.3.1.3 without its angle brackets."""
LONGEST_VALUE = 32_768
"""The longest header value that is accepted, in characters."""
_CONTROL_CURE = "Remove line breaks and control characters."


def printable(value: str, what: str, *, longest: int = LONGEST_VALUE) -> str:
    """Return *value* when it may stand in a header.

    Raises:
        MessageError: It holds CR, LF, NUL or another control character (RFC 5322 2.2), or is too long.
    """
    if not isinstance(value, str):
        raise MessageError(f"The {what} must be text, not {type(value).__name__}.")
    if len(value) > longest:
        raise MessageError(f"The {what} has {len(value):,} characters; at most {longest:,} are sent.")
    if _FORBIDDEN.search(value):
        raise MessageError(f"The {what} holds a control character.", cure=_CONTROL_CURE)
    return value


@functools.lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Return *domain* as it goes on the wire: internationalised labels as A-labels (RFC 5891), ASCII as given.

    Raises:
        MessageError: It is not a domain name or an address literal (RFC 5321 4.1.3).
    """
    if len(domain) > LONGEST_ADDRESS:
        raise MessageError(f"{domain[:70]!r}... is longer than a domain name may be (RFC 1035 2.3.4).")
    if domain.startswith("["):
        return _address_literal(domain)
    labels = domain if domain.isascii() else _a_labels(domain)
    if len(labels) > 253 or not all(_LABEL.fullmatch(label) for label in labels.split(".")):
        raise MessageError(f"{domain!r} is not a domain name.")
    return labels


def _a_labels(domain: str) -> str:
    import idna

    try:
        # Non-transitional (UTS 46): straße.de stays itself, it does not become strasse.de, somebody else's.
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise MessageError(f"{domain!r} is not an internationalised domain name: {error}.") from None


def _address_literal(domain: str) -> str:
    import ipaddress

    four, six = _IPV4.fullmatch(domain), _IPV6.fullmatch(domain)
    try:
        _ = ipaddress.IPv6Address(six[1]) if six else ipaddress.IPv4Address(four[1] if four else "")
    except ValueError:
        raise MessageError(f"{domain!r} is not an address literal.") from None
    return domain


@attrs.frozen
class Address:
    """A mailbox and the name shown with it (RFC 5322 3.4).

    Attributes:
        address: The addr-spec, `local@domain`; the domain may be internationalised.
        name: The display name, or "".

    Raises:
        MessageError: Not an address, or a control character in either.
    """

    address: str
    name: str = ""

    def __attrs_post_init__(self) -> None:
        _ = check_address(self.address)
        printable(self.name, "display name", longest=1_000)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the one address in *text*: `anna@acme.example` or `Anna Berg <anna@acme.example>`.

        Raises:
            MessageError: There is no address, or more than one.
        """
        printed = printable(text, "address", longest=2_000).strip()
        if not printed.endswith(">"):
            return cls(printed)
        name, _, address = printed[:-1].rpartition("<")
        return cls(address.strip(), _unquoted(name.strip()))

    @classmethod
    def of(cls, value: Address | str) -> Address:
        """Return *value* as an address; text is parsed."""
        return value if isinstance(value, Address) else cls.parse(value)

    @property
    def local(self) -> str:
        """The part before the last @."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """The part behind the last @, as it was given."""
        return self.address.rpartition("@")[2]

    @property
    def wire(self) -> str:
        """The addr-spec with an ASCII domain, as envelopes and headers carry it."""
        return _wire(self.address)

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the local part can only travel with SMTPUTF8 (RFC 6531)."""
        return not self.local.isascii()

    def same_mailbox(self, other: Address | str) -> bool:
        """Whether both name one mailbox: equal local parts, equal domains but for case and encoding."""
        return comparable(self.address) == comparable(other.address if isinstance(other, Address) else other)

    def __str__(self) -> str:
        shown = f"{self.local}@{shown_domain(self.domain)}"
        return f"{self.name} <{shown}>" if self.name else shown


AddressLike: TypeAlias = Address | str


@functools.lru_cache(maxsize=16_384)
def _wire(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"


def check_address(address: str) -> str:
    """Return *address* when it is one addr-spec (RFC 5322 3.4.1 without comments, RFC 6532).

    Raises:
        MessageError: It is not.
    """
    if not isinstance(address, str):
        raise MessageError(f"An address must be text, not {type(address).__name__}.")
    return _checked(address)


@functools.lru_cache(maxsize=16_384)
def _checked(address: str) -> str:
    if len(address) > LONGEST_ADDRESS:
        raise MessageError(f"{address[:70]!r}... is longer than an address may be (RFC 5321 4.5.3.1).")
    if _FORBIDDEN.search(address):
        raise MessageError("The address holds a control character.", cure=_CONTROL_CURE)
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise MessageError(f"{address!r} is not an e-mail address.", cure="Write it as name@example.com.")
    if not (_DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise MessageError(f"{address!r} is not an e-mail address: {_complaint(local)}")
    octets = len(local.encode())
    if octets > 64 or octets + 1 + len(ascii_domain(domain)) > LONGEST_ADDRESS:
        raise MessageError(f"{address!r} is longer than an address may be (RFC 5321 4.5.3.1).")
    return address


def _complaint(local: str) -> str:
    if "," in local or ";" in local:
        return "give several addresses as a list, not in one text."
    return f"{local[:70]!r} can't stand before the @."


@functools.lru_cache(maxsize=16_384)
def comparable(address: str) -> str:
    """Return *address* trimmed, with its domain as a lower-case A-label and its local part untouched (rule 16)."""
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return address.strip()
    try:
        return f"{local}@{ascii_domain(domain).lower()}"
    except MessageError:
        return f"{local}@{domain.lower()}"


def _unquoted(name: str) -> str:
    quoted = _QUOTED_NAME.fullmatch(name)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if any(special in name for special in '"<>,;'):
        # "a@acme.example, Anna <b@acme.example>" would lose a recipient.
        raise MessageError(
            f"{name[:70]!r} is not a display name.",
            cure='Give several addresses as a list, and put a name with a comma in quotes: "Berg, Anna" <...>.',
        )
    return _decoded(name) if "=?" in name else name


def _decoded(name: str) -> str:
    """Return the text of *name*, encoded words (RFC 2047) as `email.utils.formataddr` writes them."""
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, UnicodeError):
        raise MessageError(f"{name[:70]!r} can't be decoded.", cure="Give the name as plain text.") from None


@functools.lru_cache(maxsize=4096)
def shown_domain(domain: str) -> str:
    """Return *domain* for people: as its A-label where one of its labels mixes scripts (rule 39)."""
    if domain.isascii() or not any(_mixes_scripts(label) for label in domain.split(".")):
        return domain
    return ascii_domain(domain)


_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "LATIN"}


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(letter, "?").split()[0].split("-")[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 and not scripts <= _EAST_ASIAN


def addresses(value: AddressLike | Iterable[AddressLike] | None) -> tuple[Address, ...]:
    """Return *value*, one address or several, as a tuple of addresses.

    Raises:
        MessageError: One of them is not an address.
    """
    if value is None:
        return ()
    if isinstance(value, (str, Address)):
        return (Address.of(value),)
    if not isinstance(value, Iterable):
        raise MessageError(f"Addresses are text, not {type(value).__name__}.")
    return tuple(Address.of(one) for one in value)
