"""What a certificate says of itself: names and dates, read from its DER whether or not anybody trusts it."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

_SEQUENCE, _OID, _OCTETS, _UTC_TIME, _VERSION, _EXTENSIONS = 0x30, 0x06, 0x04, 0x17, 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_ALT_NAMES = bytes.fromhex("551d11")
_COMMON_NAME = bytes.fromhex("550403")
MOST_NAMES = 100


class Certificate(NamedTuple):
    """The facts that a person can judge a certificate by.

    Attributes:
        names: Whom it is for: host names and addresses; the common name only where there are no others.
        not_before, not_after: When it is valid; aware, UTC.
        fingerprint: SHA-256 of the DER, hexadecimal.
    """

    names: tuple[str, ...]
    not_before: dt.datetime
    not_after: dt.datetime
    fingerprint: str

    @classmethod
    def read(cls, der: bytes) -> Certificate:
        """Return what stands in *der* (RFC 5280 4.1).

        Raises:
            ValueError: It is not a certificate.
        """
        fields = list(_parts(_only(_only(der, _SEQUENCE), _SEQUENCE)))
        if fields and fields[0][0] == _VERSION:
            fields.pop(0)
        if len(fields) < 6:
            raise ValueError("not a certificate")
        times = list(_parts(fields[3][1]))
        if len(times) != 2:
            raise ValueError("not a certificate's validity")
        names = _alternative_names(fields[6:]) or _common_names(fields[4][1])
        return cls(names[:MOST_NAMES], _moment(*times[0]), _moment(*times[1]), fingerprint(der))

    @property
    def shown_names(self) -> str:
        """The names for a sentence; after three it says how many more there are."""
        if not self.names:
            return "nobody"
        more = len(self.names) - 3
        return ", ".join(self.names[:3]) + (f" and {more} more" if more > 0 else "")

    def days_left(self, now: dt.datetime) -> int:
        """Return the whole days from *now* until it expires; negative when it has."""
        return (self.not_after - now).days


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate's *der* in hexadecimal."""
    return hashlib.sha256(der).hexdigest()


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give tag and content of each element in *data* (X.690 8.1, definite lengths)."""
    position = 0
    while position < len(data):
        tag, content, position = _part(data, position)
        yield tag, content


def _part(data: bytes, position: int) -> tuple[int, bytes, int]:
    if position + 2 > len(data):
        raise ValueError("cut short")
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("a length that DER does not have")
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + length > len(data):
        raise ValueError("cut short")
    return tag, data[start : start + length], start + length


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the first element, which must have *tag*."""
    found, content, _ = _part(data, 0)
    if found != tag:
        raise ValueError("not a certificate")
    return content


def _moment(tag: int, content: bytes) -> dt.datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year, from 1950 to 2049 (RFC 5280 4.1.2.5.1)
        text = ("19" if text[:2] >= "50" else "20") + text
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)


def _alternative_names(fields: list[tuple[int, bytes]]) -> tuple[str, ...]:
    extensions = next((content for tag, content in fields if tag == _EXTENSIONS), None)
    if extensions is None:
        return ()
    for _, extension in _parts(_only(extensions, _SEQUENCE)):
        parts = list(_parts(extension))
        if len(parts) > 1 and parts[0] == (_OID, _ALT_NAMES) and parts[-1][0] == _OCTETS:
            return tuple(_names(_only(parts[-1][1], _SEQUENCE)))
    return ()


def _names(general: bytes) -> Iterator[str]:
    for tag, content in _parts(general):
        if tag == _DNS_NAME:
            yield content.decode("ascii", "replace")
        elif tag == _IP_ADDRESS and len(content) in {4, 16}:
            yield str(ipaddress.ip_address(content))


def _common_names(subject: bytes) -> tuple[str, ...]:
    pairs = [list(_parts(attribute)) for _, names in _parts(subject) for _, attribute in _parts(names)]
    return tuple(
        pair[1][1].decode("utf-8", "replace")
        for pair in pairs
        if len(pair) == 2 and pair[0] == (_OID, _COMMON_NAME)
    )
