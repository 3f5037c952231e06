"""Writes header fields: encoded, quoted and folded, and never broken where they may not be."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator

from ._address import Address

WIDTH = 78
"""Characters of a line that is folded (RFC 5322 2.1.1)."""
LONGEST_WORD = 900
"""Characters of a word that stands as it is; a line may have 998 (RFC 5322 2.1.1) with its name."""
_ENCODED_WORD = 75
"""Characters of an encoded word (RFC 2047 2)."""
_LONGEST_QUOTED = 60

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*")
_FOLDABLE = re.compile(r"(?<! ) (?! )")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CHARSET = "utf-8''"
_Q_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/ "
_Q = {chr(octet): f"={octet:02X}" for octet in range(128)} | {chr(octet): chr(octet) for octet in _Q_PLAIN}
_Q[" "] = "_"
_EXTENDED = {chr(octet): f"%{octet:02X}" for octet in range(128)}
_EXTENDED |= {
    letter: letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
}


def text_field(name: str, text: str, longest_word: int = LONGEST_WORD) -> str:
    """Return the field *name* with *text*, which has no control character, and its CRLF.

    What could not be read back as it is (other alphabets, what looks like an encoded word, a space at an end, a
    word longer than *longest_word*) goes as encoded words (RFC 2047).
    """
    if not _stands(text):
        return folded(name, encoded_words(text, 76 - len(name) - 2))
    if len(name) + 2 + len(text) <= WIDTH:
        return f"{name}: {text}\r\n" if text else f"{name}:\r\n"
    words = _FOLDABLE.split(text)
    if max(map(len, words)) > longest_word:
        return folded(name, encoded_words(text, 76 - len(name) - 2))
    return folded(name, words)


def _stands(text: str) -> bool:
    """Whether a reader gets *text* back without encoding, spaces in a row aside."""
    return text.isascii() and "=?" not in text and text[:1] != " " != text[-1:]


def address_field(name: str, addresses: Iterable[Address]) -> str:
    """Return the field *name* with *addresses*, folded between and never inside them, and its CRLF."""
    words: list[str] = []
    for address in addresses:
        if words:
            words[-1] += ","
        words += _mailbox(address)
    return folded(name, words)


def _mailbox(address: Address) -> list[str]:
    return [*_phrase(address.name), f"<{address.wire}>"] if address.name else [address.wire]


def _phrase(name: str) -> list[str]:
    """Return a display name as words: atoms, a quoted string, or encoded words (RFC 5322 3.2.5, RFC 2047 5)."""
    if len(name) > _LONGEST_QUOTED or "  " in name or not _stands(name):
        return encoded_words(name)
    return [name] if _ATOMS.fullmatch(name) else [quoted(name)]


def folded(name: str, words: Iterable[str]) -> str:
    """Return the field *name* with *words*, which stay whole, in lines of 78 characters where they fit."""
    lines = []
    start = line = f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > WIDTH and (line is not start or len(word) < WIDTH):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line, ""])


def encoded_words(text: str, first: int = _ENCODED_WORD) -> list[str]:
    """Return *text* as encoded words (RFC 2047), the first of at most *first* characters where that is enough.

    Q or B, whichever is shorter; no character is cut in two.
    """
    octets = text.encode()
    room = min(max(first, 40), _ENCODED_WORD)
    if len(octets.translate(None, _Q_PLAIN)) * 6 <= len(octets):
        return [f"=?utf-8?q?{word}?=" for word in _pieces(map(_in_q, text), room - 12, _ENCODED_WORD - 12)]
    return list(_b_words(octets, room))


def _in_q(character: str) -> str:
    return _Q.get(character) or "".join(f"={octet:02X}" for octet in character.encode())


def _b_words(octets: bytes, room: int) -> Iterator[str]:
    start = 0
    while start < len(octets):
        end = start + (room - 12) // 4 * 3
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        yield f"=?utf-8?b?{b2a_base64(octets[start:end], newline=False).decode()}?="
        start, room = end, _ENCODED_WORD


def _pieces(characters: Iterable[str], first: int, rest: int) -> Iterator[str]:
    """Yield *characters* joined to pieces of at most *first*, then *rest* characters."""
    piece, room = "", first
    for character in characters:
        if len(piece) + len(character) > room:
            yield piece
            piece, room = "", rest
        piece += character
    yield piece


def quoted(text: str) -> str:
    r"""Return *text* as a quoted string (RFC 5322 3.2.4)."""
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def parameter_field(name: str, value: str, parameters: Iterable[str]) -> str:
    """Return the field *name* with *value* and *parameters*, each on a line of its own, and its CRLF."""
    return ";\r\n ".join([f"{name}: {value}", *parameters]) + "\r\n"


def parameter(name: str, value: str) -> str:
    """Return an ASCII parameter as it stands in a field (RFC 2045 5.1)."""
    return f"{name}={value if _TOKEN.fullmatch(value) else quoted(value)}"


def extended_parameter(name: str, value: str) -> list[str]:
    """Return a parameter that keeps every character: quoted where that is enough, else by RFC 2231."""
    if _is_plain(value):
        return [f'{name}="{value}"']
    encoded = list(map(_in_extended, value))
    if len(name) + 10 + sum(map(len, encoded)) < WIDTH:
        return [f"{name}*=utf-8''{''.join(encoded)}"]
    pieces = _pieces(encoded, 76 - len(name) - 12, 76 - len(name) - 5)
    return [f"{name}*{at}*={'' if at else _CHARSET}{piece}" for at, piece in enumerate(pieces)]


def old_parameter(name: str, value: str) -> str:
    """Return a parameter for old readers: encoded words (RFC 2047) in a quoted string, folded between them.

    RFC 2047 5 forbids them there, and every mail program writes and reads them.
    """
    words = [value] if _is_plain(value) else encoded_words(value, _ENCODED_WORD - len(name) - 2)
    return f'{name}="' + "\r\n ".join(words) + '"'


def _is_plain(value: str) -> bool:
    return _stands(value) and not any(awkward in value for awkward in ('"', "\\", "  "))


def _in_extended(character: str) -> str:
    return _EXTENDED.get(character) or "".join(f"%{octet:02X}" for octet in character.encode())
