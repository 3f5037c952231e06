"""The questions of `pillarbox init`, for any method: each answer checked at once, only what differs from a default kept."""

from __future__ import annotations

import sys

import attrs
import pytest
from click.testing import CliRunner

from pillarbox import MemoryVault, Plugins, Secret, Transport
from pillarbox.cli._app import State
from pillarbox.cli._asking import ask
from pillarbox.settings import between, setting


@attrs.frozen
class Tastes:
    flavour: str = setting(label="Flavour")
    strength: float = setting(1.0, label="Strength", check=between(0, 9))
    hot: bool = setting(True, label="Hot")
    extras: tuple[str, ...] = setting((), label="Extras")
    spoons: int = setting(2, label="Spoons", advanced=True)
    key: Secret | None = setting(None, label="Key")


class Kitchen(Transport):
    settings: Tastes
    label = "Kitchen"

    def send(self, submission, journal): ...


class Here(State):
    plugins = Plugins(extra={"kitchen": Kitchen})
    vault = None


@pytest.fixture
def answer(tmp_path):
    """Return a function that asks, given what is typed, and returns the answers."""

    def answered(*lines: str, vault=None):
        state = Here(str(tmp_path / "p.toml"), json=False)
        state.vault = vault
        with CliRunner().isolation("".join(f"{line}\n" for line in lines)):
            sys.stdin.isatty = lambda: True
            return ask(state)

    return answered


SECRET = ["hunter2", "hunter2"]
BEGINNING = ["Acme Ltd", "orders@acme.example", "kitchen"]


def test_what_is_left_empty_is_left_to_the_class(answer, tmp_path):
    """Only the required field and the secret's place stand in the settings."""
    found = answer(*BEGINNING, "sour", "", "", "", *SECRET)
    place = str(tmp_path / "p.company-kitchen-key")
    assert found.company_values == {
        "name": "Acme Ltd", "address": "orders@acme.example", "method": "kitchen",
        "methods": {"kitchen": {"flavour": "sour", "key": {"file": place}}},
    }  # fmt: skip
    assert [(one.field, one.value, str(one.path)) for one in found.typed] == [("key", "hunter2", place)]


def test_each_kind_of_answer_is_understood(answer):
    """Numbers, yes or no, several with commas; what a check refuses is asked again, and so is what is required."""
    found = answer(*BEGINNING, "", "sour", "99", "2.5", "n", "a, b", *SECRET, vault=MemoryVault())
    assert found.table == {
        "flavour": "sour", "strength": 2.5, "hot": False, "extras": ["a", "b"], "key": {"vault": "kitchen"}
    }  # fmt: skip


def test_none_asks_nothing_more(answer):
    """It is a deliberate choice."""
    assert answer("Acme Ltd", "orders@acme.example", "none").company_values["methods"] == {}


def test_a_file_that_is_there_is_not_taken(answer, tmp_path):
    """Another name is found beside it."""
    (tmp_path / "p.company-kitchen-key").touch()
    assert (
        answer(*BEGINNING, "sour", "", "", "", *SECRET).typed[0].path == tmp_path / "p.company-kitchen-key-2"
    )


def test_a_secret_is_not_in_what_is_shown_of_an_answer(answer):
    """Nor in a traceback's."""
    assert "hunter2" not in repr(answer(*BEGINNING, "sour", "", "", "", *SECRET))
