"""Simple MAPI: text and files by whatever mail program is the computer's default, through MAPISendMailW of mapi32.dll.

It chooses no account, carries no HTML and no header, and can't look what became of a mail. Only mapi32.dll is Windows': the
structures have fixed widths, so that they are the same wherever they are made.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import POINTER, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Protocol

import attrs

from .accounts import Wish
from .drafting import inside
from .machine import this_machine
from .problems import Problem
from .simple_codes import NO_SUPPORT, NO_UNICODE, SUCCESS

CLIENTS = r"Software\Clients\Mail"
"""Its default value names the mail program, the user's before the machine's (Microsoft KB 315458)."""
FORCE_UNICODE = 0x40000
"""MAPI_FORCE_UNICODE: answer rather than turn the text into the code page. No flag that may show a dialog is ever given."""
NO_PLACE = 0xFFFFFFFF
"""The file stands nowhere in the text."""
WIDE, ANSI = "utf-16-le", "mbcs"


class FileDesc(ctypes.Structure):
    """MapiFileDescW, and MapiFileDesc (mapi.h)."""

    _fields_ = (
        ("ulReserved", c_uint32),
        ("flFlags", c_uint32),
        ("nPosition", c_uint32),
        ("lpszPathName", c_void_p),
        ("lpszFileName", c_void_p),
        ("lpFileType", c_void_p),
    )


class RecipDesc(ctypes.Structure):
    """MapiRecipDescW, and MapiRecipDesc (mapi.h)."""

    _fields_ = (
        ("ulReserved", c_uint32),
        ("ulRecipClass", c_uint32),
        ("lpszName", c_void_p),
        ("lpszAddress", c_void_p),
        ("ulEIDSize", c_uint32),
        ("lpEntryID", c_void_p),
    )


class Message(ctypes.Structure):
    """MapiMessageW, and MapiMessage (mapi.h)."""

    _fields_ = (
        ("ulReserved", c_uint32),
        ("lpszSubject", c_void_p),
        ("lpszNoteText", c_void_p),
        ("lpszMessageType", c_void_p),
        ("lpszDateReceived", c_void_p),
        ("lpszConversationID", c_void_p),
        ("flFlags", c_uint32),
        ("lpOriginator", POINTER(RecipDesc)),
        ("nRecipCount", c_uint32),
        ("lpRecips", POINTER(RecipDesc)),
        ("nFileCount", c_uint32),
        ("lpFiles", POINTER(FileDesc)),
    )


@attrs.frozen(kw_only=True)
class Note:
    """All that Simple MAPI carries.

    Attributes:
        people: Kind (1 to, 2 cc, 3 bcc), name and address of each recipient.
        files: Absolute path and shown name of each file.
    """

    subject: str
    text: str = attrs.field(repr=False)
    people: tuple[tuple[int, str, str], ...]
    files: tuple[tuple[str, str], ...] = ()


class Provider(Protocol):
    """The default mail program."""

    def name(self) -> str:
        """Return what it is called, or "" where there is none: then it must not be called, it would show a dialog."""

    def send(self, message: Any, *, wide: bool) -> int:
        """Send *message*, a `Message`, its texts in UTF-16 (*wide*) or in the code page; return the answer."""


class SimpleMapi:
    """The carrier of the worker for `interface = "simple"`. One note is in hand at a time.

    Args:
        provider: The mail program; by default this computer's.
    """

    def __init__(self, provider: Provider | None = None) -> None:
        self._provider = provider or Mapi32()
        self._note: Note | None = None

    def attach(self, profile: str) -> dict[str, Any]:
        """Return what is to know of the mail program: its name. It shows no accounts.

        Raises:
            Problem: There is none.
        """
        return {
            "version": self._program(),
            "profile": profile,
            "accounts": [],
            "offline": False,
            "trusted": True,
        }

    def prepare(
        self, letter: Mapping[str, Any], wish: Wish, profile: str, spool: Path, *, again: bool
    ) -> dict[str, Any]:
        """Take *letter* in hand; nothing reaches the mail program yet.

        Raises:
            Problem: There is no mail program, or Simple MAPI can't carry all of the letter.
        """
        self._note = None
        program = self._program()
        lost = uncarried(letter, wish, profile)
        if lost:
            raise Problem("simple-cannot", step="content", what=", ".join(lost))
        self._note = noted(letter, spool)
        return {"entry_id": "", "account": program, "kind": "other"}

    def submit(self) -> dict[str, Any]:
        """Send what is in hand, once; in the code page where the program knows no Unicode and no letter is lost.

        Raises:
            Problem: The mail program's answer, in `code`.
        """
        note, self._note = self._note, None
        if note is None:
            raise Problem("no-draft", step="send")
        answer = self._sent(note, WIDE)
        if answer == NO_UNICODE and fits_code_page(note):
            answer = self._sent(note, ANSI)
        if answer != SUCCESS:
            raise Problem("simple", step="send", code=answer)
        return {}

    def discard(self) -> dict[str, Any]:
        """Forget what is in hand."""
        self._note = None
        return {}

    def find(self, key: str, account: str, profile: str) -> dict[str, Any]:
        """Raise, since Simple MAPI has no way to look.

        Raises:
            Problem: Always.
        """
        raise Problem("simple-cannot", step="look", what="a look at what was sent")

    def _program(self) -> str:
        name = self._provider.name()
        if not name:
            raise Problem("simple", step="start", code=NO_SUPPORT)
        return name

    def _sent(self, note: Note, encoding: str) -> int:
        message, _kept = built(note, encoding)
        return self._provider.send(message, wide=encoding == WIDE)


def uncarried(letter: Mapping[str, Any], wish: Wish, profile: str) -> list[str]:
    """Return what of *letter* and of what is wished of the sender Simple MAPI can't do, each a clause."""
    asked = {
        "HTML": letter["html"] is not None,
        "addresses for answers": letter["answers_to"],
        "importance": letter["importance"] != 1,
        "a read receipt": letter["read_receipt"],
        "headers": letter["headers"],
        "a picture inside the text": any(file["content_id"] for file in letter["files"]),
        "another sender": letter.get("on_behalf"),
        "an account of your choice": wish.account or wish.must_be,
        "a profile of your choice": profile,
    }
    return [what for what, is_asked in asked.items() if is_asked]


def noted(letter: Mapping[str, Any], spool: Path) -> Note:
    """Return *letter*, as the spool gives it, as Simple MAPI takes it."""
    return Note(
        subject=letter["subject"],
        text=inside(spool, letter["text"]).read_bytes().decode("utf-8"),
        people=tuple((kind, *_parted(shown)) for kind, shown in letter["people"]),
        files=tuple((str(inside(spool, file["path"])), file["name"]) for file in letter["files"]),
    )


def _parted(shown: str) -> tuple[str, str]:
    """Return name and address of `Anna Berg <anna@acme.example>`; an address stands for its name."""
    name, _, address = shown.rpartition(" <")
    return (name, address.rstrip(">")) if name else (shown, shown)


def fits_code_page(note: Note) -> bool:
    """Whether no letter of *note* is lost in the computer's code page, the paths of its files included."""
    texts = [note.subject, note.text, *(text for _, *pair in note.people for text in pair)]
    return all(_survives(text) for text in (*texts, *(text for pair in note.files for text in pair)))


def _survives(text: str) -> bool:
    try:
        return text.encode(ANSI).decode(ANSI) == text  # what only looks alike is a loss too
    except (UnicodeError, LookupError):  # there is no such code page but on Windows
        return False


def built(note: Note, encoding: str) -> tuple[Message, list[Any]]:
    """Return *note* as a structure with its texts in *encoding*, and what has to live as long as that is used."""
    kept: list[Any] = []

    def text(value: str) -> c_void_p:
        kept.append(ctypes.create_string_buffer(value.encode(encoding) + b"\0\0"))
        return ctypes.cast(kept[-1], c_void_p)

    people = (RecipDesc * len(note.people))(*(_recipient(one, text) for one in note.people))
    files = (FileDesc * len(note.files))(*(_file(one, text) for one in note.files))
    kept += [people, files]
    message = Message(
        lpszSubject=text(note.subject),
        lpszNoteText=text(note.text),
        nRecipCount=len(people),
        lpRecips=ctypes.cast(people, POINTER(RecipDesc)),
        nFileCount=len(files),
        lpFiles=ctypes.cast(files, POINTER(FileDesc)) if files else None,
    )
    return message, kept


def _recipient(person: tuple[int, str, str], text: Callable[[str], c_void_p]) -> RecipDesc:
    kind, name, address = person
    return RecipDesc(ulRecipClass=kind, lpszName=text(name), lpszAddress=text(f"SMTP:{address}"))


def _file(file: tuple[str, str], text: Callable[[str], c_void_p]) -> FileDesc:
    path, name = file
    return FileDesc(nPosition=NO_PLACE, lpszPathName=text(path), lpszFileName=text(name))


class Mapi32:
    """This computer's default mail program, behind Windows' mapi32.dll."""

    def name(self) -> str:
        """See `Provider`."""
        return str(this_machine().value(CLIENTS) or "")

    def send(self, message: Any, *, wide: bool) -> int:
        """See `Provider`."""
        library: Any = getattr(ctypes, "WinDLL")("mapi32")  # noqa: B009  (only Windows has it)
        call = library.MAPISendMailW if wide else library.MAPISendMail
        call.argtypes = (c_size_t, c_size_t, POINTER(Message), c_uint32, c_uint32)
        call.restype = c_uint32
        return int(call(0, 0, ctypes.byref(message), FORCE_UNICODE if wide else 0, 0))
