"""A mail program behind Simple MAPI, in Python: it reads each structure while the call runs, and does as it is told."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import time
from pathlib import Path


def wide(address):
    """Return the UTF-16 text at *address*, up to its end."""
    octets = b""
    while (unit := ctypes.string_at(address + len(octets), 2)) != b"\0\0":
        octets += unit
    return octets.decode("utf-16-le")


def read(message):
    """Return what stands in a structure whose texts are wide; of a file the octets as well, None where it is gone."""
    people = [message.lpRecips[number] for number in range(message.nRecipCount)]
    files = [message.lpFiles[number] for number in range(message.nFileCount)]
    return {
        "subject": wide(message.lpszSubject),
        "text": wide(message.lpszNoteText),
        "flags": message.flFlags,
        "people": [(one.ulRecipClass, wide(one.lpszName), wide(one.lpszAddress)) for one in people],
        "files": [(wide(one.lpszFileName), one.nPosition, content(wide(one.lpszPathName))) for one in files],
    }


def content(path):
    with contextlib.suppress(OSError):
        return Path(path).read_bytes().hex()
    return None


class MailProgram:
    """Answers as it is told, one answer after the other."""

    def __init__(self, *answers, name="Outlook"):
        self.answers, self.called = list(answers) or [0], name
        self.widths, self.seen, self.is_open = [], None, False

    def name(self):
        return self.called

    def open(self):
        self.is_open = True

    def send(self, message, *, wide):
        assert self.is_open
        self.widths.append(wide)
        self.seen = read(message) if wide else None
        return self.answers.pop(0)


class ToldProgram:
    """Does in the worker's process what the file `program.json` says, and writes what it sent into `mails.jsonl`.

    `{"name": "", "do": "answer", "code": 3, "nth": 1}`, or `do`: `stall`, `stall after`, `die`, `die after`. `nth` is the
    call of this worker that it is about, 0 for each; the others are sent.
    """

    def __init__(self, folder):
        self.folder, self.calls = folder, 0

    def told(self):
        path = self.folder / "program.json"
        told = json.loads(path.read_text()) if path.exists() else {}
        return {"name": "Post", "do": "answer", "code": 0, "nth": 0, **told}

    def name(self):
        return self.told()["name"]

    def open(self):
        pass

    def send(self, message, *, wide):
        told = self.told()
        self.calls += 1
        if told["nth"] not in {0, self.calls}:
            told = {"do": "answer", "code": 0}
        if not told["do"].endswith("after"):
            misbehave(told["do"])
        if told["code"] == 0:
            with (self.folder / "mails.jsonl").open("a") as mails:
                mails.write(json.dumps(read(message)) + "\n")
        misbehave(told["do"])
        return told["code"]


def misbehave(does):
    """Stand still, or end the process."""
    if does.startswith("stall"):
        time.sleep(60)
    if does.startswith("die"):
        os._exit(3)
