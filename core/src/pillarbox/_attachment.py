"""What goes with a message: files and invitations."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import attrs

from ._address import printable
from ._errors import MessageError

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = rf"""; *({_WORD})=(?:({_WORD})|"((?:[^"\\]|\\.)*)") *"""
_CONTENT_TYPE = re.compile(rf" *({_WORD}/{_WORD}) *((?:{_PARAMETER})*);? *", re.ASCII)
_PARAMETERS = re.compile(_PARAMETER, re.ASCII)
_CONTENT_ID = re.compile(r"[!-;=?-~]+")
_METHOD = re.compile(r"(?:^|[\r\n])METHOD:([A-Za-z-]{1,40})[ \t]*(?=[\r\n]|$)", re.IGNORECASE)

_OFFICE = "application/vnd.openxmlformats-officedocument"
_KINDS = {
    "csv": "text/csv",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "eml": "message/rfc822",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}
"""Content types by file name's end, the same on every machine; `mimetypes` asks the machine."""


def _bytes(content: bytes | bytearray | memoryview) -> bytes:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise MessageError(f"An attachment's content must be bytes, not {type(content).__name__}.")


class _Kept:
    """Room beside an attachment's fields: no part of its value, of a copy or of a pickle."""

    __slots__ = ("_encoded",)
    _encoded: tuple[bytes, ...]


@attrs.frozen
class Attachment(_Kept):
    """A file that goes with the message.

    Attributes:
        filename: The name that the recipient sees.
        content: The bytes.
        content_type: `type/subtype`, with parameters if wanted; guessed from the file name by default.
        inline: Whether HTML shows it, by `cid:` and its `content_id`.
        content_id: The name HTML uses for it, without angle brackets.
    """

    filename: str
    content: bytes = attrs.field(converter=_bytes, repr=lambda content: f"<{len(content):,} bytes>")
    content_type: str = ""
    inline: bool = attrs.field(default=False, kw_only=True)
    content_id: str = attrs.field(default="", kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not printable(self.filename, "attachment's file name", longest=255):
            raise MessageError("An attachment needs a file name.")
        object.__setattr__(self, "content_type", _content_type(self.content_type or _guess(self.filename)))
        if self.inline and not self.content_id:
            raise MessageError(
                f"{self.filename} is inline and has no content_id.", cure='Give the name after "cid:".'
            )
        if printable(self.content_id, "content id", longest=250) and not _CONTENT_ID.fullmatch(
            self.content_id
        ):
            raise MessageError(
                f"{self.content_id[:70]!r} is not a content id.", cure="Leave out spaces and < >."
            )

    @classmethod
    def from_path(cls, path: str | Path, content_type: str = "") -> Attachment:
        """Return the file at *path*, read now, under its own name."""
        return cls(Path(path).name, Path(path).read_bytes(), content_type)

    def _encoded_by(self, encode: Callable[[bytes], tuple[bytes, ...]]) -> tuple[bytes, ...]:
        """Return what *encode* makes of the content, kept from the second time on.

        Most attachments are sent once, and a host may hold a thousand: those take no room for it.
        """
        known: tuple[bytes, ...] | None = getattr(self, "_encoded", None)
        if known:
            return known
        encoded = encode(self.content)
        object.__setattr__(self, "_encoded", () if known is None else encoded)
        return encoded

    @property
    def kind(self) -> str:
        """The content type without its parameters, lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the content type, in order, unquoted; names lower case."""
        found = _PARAMETERS.findall(self.content_type)
        return tuple((name.lower(), token or _unescaped(quoted)) for name, token, quoted in found)


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def _guess(filename: str) -> str:
    ending = filename.rpartition(".")[2].lower()
    return _KINDS.get(ending) or _machines_guess(ending)


def _machines_guess(ending: str) -> str:
    import mimetypes

    guess, encoding = mimetypes.guess_type(f"file.{ending}") if ending.isalnum() else (None, None)
    return (
        guess if guess and not encoding and not guess.startswith("multipart/") else "application/octet-stream"
    )


def _content_type(given: str) -> str:
    fits = _CONTENT_TYPE.fullmatch(printable(given, "content type", longest=500))
    if not fits or not given.isascii() or fits[1].lower().startswith("multipart/"):
        raise MessageError(
            f"{given[:70]!r} is not an attachment's content type.", cure="Write it as type/subtype."
        )
    return given


@attrs.frozen
class Calendar:
    """An invitation (RFC 5545, RFC 6047): shown by calendars, and attached as `invite.ics`.

    Attributes:
        content: The iCalendar text; its METHOD property is used for both parts.
    """

    content: str = attrs.field(repr=lambda content: f"<{len(content):,} characters>")
    filename: str = "invite.ics"

    def __attrs_post_init__(self) -> None:
        if not printable(self.filename, "invitation's file name", longest=255):
            raise MessageError("An invitation needs a file name.")
        encodable(self.content, "invitation")
        if "BEGIN:VCALENDAR" not in self.content:
            raise MessageError("The invitation is not an iCalendar text (BEGIN:VCALENDAR is missing).")
        _ = self.method

    @property
    def method(self) -> str:
        """The METHOD property, upper case: REQUEST, CANCEL, REPLY ..."""
        found = _METHOD.search(self.content)
        if found is None:
            raise MessageError("The invitation has no METHOD.", cure="Add a line METHOD:REQUEST.")
        return found[1].upper()


def encodable(value: str, what: str) -> None:
    """Raise MessageError unless *value* is text that can be encoded and holds no NUL (RFC 5322 4)."""
    if not isinstance(value, str):
        raise MessageError(f"The {what} must be text, not {type(value).__name__}.")
    if "\x00" in value:
        raise MessageError(f"The {what} holds a NUL character.")
    try:
        _ = value.encode()
    except UnicodeEncodeError:
        raise MessageError(f"The {what} holds half of a surrogate pair.") from None
