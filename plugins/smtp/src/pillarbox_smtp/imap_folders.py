"""The folders of a mailbox: their names on the wire (RFC 3501 5.1.3), and which one is for sent mail (RFC 6154)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence

import attrs

WELL_KNOWN = (
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Sent-Mail",
    "Gesendet",
    "Gesendete Objekte",
    "Gesendete Elemente",
    "Éléments envoyés",
    "Envoyés",
    "Messages envoyés",
    "Enviados",
    "Elementos enviados",
    "Posta inviata",
    "Inviata",
    "Verzonden items",
    "Skickat",
    "Wysłane",
    "Отправленные",
)
"""What folders for sent mail are called where none is marked, the likeliest first."""
_LISTED = re.compile(
    rb'\((?P<flags>[^()]{0,1000})\) (?:"(?P<separator>\\?.)"|NIL) (?P<name>.*)', re.DOTALL | re.IGNORECASE
)
_RUN = re.compile("[^\x20-\x7e]+|&")
_SHIFTED = re.compile("&([^-]*)-")


@attrs.frozen
class Folder:
    """A folder.

    Attributes:
        name: As a person reads it.
        wire: As it goes on the wire, quoted.
        flags: In lower case.
        separator: Between the levels of names, or "".
    """

    name: str
    wire: str
    flags: frozenset[str] = frozenset()
    separator: str = ""

    @classmethod
    def named(cls, name: str) -> Folder:
        """Return the folder that a person calls *name*.

        Raises:
            ValueError: It can't be one.
        """
        return cls(name, quoted(encoded(name)))

    @property
    def is_marked(self) -> bool:
        """Whether the server says that it is the one for sent mail."""
        return "\\sent" in self.flags

    @property
    def is_place(self) -> bool:
        """Whether messages can be in it."""
        return not self.flags & {"\\noselect", "\\nonexistent"}

    @property
    def last(self) -> str:
        """The last level of its name."""
        return self.name.rpartition(self.separator)[2] if self.separator else self.name

    @property
    def depth(self) -> int:
        """How many levels are above it."""
        return self.name.count(self.separator) if self.separator else 0


def quoted(text: str) -> str:
    """Return *text* as a quoted string.

    Raises:
        ValueError: It can't be one: it is not ASCII, or holds a control character.
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"can't be sent by IMAP: {text!r:.60}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def encoded(name: str) -> str:
    """Return *name* in modified UTF-7."""
    return _RUN.sub(lambda run: _shifted(run[0]), name)


def _shifted(run: str) -> str:
    if run == "&":
        return "&-"
    octets = base64.b64encode(run.encode("utf-16-be"), b"+,")
    return f"&{octets.decode().rstrip('=')}-"


def decoded(wire: str) -> str:
    """Return the name that *wire* stands for in modified UTF-7, or *wire* itself where it is not that."""
    try:
        return _SHIFTED.sub(lambda run: _unshifted(run[1]) if run[1] else "&", wire)
    except ValueError:
        return wire


def _unshifted(run: str) -> str:
    octets = base64.b64decode(run + "=" * (-len(run) % 4), b"+,", validate=True)
    return octets.decode("utf-16-be")


def listed(answers: Iterable[object]) -> list[Folder]:
    """Return the folders that the answers to LIST name, as imaplib gives them; what can't be read is left out."""
    found = (_folder(answer) for answer in answers)
    return [folder for folder in found if folder is not None]


def _folder(answer: object) -> Folder | None:
    line, literal = answer if isinstance(answer, tuple) else (answer, None)
    match = _LISTED.match(line) if isinstance(line, bytes) else None
    if match is None:
        return None
    wire = _unquoted(match["name"] if literal is None else literal)
    try:
        return Folder(
            decoded(wire),
            quoted(wire),
            frozenset(match["flags"].decode("ascii", "replace").lower().split()),
            (match["separator"] or b"").decode("ascii", "replace")[-1:],
        )
    except ValueError:
        return None


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def marked_sent(folders: Iterable[Folder]) -> Folder | None:
    r"""Return the folder that the server marks ``\Sent``, the uppermost of several."""
    marked = [folder for folder in folders if folder.is_marked and folder.is_place]
    return min(marked, key=lambda folder: folder.depth, default=None)


def called_sent(folders: Sequence[Folder]) -> Folder | None:
    """Return the folder that is called as such folders are, at the top or one level below it."""
    for name in WELL_KNOWN:
        for folder in folders:
            if folder.last.casefold() == name.casefold() and folder.depth <= 1 and folder.is_place:
                return folder
    return None
