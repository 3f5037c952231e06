"""What the page about the providers repeats of the code is what the code says."""

from __future__ import annotations

import re

import pytest

from docs.facts import ROOT
from pillarbox_gmail import app as gmail_app
from pillarbox_gmail import limits, upload
from pillarbox_m365 import making, scopes, transport
from tests.benchmarks import weights
from tests.live import gmail, m365

PAGE = (ROOT / "docs/explanation/providers.md").read_text("utf-8")


def row(name: str) -> list[str]:
    """Return the cells of a row of the page."""
    [line] = [one for one in PAGE.splitlines() if one.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_what_is_asked_for() -> None:
    """The scopes of each grant."""
    short = [one.rpartition("/")[2] for one in (gmail_app.SEND, gmail_app.COMPOSE)]
    graph = [scopes.SEND, f"{scopes.SEND}, {scopes.READ_WRITE}"]
    assert [cell.replace("`", "") for cell in row("what is asked for")] == [*graph, *short]


def test_how_large_and_to_how_many() -> None:
    """The limits that the plugins hold to."""
    assert [f"{making.LARGEST_REQUEST:,}" in cell for cell in row("largest")] == [True, False, False, False]
    assert f"{making.LARGEST_FILE // 2**20} MiB" in row("largest")[1]
    assert row("largest")[2:] == [f"{limits.LARGEST:,} octets"] * 2
    assert f"above {upload.LARGE // 2**20} MiB" in row("how a mail goes")[2]
    assert row("recipients of one message") == [
        str(one) for one in (transport.RECIPIENTS, transport.RECIPIENTS, *[limits.MOST_RECIPIENTS] * 2)
    ]


def test_the_weights_are_those_that_the_command_prints() -> None:
    """Each line is one of the command's, and none is missing."""
    printed = re.findall(r"^(\S.*?) +\d+ packages +\d+ MiB$", PAGE, re.MULTILINE)
    assert printed == [*weights.OURS, *weights.RIVALS]


@pytest.mark.parametrize(
    "word", ["Message-ID", "immutable id", "finished upload", "From that is nobody's", "second time"]
)
def test_what_is_said_to_be_asked_is_asked(word: str) -> None:
    """The questions of the live tests have what the page says of them."""
    assert any(word in one.words for one in (*m365.QUESTIONS, *gmail.QUESTIONS))
