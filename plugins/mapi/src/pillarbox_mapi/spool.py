"""The private folder through which bodies and files reach the worker: made and removed by the host, whatever happens."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from .letter import File, Letter

PREFIX = "pillarbox-mapi-"
LONGEST_NAME = 100
"""Characters of a file's name on the disk: Windows takes 260 for a whole path."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))]
)
"""Names that Windows keeps for devices, with whatever ending (learn.microsoft.com, Naming Files)."""


class Spool:
    """A folder that only this user can read. The worker runs in it, so that both know its files by the same names."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._number = itertools.count(1)

    @contextlib.contextmanager
    def holding(self, letter: Letter) -> Iterator[dict[str, Any]]:
        """Give *letter* as an object of JSON whose bodies and files are in the spool while the block runs."""
        folder = str(next(self._number))
        try:
            yield self._written(letter, folder)
        finally:
            shutil.rmtree(self.root / folder, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _written(self, letter: Letter, folder: str) -> dict[str, Any]:
        html = None if letter.html is None else self._put(folder, "body.html", letter.html.encode())
        files = [
            {
                "path": self._put(f"{folder}/{number}", disk_name(file.name), file.content),
                "name": file.name,
                **_kind(file),
            }
            for number, file in enumerate(letter.files, 1)
        ]
        return {
            "folder": folder,
            "subject": letter.subject,
            "text": self._put(folder, "body.txt", letter.text.encode()),
            "html": html,
            "people": [[person.kind, person.shown] for person in letter.people],
            "answers_to": [person.shown for person in letter.answers_to],
            "importance": letter.importance,
            "read_receipt": letter.read_receipt,
            "headers": [list(pair) for pair in letter.headers],
            "files": files,
        }

    def _put(self, folder: str, name: str, content: bytes) -> str:
        path = self.root / folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)
        return f"{folder}/{name}"


def _kind(file: File) -> dict[str, str]:
    return attrs.asdict(file, filter=lambda field, _: field.name in {"content_type", "content_id"})


def disk_name(name: str) -> str:
    """Return *name* as a file may be called on Windows: what is not allowed becomes `_`, and its end is kept."""
    safe = "".join("_" if letter in _FORBIDDEN or not letter.isprintable() else letter for letter in name)
    safe = safe.strip().rstrip(".") or "file"
    stem, dot, end = safe.rpartition(".")
    if len(safe) > LONGEST_NAME:
        safe = f"{stem[: LONGEST_NAME - 11]}.{end[:10]}" if dot else safe[:LONGEST_NAME]
    return f"_{safe}" if safe.split(".")[0].strip().casefold() in _RESERVED else safe
