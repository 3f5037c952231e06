"""The real worker over a fake Outlook and a fake mail program: python fake_worker.py WORLD, a file of JSON with the world and its faults.

The world is read at each start; `faults.json` beside it holds faults that begin later, and `say.json` what the worker does
in the place of an answer to `submit`: `nonsense`, `end`, `wrong id`, `long`. What the mail program behind Simple MAPI does
stands in `program.json` (`simple_program`).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pillarbox.testing.outlook import FakeOutlook, Fault
from pillarbox_mapi.outlook import Outlook
from pillarbox_mapi.simple_mapi import SimpleMapi
from pillarbox_mapi.worker import Desk, protocol, serve

sys.path.insert(0, str(Path(__file__).parent))
from scripted import activation
from simple_program import ToldProgram

WORLD = Path(sys.argv[1])
LINES = {
    "nonsense": b"no answer\n",
    "wrong id": b'{"id": 0, "answer": {}}\n',
    "long": b" " * 2_000_000 + b"\n",
    "half": b'{"id"',
    "list": b"[]\n",
}


class Windows:
    """A computer on which all is well."""

    platform = "win32"

    def has_module(self, name):
        return True

    def session(self):
        return 1

    def value(self, key, name=""):
        if name:
            return None
        return "C:\\Office\\OUTLOOK.EXE" if key.endswith("LocalServer32") else "{0006F03A}"

    def has_file(self, path):
        return True


class Obeying(Desk):
    """Takes up new faults before each request, and misbehaves itself where it is told to."""

    seen = ""

    def answer(self, asked):
        self.take_up()
        answer = super().answer(asked)
        say = read("say.json").get(asked["op"])
        if say == "end":
            os._exit(3)
        if say is not None:
            sink.write(LINES[say])
            sink.flush()
        if read("forget.json"):
            outlook.mails.clear()
            outlook.calls.clear()
        return answer

    def take_up(self):
        path = WORLD.with_name("faults.json")
        text = path.read_text() if path.exists() else ""
        if text != self.seen:
            self.seen = text
            outlook.misbehave(Fault.from_json(one) for one in json.loads(text))


def read(name):
    path = WORLD.with_name(name)
    return json.loads(path.read_text()) if path.exists() else {}


outlook = FakeOutlook.from_json(WORLD.read_text())
with protocol() as sink:
    carriers = {
        "com": lambda patience: Outlook(activation(outlook), patience),
        "simple": lambda _: SimpleMapi(ToldProgram(WORLD.parent)),
    }
    desk = Obeying(carriers, Windows())
    sys.exit(serve(sys.stdin.buffer, sink, desk))
