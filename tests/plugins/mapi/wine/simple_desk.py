"""A Windows desk whose default mail program is the one of `provider`: Wine's own mapi32.dll loads it for the worker.

Wine 8 hands MAPISendMailW on to a program that exports it. For one that does not it answers 27 to MAPI_FORCE_UNICODE,
and MAPISendMail then reaches the program in the code page. It loads the program once in a process, when mapi32.dll is loaded,
by the machine's DLLPath alone: it knows no user's own program, and DLLPathEx only for Extended MAPI.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import attrs

from .desk import Desk

PROVIDER = Path(__file__).parent / "provider"
COMPILER = ("x86_64-w64-mingw32-gcc", "-std=c11", "-shared", "-O1", "-Wall", "-Wextra", "-Werror")
NAME = "Pillarbox Post"
WIDE, NARROW, GONE = "post.dll", "narrow.dll", "gone.dll"
CODE_PAGE = "cp1252"
"""Wine's, where the locale is C.UTF-8."""


class MailProgram:
    """The default mail program of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = desk.folder.with_name("simple")
        self.folder.mkdir()
        self._registered: tuple[str, ...] = ()
        self._build(WIDE)
        self._build(NARROW, "-DNARROW")

    def _build(self, name: str, *options: str) -> None:
        """Compile it; a missing compiler fails (`.ci/install-windows` installs it)."""
        source = PROVIDER / "provider.c"
        subprocess.run([*COMPILER, *options, "-o", self.folder / name, source], check=True, timeout=120)

    def begin(self, *does: object, name: str = NAME, library: str = WIDE, value: str = "DLLPath") -> None:
        """Be the default program, forget what was asked, and from now on do what is told (`provider.c`)."""
        registered = (name, f"C:\\simple\\{library}" if library else "", value)
        if registered != self._registered:
            self.desk.run(str(PROVIDER / "register.py"), "machine", *registered)
            self._registered = registered
        (self.folder / "asked.jsonl").unlink(missing_ok=True)
        self.do(*does)

    def users(self, name: str) -> None:
        """Let the user's own default program be *name*, which Windows takes before the machine's."""
        self.desk.run(str(PROVIDER / "register.py"), "user", name)

    def do(self, *does: object) -> None:
        """Do that from the next call on."""
        part = self.folder / "behaviour.part"
        part.write_text(" ".join(map(str, does or ("answer", 0))))
        part.replace(self.folder / "behaviour.txt")

    @property
    def asked(self) -> list[Asked]:
        """Each call, in order."""
        return [Asked.read(line) for line in self._lines() if "sent" not in line]

    @property
    def sent(self) -> int:
        """How many mails left."""
        return sum("sent" in line for line in self._lines())

    def _lines(self) -> list[dict[str, Any]]:
        path = self.folder / "asked.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@attrs.frozen(kw_only=True)
class Asked:
    """What the program was asked in a call.

    Attributes:
        is_wide: Whether by MAPISendMailW.
        flags: Of the call, of the message; session and window.
        people: Kind, name, address.
        files: Path, shown name, place in the text, octets.
    """

    is_wide: bool
    subject: str
    text: str
    flags: dict[str, int]
    people: list[tuple[int, str, str]]
    files: list[tuple[str, str, int, bytes | None]]

    @classmethod
    def read(cls, line: dict[str, Any]) -> Asked:
        """Return what stands in a *line* of the program."""
        encoding = "utf-16-le" if line["wide"] else CODE_PAGE

        def text(digits: str) -> str:
            return bytes.fromhex(digits).decode(encoding)

        return cls(
            is_wide=bool(line["wide"]),
            subject=text(line["subject"]),
            text=text(line["text"]),
            flags={
                name: line[name] for name in ("session", "window", "flags", "message_flags", "originator")
            },
            people=[(one["kind"], text(one["name"]), text(one["address"])) for one in line["people"]],
            files=[
                (text(one["path"]), text(one["name"]), one["place"], content(one["content"]))
                for one in line["files"]
            ],
        )


def content(digits: str | None) -> bytes | None:
    """Return a file's octets; None where the program could not read it."""
    return None if digits is None else bytes.fromhex(digits)
