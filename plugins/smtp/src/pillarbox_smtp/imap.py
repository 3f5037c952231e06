"""A mailbox reached by IMAP: asked for its folder of sent mail and whether a message is there, and given one."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from pillarbox import quotation

from .imap_folders import Folder, called_sent, listed, marked_sent, quoted
from .imap_session import Session, Trouble
from .imap_wire import CRLF

ORIGINAL = "X-Microsoft-Original-Message-ID"
"""Where Outlook.com keeps a Message-ID that it has replaced."""


class Mailbox(Session):
    """A session that was signed in, and what is done in it."""

    def sent_folder(self) -> Folder | None:
        r"""Return the folder marked `\Sent`, else the one that is called like one, or None."""
        found = marked_sent(self._marked()) if "SPECIAL-USE" in self._capabilities else None
        if found is not None:
            return found
        folders = self._folders()
        return marked_sent(folders) or called_sent(folders)

    def _marked(self) -> list[Folder]:
        """Return the folders with a mark; none where the server won't say."""
        client = self._open_client()
        try:
            with self._told("copy-folders-refused", "does not list its folders"):
                client.xatom("LIST", "(SPECIAL-USE)", '""', '"*"')
                return listed(client.response("LIST")[1])
        except Trouble as trouble:
            if trouble.how is not None:
                raise
        return []

    def _folders(self) -> list[Folder]:
        client = self._open_client()
        with self._told("copy-folders-refused", "does not list its folders"):
            typ, data = client.list('""', '"*"')
        return listed(self._must((typ, data), "copy-folders-refused", "does not list its folders"))

    def create(self, name: str = "") -> Folder:
        r"""Create and subscribe the folder *name*; without one the folder for sent mail, marked where that is possible.

        Some servers want every folder below INBOX, so there it is tried next.
        """
        folder = Folder.named(name or "Sent")
        try:
            return self._created(folder, marked=not name)
        except Trouble as trouble:
            if name or trouble.how is not None:
                raise
            separator = next((one.separator for one in self._folders() if one.separator), "")
            if not separator:
                raise
        return self._created(Folder.named(f"INBOX{separator}Sent"), marked=True)

    def _created(self, folder: Folder, *, marked: bool) -> Folder:
        client = self._open_client()
        use = [r"(USE (\Sent))"] if marked and "CREATE-SPECIAL-USE" in self._capabilities else []
        told = "copy-folder-not-created", f'did not create the folder "{quotation(folder.name)}"'
        with self._told(*told):
            self._must(client.xatom("CREATE", folder.wire, *use), *told)
        with contextlib.suppress(Trouble), self._told("copy-garbage", ""):
            client.subscribe(folder.wire)
        return folder

    def has(self, folder: Folder, message_id: str) -> bool:
        """Whether *folder* holds a message with this Message-ID, also as one that the server has replaced."""
        self.look_into(folder)
        client = self._open_client()
        value = quoted(message_id)
        with self._told("copy-search-refused", "can't be searched"):
            client.response("SEARCH")
            answer = client.uid("SEARCH", f"OR HEADER Message-ID {value} HEADER {ORIGINAL} {value}")
        found = self._must(answer, "copy-search-refused", "can't be searched")
        words = [word for line in found if isinstance(line, bytes) for word in line.split()]
        if None in found or not all(word.isdigit() for word in words):
            raise Trouble("copy-search-refused", f"{self.access.server} did not answer the search.")
        return bool(words)

    def look_into(self, folder: Folder) -> None:
        """Examine *folder*, or hear what is new in it."""
        client = self._open_client()
        told = "copy-folder-missing", f'does not open the folder "{quotation(folder.name)}"'
        with self._told(*told, _NO_FOLDER):
            if self._examined == folder.wire:
                client.noop()
                return
            self._examined = ""
            self._must(client.select(folder.wire, readonly=True), *told, _NO_FOLDER)
        self._examined = folder.wire

    def append(self, folder: Folder, content: bytes) -> str:
        """Put *content* into *folder* as a message that was read, and return its UID, where the server says it."""
        client = self._open_client()
        client.wrote = b""
        try:
            with self._told("copy-refused", "refused the copy"):
                answer = client.append(folder.wire, r"(\Seen)", "", content)
                [said, *_] = self._must(answer, "copy-refused", "refused the copy")
        except Trouble as trouble:
            trouble.in_doubt = trouble.how is not None and client.wrote == CRLF
            raise _about_room(trouble) from None
        if client.wrote != CRLF:
            self.drop()
            raise Trouble(
                "copy-garbage", f"{self.access.server} said that it had the copy before it was sent."
            )
        uid = re.search(rb"\[APPENDUID \d{1,20} (\d{1,20})\]", said or b"")
        return uid[1].decode() if uid else ""

    def quota(self, folder: Folder) -> tuple[int, int] | None:
        """Return the KiB that are used and those there are, or None where the server does not say."""
        client = self._open_client()
        if "QUOTA" not in self._capabilities:
            return None
        found: Any = ()
        with contextlib.suppress(Trouble), self._told("copy-garbage", ""):
            found = client.getquotaroot(folder.wire)[1][1]
        told = (re.search(rb"STORAGE (\d{1,18}) (\d{1,18})", one) for one in found if isinstance(one, bytes))
        return next(((int(one[1]), int(one[2])) for one in told if one), None)


_NO_FOLDER = "Name another with folder, or set create_folder = true."
_ROOM = {
    "OVERQUOTA": ("copy-full", "The mailbox is full: make room in it, or have its quota raised."),
    "TRYCREATE": ("copy-folder-missing", _NO_FOLDER),
    "TOOBIG": ("copy-too-large", "The server takes no copy of this size."),
}


def _about_room(trouble: Trouble) -> Trouble:
    """Return *trouble* with an APPEND under the code of the response code that it quotes (RFC 5530, RFC 3501)."""
    for word, (code, cure) in _ROOM.items():
        if f"[{word}]" in trouble.detail.upper() and trouble.how is None:
            return Trouble(code, trouble.detail, cure)
    return trouble
