"""The drawings say what the code does: each arrow of the states, each end of the walk."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from docs import diagrams
from pillarbox import (
    Choice,
    Company,
    Connection,
    MemoryDirectory,
    NoMethod,
    SenderMismatch,
    SettingsError,
    User,
    resolve,
)
from pillarbox.outbox import TRANSITIONS, State
from tests.core.doubles import plugins

SVG = "{http://www.w3.org/2000/svg}"
HERE = Path(diagrams.__file__).parent / "explanation"
OWN = User(id="anna", address="anna@acme.example", name="Anna Berg")


def drawn(name: str) -> ET.Element:
    return ET.parse(HERE / name).getroot()


@pytest.mark.parametrize("name", diagrams.DRAWINGS)
def test_the_drawing_is_current(name: str) -> None:
    """What stands in the folder is what the script draws (run: python docs/diagrams.py)."""
    assert (HERE / name).read_text("utf-8") == diagrams.DRAWINGS[name]()


@pytest.mark.parametrize("name", diagrams.DRAWINGS)
def test_the_drawing_has_words_for_those_who_cannot_see_it(name: str) -> None:
    """It is an image with a title and a description, and readable on a dark page too."""
    root = drawn(name)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title")
    assert len(root.findtext(f"{SVG}desc", "")) > 100
    assert "prefers-color-scheme: dark" in root.findtext(f"{SVG}style", "")


def test_the_arrows_are_the_transitions() -> None:
    """Each arrow is a transition, and each transition has one arrow."""
    arrows = [path for path in drawn("states.svg").iter(f"{SVG}path") if path.get("data-to")]
    found = [(start, path.get("data-to")) for path in arrows for start in path.get("data-from", "").split()]
    wanted = {(start.value, end.value) for start, ends in TRANSITIONS.items() for end in ends}
    assert sorted(found) == sorted(wanted)


def test_no_way_is_laid_out_for_an_arrow_that_is_not_there() -> None:
    """What the layout knows of is drawn, and has its place."""
    arrows = list(diagrams.state_arrows(TRANSITIONS))
    assert {tuple(arrow.points) for arrow in arrows} == {tuple(way[0]) for way in diagrams.WAYS.values()}
    assert set(diagrams.PLACES) == set(State)


def test_a_transition_of_one_waiting_state_leaves_that_state_alone() -> None:
    """Where the waiting states part, the drawing parts them too."""
    less = {**TRANSITIONS, State.QUEUED: TRANSITIONS[State.QUEUED] - {State.HELD}}
    starts = {arrow.start for arrow in diagrams.state_arrows(less) if arrow.end == "held"}
    assert starts == {"claimed", "deferred", "unknown"}


def walked(user: User | None, method: str = "umail", aliases: tuple[str, ...] = (), **settings: str) -> str:
    """Return the end of the walk that *user* of a company with *method* comes to."""
    company = Company(
        address="orders@acme.example", name="Acme Ltd", method=method, methods={"umail": settings}
    )
    learned = {"company": Connection(issuer="i", subject="s", aliases=aliases)}
    try:
        route = resolve(company, user, transports=plugins(), connections=learned)
    except NoMethod as error:
        return "company-none" if error.owner == "company" else "personal-none"
    except SenderMismatch:
        return "personal-mismatch" if user and user.choice is Choice.PERSONAL else "send-as-refused"
    if route.account.owner != "company":
        return "personal"
    if route.automatic or route.from_address is None:
        return "nobody" if route.automatic else "client"
    shown = (str(route.from_address), *map(str, route.reply_to))
    return {
        ("Anna Berg <anna@acme.example>",): "send-as" if settings.get("from_policy") == "send_as" else "user",
        ("Anna Berg <orders@acme.example>", "Anna Berg <anna@acme.example>"): "account",
        ("Anna Berg <orders@acme.example>",): "no-address",
    }[shown]


def personal(method: str, **settings: str) -> User:
    return User(
        id="anna", address=OWN.address, choice=Choice.PERSONAL, method=method, methods={"umail": settings}
    )


ENDS = {
    "personal-none": lambda: walked(personal("none")),
    "personal": lambda: walked(personal("umail")),
    "personal-mismatch": lambda: walked(personal("umail", mailbox="box@acme.example")),
    "company-none": lambda: walked(OWN, "none"),
    "nobody": lambda: walked(None),
    "client": lambda: walked(OWN, "cmail"),
    "account": lambda: walked(OWN, "amail"),
    "user": lambda: walked(OWN),
    "no-address": lambda: walked(User(id="anna", name="Anna Berg")),
    "send-as": lambda: walked(OWN, aliases=(OWN.address,), from_policy="send_as"),
    "send-as-refused": lambda: walked(OWN, from_policy="send_as"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_walk_comes_to_the_end_that_is_drawn(end: str) -> None:
    """Resolution, given what leads to an end, comes to it."""
    assert ENDS[end]() == end


def test_a_user_that_nobody_knows_is_refused() -> None:
    """The first question of the walk is the directory's."""
    with pytest.raises(SettingsError, match="no user 'otto'"):
        MemoryDirectory(Company(), [OWN]).look_up("otto")


def test_every_end_of_the_walk_is_drawn_once() -> None:
    """The ends that are drawn are those that are reached here."""
    ids = [group.get("id") for group in drawn("walk.svg").iter(f"{SVG}g") if group.get("id")]
    assert sorted(ids) == sorted([*ENDS, "unknown-user"])
