"""Fields of a mail's head, taken out and put in without a change to any other octet."""

from __future__ import annotations

import re

_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^(?P<name>[!-9;-~]+)[ \t]*:(?P<value>[^\n]*\n(?:[ \t][^\n]*(?:\n|\Z))*)", re.MULTILINE)


def without(content: bytes, name: str) -> bytes:
    """Return *content* without its fields called *name*."""
    head, rest = _split(content)
    kept = _FIELD.sub(lambda found: b"" if _is(found, name) else found[0], head)
    return kept + rest


def with_field(content: bytes, name: str, value: str) -> bytes:
    """Return *content* with the one field *name*, at its head."""
    return f"{name}: {value}\r\n".encode() + without(content, name)


def field(content: bytes, name: str) -> str:
    """Return the value of the first field *name*, unfolded; "" where there is none."""
    head, _ = _split(content)
    found = next((one for one in _FIELD.finditer(head) if _is(one, name)), None)
    return " ".join(found["value"].decode("utf-8", "replace").split()) if found else ""


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Return the head with the end of its last line, and the rest from the empty line on."""
    found = _END.search(content)
    if found is None:
        return content, b""
    first = content.index(b"\n", found.start()) + 1
    return content[:first], content[first:]


def _is(found: re.Match[bytes], name: str) -> bool:
    return found["name"].lower() == name.lower().encode()
