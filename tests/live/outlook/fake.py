"""The same questions to the fake Outlook: what an answer is compared with."""

from __future__ import annotations

from pillarbox.testing.outlook import FakeAccount, FakeOutlook, busy
from tests.live.outlook.study import Study
from tests.plugins.mapi.scripted import activation

YOU = "you@acme.example"


def at_fake(outlook: FakeOutlook | None = None) -> Study:
    """Return a study of a fake Outlook in this process, with a person who opens a dialog when told to."""
    world = outlook or FakeOutlook([FakeAccount(YOU, name="You")])

    def person(what: str) -> None:
        world.misbehave([busy("Application", "CreateItem", 1_000)] if "Options" in what else [])

    return Study(activation(world), YOU, person=person, patience=0.1)
