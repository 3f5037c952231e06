"""A company whose mail is kept in memory, and its mailer as the site finds it."""

from __future__ import annotations

import attrs

from pillarbox import Company, Mailer, MemoryDirectory, Plugins, User
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing import Box, MemoryTransport

NOW: dict[str, Mailer] = {}


def current():
    """Return the mailer of the test: what `PILLARBOX["mailer"]` names."""
    return NOW["mailer"]


@attrs.define
class Site:
    mailer: Mailer
    box: Box
    change: object

    def drain(self):
        self.mailer.worker().run(drain=True)


def company(folder, change):
    box = Box.named(str(folder))
    people = [
        User(id="anna", address="anna@acme.example", name="Anna Berg"),
        User(id="otto", address="otto@acme.example"),
    ]
    found = Company(
        address="orders@acme.example", name="Acme", method="memory", methods={"memory": {"box": str(folder)}}
    )
    directory = MemoryDirectory(found, people, plugins=Plugins(extra={"memory": MemoryTransport}))
    NOW["mailer"] = Mailer(directory, outbox=SqliteOutbox(folder / "outbox.sqlite3"))
    change(PILLARBOX={"mailer": "tests.plugins.django.company.current"})
    return Site(NOW["mailer"], box, change)
