"""Whether an open database is still the file at its path."""

from __future__ import annotations

import os
from pathlib import Path

from .._errors import Unavailable


class SameFile:
    """Sees that a file is still the one that was opened: what is written to a removed one is lost with this process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        files = (str(path), str(path.with_name(f"{path.name}-wal")))
        self._were = [(file, os.stat(file)) for file in files]  # noqa: PTH116  (asked at each commit: no Path is made)

    def _are_the_same(self) -> bool:
        return all(os.path.samestat(os.stat(file), was) for file, was in self._were)  # noqa: PTH116

    def check(self) -> None:
        """Do nothing where it is.

        Raises:
            Unavailable: It was removed, or another was put in its place.
        """
        try:
            same = self._are_the_same()
        except FileNotFoundError:
            same = False
        if not same:
            raise Unavailable(
                f"{self._path} was removed or replaced while it was in use; nothing is kept in it any more.",
                cure="Put it back if you can, and start whatever uses it again.",
            )
