"""Simple MAPI: text and files by whatever mail program is the computer's default, through MAPISendMailW of mapi32.dll.

It chooses no account, carries no HTML and no header, and can't look what became of a mail.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, c_size_t, c_uint32
from pathlib import Path
from typing import Any, Protocol

from .accounts import Wish
from .drafting import inside
from .machine import Machine, this_machine
from .problems import Problem
from .simple_codes import NO_SUPPORT, NO_UNICODE, SUCCESS
from .simple_structures import Built, Message, Note, built

CLIENTS = r"Software\Clients\Mail"
"""Its default value names the mail program, the user's before the machine's (Microsoft KB 315458)."""
FORCE_UNICODE = 0x40000
"""MAPI_FORCE_UNICODE: answer rather than turn the text into the code page. No flag that may show a dialog is ever given."""
FROM_SYSTEM = 0x800
"""LOAD_LIBRARY_SEARCH_SYSTEM32."""
LIBRARIES = ("DLLPath", "DLLPathEx", "MSIComponentID")
LONGEST_NAME = 100
"""Characters of a mail program's name, as it is shown."""
_NO_PATH = str.maketrans(dict.fromkeys("/\\:", "_"))
"""A program may make a file of the name that is shown: it must not lead to another folder, drive or stream."""
WIDE, ANSI = "utf-16-le", "mbcs"


class Provider(Protocol):
    """The default mail program."""

    def name(self) -> str:
        """Return what it is called, or "" where there is none: then it must not be called, it would show a dialog."""

    def open(self) -> None:
        """Get ready to send.

        Raises:
            Problem: It can't be called.
        """

    def send(self, message: Any, *, wide: bool) -> int:
        """Send *message*, a `Message`, its texts in UTF-16 (*wide*) or in the code page; return the answer."""


class SimpleMapi:
    """The carrier of the worker for `interface = "simple"`. One note is in hand at a time.

    The host has decided what of a letter is carried (`simple_letter`); here is what Simple MAPI takes of it.

    Args:
        provider: The mail program; by default this computer's.
    """

    def __init__(self, provider: Provider | None = None) -> None:
        self._provider = provider or Mapi32()
        self._ready: tuple[Note, Built] | None = None

    def attach(self, profile: str) -> dict[str, Any]:
        """Return what is to know of the mail program: its name. It shows no accounts, and nothing is started.

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
        """Take *letter* in hand. Whatever can fail without the mail program fails here; nothing reaches it yet.

        Raises:
            Problem: There is no mail program.
        """
        self._ready = None
        program = self._program()
        self._provider.open()
        note = noted(letter, spool)
        self._ready = (note, built(note, WIDE))
        return {"entry_id": "", "account": program, "kind": "other"}

    def submit(self) -> dict[str, Any]:
        """Send what is in hand, once; in the code page where the program knows no Unicode and no letter is lost.

        Raises:
            Problem: The mail program's answer, in `code`.
        """
        ready, self._ready = self._ready, None
        if ready is None:
            raise Problem("no-draft", step="send")
        note, wide = ready
        answer = self._provider.send(wide.message, wide=True)
        if answer == NO_UNICODE and fits_code_page(note):
            narrow = built(note, ANSI)
            answer = self._provider.send(narrow.message, wide=False)
        if answer != SUCCESS:
            raise Problem("simple", step="send", code=answer)
        return {}

    def discard(self) -> dict[str, Any]:
        """Forget what is in hand."""
        self._ready = None
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
        return "".join(filter(str.isprintable, name))[:LONGEST_NAME]


def noted(letter: Mapping[str, Any], spool: Path) -> Note:
    """Return *letter*, as the spool gives it, as Simple MAPI takes it."""
    return Note(
        subject=letter["subject"],
        read_receipt=bool(letter["read_receipt"]),
        text=inside(spool, letter["text"]).read_bytes().decode("utf-8"),
        people=tuple((kind, *_parted(shown)) for kind, shown in letter["people"]),
        files=tuple(
            (str(inside(spool, file["path"])), file["name"].translate(_NO_PATH)) for file in letter["files"]
        ),
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


def registered(machine: Machine) -> str:
    """Return the default mail program, or "" where Windows knows none that can be called: it would show a dialog.

    Its key has to name a DLL, or the component of an installer that has one (learn.microsoft.com, Mapi32.dll Stub
    Registry Settings).
    """
    name = str(machine.value(CLIENTS) or "")
    key = rf"{CLIENTS}\{name}"
    return name if name and any(machine.value(key, one) for one in LIBRARIES) else ""


class Mapi32:
    """This computer's default mail program, behind Windows' mapi32.dll.

    Where program and Python are of different widths, Windows has another process make the call of MAPISendMail, of this
    function alone (learn.microsoft.com, Building MAPI applications on 32-bit and 64-bit platforms; of MAPISendMailW the page
    says nothing).
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine or this_machine()
        self._library: Any = None

    def name(self) -> str:
        """See `Provider`."""
        return registered(self._machine)

    def open(self) -> None:
        """See `Provider`. The library is Windows' own, whatever lies beside the program that runs."""
        try:
            self._library = getattr(ctypes, "WinDLL")("mapi32", winmode=FROM_SYSTEM)  # noqa: B009  (only Windows has it)
        except OSError:
            raise Problem("simple", step="start", code=NO_SUPPORT) from None

    def send(self, message: Any, *, wide: bool) -> int:
        """See `Provider`. Windows 7 has no function for Unicode, and is taken for a program that knows none."""
        call = getattr(self._library, "MAPISendMailW" if wide else "MAPISendMail", None)
        if call is None:
            return NO_UNICODE if wide else NO_SUPPORT
        call.argtypes = (c_size_t, c_size_t, POINTER(Message), c_uint32, c_uint32)
        call.restype = c_uint32
        return int(call(0, 0, ctypes.byref(message), FORCE_UNICODE if wide else 0, 0))
