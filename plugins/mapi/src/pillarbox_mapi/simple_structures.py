"""The structures of Simple MAPI, and a note laid out in them: of fixed widths, the same wherever they are made."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_uint32, c_void_p
from typing import Any

import attrs

RECEIPT_REQUESTED = 0x2
"""MAPI_RECEIPT_REQUESTED, of a message: a read receipt is wanted."""
NO_PLACE = 0xFFFFFFFF
"""The file stands nowhere in the text."""


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
        files: Absolute path and shown name of each file. They have to be there until the program has answered.
    """

    subject: str
    text: str = attrs.field(repr=False)
    read_receipt: bool = False
    people: tuple[tuple[int, str, str], ...]
    files: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Built:
    """A structure as the mail program reads it, with all that it points at: one must not outlive the other."""

    message: Message
    kept: list[Any] = attrs.field(repr=False)


def built(note: Note, encoding: str) -> Built:
    """Return *note* as a structure with its texts in *encoding*, each with an end of two octets, which suits both."""
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
        flFlags=RECEIPT_REQUESTED if note.read_receipt else 0,
        nRecipCount=len(people),
        lpRecips=ctypes.cast(people, POINTER(RecipDesc)),
        nFileCount=len(files),
        lpFiles=ctypes.cast(files, POINTER(FileDesc)) if files else None,
    )
    return Built(message, kept)


def _recipient(person: tuple[int, str, str], text: Callable[[str], c_void_p]) -> RecipDesc:
    kind, name, address = person
    return RecipDesc(ulRecipClass=kind, lpszName=text(name), lpszAddress=text(f"SMTP:{address}"))


def _file(file: tuple[str, str], text: Callable[[str], c_void_p]) -> FileDesc:
    path, name = file
    return FileDesc(nPosition=NO_PLACE, lpszPathName=text(path), lpszFileName=text(name))
