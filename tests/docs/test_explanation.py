"""What the explanations repeat of the code is what the code says."""

from __future__ import annotations

import re
import tomllib

import pillarbox
from docs.facts import ROOT


def page(name: str) -> str:
    return (ROOT / "docs/explanation" / name).read_text("utf-8")


def test_the_modules_stand_in_the_order_that_is_linted() -> None:
    """The short list of modules goes downward as the whole one does."""
    part = page("architecture.md").partition("Imports go downward only:")[2].partition("\n\nThose")[0]
    told = re.findall(r"`(\w+)`", part)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    places = {name: place for place, layer in enumerate(layers) for name in layer.split(" | ")}
    assert len(told) > 10
    assert [places[name] for name in told] == sorted(places[name] for name in told)


def test_the_errors_end_with_the_codes_that_are_told() -> None:
    """The table of what a caller does has the errors' own exit codes."""
    rows = re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| (\d+) \|", page("outcomes.md"), re.MULTILINE)
    assert len(rows) > 5
    assert {name: int(code) for name, code in rows} == {
        name: getattr(pillarbox, name).exit_code for name, _ in rows
    }
