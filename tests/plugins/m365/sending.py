"""A process that sends one message with a journal on disk, and is killed at a point of it."""

from __future__ import annotations

import json
import os
import pickle
import signal
from pathlib import Path
from typing import Any

from pillarbox import Account, App, Journal
from pillarbox_m365 import M365App, M365Settings, M365Transport


class OnDisk(Journal):
    """Keeps each note and mark in a file; kills its process behind the mark number *last*."""

    def __init__(self, file: Path, last: int) -> None:
        super().__init__(notes_in(file))
        self._file, self._left = file, last

    def _write(self, name: str, value: str) -> None:
        self._keep({"note": name, "value": value})

    def _mark(self) -> None:
        self._keep({"mark": True})

    def _keep(self, line: dict[str, Any]) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def lines_of(file: Path) -> list[dict[str, Any]]:
    """Return what was kept."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def notes_in(file: Path) -> dict[str, str]:
    """Return the notes that were kept."""
    return {line["note"]: line["value"] for line in lines_of(file) if "note" in line}


def main(settings: dict[str, Any]) -> None:
    """Send."""
    from tests.plugins.m365.givens import Holder

    held = Holder(settings["token"], scopes=tuple(settings["scopes"]))
    one = M365Transport(M365Settings(timeout=20.0), held)
    one.app = App(M365App(client_id="app", tenant="acme.example", graph=settings["url"]))
    one.account = Account(owner="company", method="m365", mailbox=settings["mailbox"])
    what = pickle.loads(Path(settings["submission"]).read_bytes())
    one.send(what, OnDisk(Path(settings["journal"]), settings["last"]))
