"""A fake Outlook in a worker process of its own, and a transport that uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pillarbox import Account, Message, compose
from pillarbox.testing.outlook import FakeAccount, FakeOutlook
from pillarbox_mapi import MapiSettings, MapiTransport

ANNA, ORDERS = "anna@acme.example", "orders@acme.example"
FAKE_WORKER = Path(__file__).with_name("fake_worker.py")
BOTH = (FakeAccount(ORDERS), FakeAccount(ANNA, name="Anna Berg"))


class World:
    """What lies beside the worker: the world's file, its store, and the faults that begin later."""

    def __init__(self, folder, accounts=BOTH, **more):
        self.folder = folder
        self.file = folder / "world.json"
        outlook = FakeOutlook(accounts, store=folder / "store.jsonl", **more)
        self.file.write_text(outlook.to_json())

    @property
    def command(self):
        return (sys.executable, str(FAKE_WORKER), str(self.file))

    def transport(self, owner="company", mailbox=ORDERS, **settings):
        limits = {"attach_timeout": 6.0, "call_timeout": 4.0, "send_timeout": 4.0}
        made = MapiTransport(MapiSettings(worker_command=self.command, **{**limits, **settings}))
        made.account = Account(owner=owner, method="mapi", mailbox=mailbox, settings=made.settings)
        return made

    def outlook(self):
        """Return the mailbox as it is now."""
        return FakeOutlook.from_json(self.file.read_text())

    @property
    def sent(self):
        return self.outlook().sent

    def misbehave(self, *faults):
        self._write("faults.json", [one.to_json() for one in faults])

    def say(self, **instead):
        self._write("say.json", instead)

    def program(self, **told):
        """Let the mail program behind Simple MAPI do what is *told*, see `ToldProgram`."""
        self._write("program.json", told)

    @property
    def mails(self):
        """What that program sent."""
        path = self.folder / "mails.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self):
        self._write("forget.json", {"yes": True})

    def _write(self, name, value):
        part = self.folder / f"{name}.part"
        part.write_text(json.dumps(value))
        part.replace(self.folder / name)


def submission(route, **fields):
    """Return a submission as core composes it for Outlook."""
    given = {"to": "ap@customer.example", "subject": "Invoice 1001", "text": "Good morning", **fields}
    return compose(Message(**given), route)
