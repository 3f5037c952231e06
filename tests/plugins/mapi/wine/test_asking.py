"""The questions for a real Outlook, asked by real COM: whoever has one runs what ran here."""

from __future__ import annotations

import json

import pytest

from pillarbox.testing.outlook import FakeAccount, FakeOutlook
from tests.live.outlook.fake import YOU
from tests.windows.wine import REPOSITORY

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook-contract")]
PROGRAM = (
    f"import runpy, sys; sys.path.insert(0, r'Z:{REPOSITORY}');"
    " runpy.run_module('tests.live.outlook', run_name='__main__')"
)


def test_a_run_answers_what_no_person_is_needed_for(at_desk: Desk) -> None:
    """The table has an answer to each question but two, and none that differs."""
    at_desk.world(FakeOutlook([FakeAccount(YOU, name="You")]))
    told = at_desk.folder / "told.json"
    options = ["--to", YOU, "--yes", "--nobody", "--patience", "2", "--json", r"C:\outlook\told.json"]
    shown = at_desk.run("-c", PROGRAM, *options)
    assert "This sends three mails to you@acme.example" in shown
    found = json.loads(told.read_text("utf-8"))
    assert found["outlook"]["accounts"] == "1 exchange"
    assert YOU not in told.read_text("utf-8")
    left = [one["words"] for one in found["answers"] if not one["is_told"]]
    assert left == ["Does our header travel with the mail?", "How is a call refused while a dialog is open?"]
    differ = [one for one in found["answers"] if one["answer"] != one["fake"] and one["is_told"]]
    assert differ == []
    assert len(at_desk.outlook().sent) == 3
