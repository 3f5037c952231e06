"""Draw docs/explanation/*.svg: `python docs/diagrams.py`; `--check` says whether they are current."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs.drawing import Arrow, Box, Point, drawing
from pillarbox.outbox import TRANSITIONS, State

HERE = Path(__file__).resolve().parent / "explanation"

# The states of a submission. The arrows are those of TRANSITIONS; here is only where they run and what stands at them.

PLACES: Mapping[State, Point] = {
    State.QUEUED: (140, 130),
    State.CLAIMED: (370, 130),
    State.DEFERRED: (255, 280),
    State.ATTEMPTING: (590, 130),
    State.ACCEPTED: (900, 130),
    State.UNKNOWN: (745, 280),
    State.CANCELLED: (140, 450),
    State.REJECTED: (520, 450),
    State.HELD: (745, 450),
}
KINDS = {
    State.ACCEPTED: "good",
    State.REJECTED: "bad",
    State.CANCELLED: "bad",
    State.UNKNOWN: "open",
    State.HELD: "open",
}
WAITING = frozenset({State.QUEUED, State.CLAIMED, State.DEFERRED})
"""Those of which nothing has left; where all of them may become the same, one arrow leaves their frame."""
FRAME = Box(255, 205, "Nothing of it has left", "group", 420, 260)
WAYS: Mapping[tuple[str, str], tuple[list[Point], str, Point | None]] = {
    ("queued", "claimed"): ([(205, 122), (305, 122)], "due", (255, 115)),
    ("claimed", "queued"): ([(305, 138), (205, 138)], "claim lost", (255, 155)),
    ("claimed", "attempting"): ([(435, 130), (525, 130)], "hand-over", (483, 122)),
    ("claimed", "deferred"): ([(350, 154), (285, 256)], "not now", (292, 190)),
    ("deferred", "claimed"): ([(305, 256), (370, 154)], "due again", (368, 225)),
    ("deferred", "queued"): ([(205, 256), (140, 154)], "by hand", (148, 225)),
    ("attempting", "accepted"): ([(655, 130), (835, 130)], "yes", (700, 122)),
    ("attempting", "rejected"): ([(555, 154), (555, 426)], "no, for good", (555, 360)),
    ("attempting", "deferred"): ([(530, 154), (320, 272)], "not now", (432, 200)),
    ("attempting", "unknown"): ([(620, 154), (715, 256)], "no answer", (668, 212)),
    ("unknown", "accepted"): ([(810, 280), (880, 280), (880, 154)], "a look:\nit was sent", (880, 205)),
    ("unknown", "queued"): ([(765, 256), (765, 40), (140, 40), (140, 106)], "a look: it was not sent", (480, 34)),
    ("unknown", "held"): ([(760, 304), (760, 426)], "can't look", (792, 360)),
    ("held", "accepted"): ([(810, 450), (925, 450), (925, 154)], "a person:\nsent", (925, 380)),
    ("held", "rejected"): ([(680, 450), (585, 450)], "give up", (632, 442)),
    ("held", "cancelled"): ([(730, 474), (730, 520), (140, 520), (140, 474)], "a person: cancel", (430, 514)),
    ("held", "queued"): ([(760, 474), (760, 552), (25, 552), (25, 130), (75, 130)], "a person: not sent, try again", (430, 546)),
    ("waiting", "cancelled"): ([(140, 335), (140, 426)], "cancelled", (140, 385)),
    ("waiting", "rejected"): ([(400, 335), (400, 450), (455, 450)], "can't be sent,\nor too late", (400, 385)),
    ("waiting", "held"): ([(465, 310), (725, 310), (725, 426)], "account changed", (640, 328)),
}  # fmt: skip


def states() -> str:
    boxes = [
        Box(*PLACES[state], state.value, f"name {KINDS.get(state, '')}".strip())
        for state in State
    ]
    told = "; ".join(
        f"{state.value} may become {' or '.join(one.value for one in State if one in after)}"
        for state, after in TRANSITIONS.items()
        if after
    )
    parts: list[Box | Arrow] = [FRAME, *state_arrows(TRANSITIONS), *boxes]
    return drawing(
        "The states of a submission", f"{told}. The others are ends.", (980, 575), parts
    )


def state_arrows(transitions: Mapping[State, frozenset[State]]) -> Iterator[Arrow]:
    """Yield an arrow for each transition, one for all three of a frame where they go the same way."""
    together = frozenset.intersection(*(transitions[state] for state in WAITING))
    members = " ".join(state.value for state in State if state in WAITING)
    yield from (_arrow("waiting", members, state) for state in State if state in together)
    for state, after in transitions.items():
        apart = after - together if state in WAITING else after
        yield from (_arrow(state.value, state.value, one) for one in State if one in apart)


def _arrow(way: str, start: str, end: State) -> Arrow:
    points, word, at = WAYS.get((way, end.value)) or (_straight(State(way), end), "", None)
    return Arrow(points, word, at, start, end.value)


def _straight(start: State, end: State) -> list[Point]:
    return [PLACES[start], PLACES[end]]


# The walk of a resolution. Its ends are named; tests/test_diagrams.py reaches each of them.


def walk() -> str:
    return drawing(
        "Whose account carries a message, and which address shows",
        "From who writes, by their e-mail setting, to their own account or the company's; from there, by what the "
        "account may show, to an address or a refusal. The numbered rules on this page say the same in words.",
        (1000, 850),
        [*WALK_ARROWS, *WALK_BOXES],
    )


WALK_BOXES = (
    Box(450, 40, "A message, and who writes it", "name", 256, 44),
    Box(450, 130, "Does the directory\nknow them?", "", 190, 54),
    Box(770, 130, "Refused\nnever served by the company", "bad", 240, 54, "unknown-user"),
    Box(
        450,
        230,
        "Which account does the call\nname, or else the user's\ne-mail setting?",
        "",
        240,
        72,
    ),
    Box(165, 330, "The user's own account", "name", 210, 44),
    Box(640, 330, "The company's account", "name", 210, 44),
    Box(165, 420, "Its method?", "", 150, 44),
    Box(85, 520, "Refused\nnothing is set up", "bad", 145, 54, "personal-none"),
    Box(255, 520, "Is their address\nthe account's mailbox?", "", 172, 54),
    Box(85, 630, "Refused\nit may not show it", "bad", 145, 54, "personal-mismatch"),
    Box(255, 630, "From: the user", "good", 145, 54, "personal"),
    Box(640, 420, "Its method?", "", 150, 44),
    Box(885, 420, "Refused\nthe company sends nothing", "bad", 210, 54, "company-none"),
    Box(640, 520, "What does it show?", "", 170, 44),
    Box(885, 520, "From: the company,\nmarked as automatic", "good", 210, 54, "nobody"),
    Box(425, 640, "Outlook\nFrom: whatever it\nis set up with", "good", 150, 72, "client"),
    Box(590, 640, "Microsoft 365, Gmail,\nor from_policy\n= account", "", 160, 72),
    Box(760, 640, "SMTP,\nor from_policy\n= user", "", 150, 72),
    Box(920, 640, "from_policy\n= send_as", "", 140, 72),
    Box(
        590,
        780,
        "From: the mailbox,\nthe user's name;\nanswers to the user",
        "good",
        160,
        72,
        "account",
    ),
    Box(720, 740, "From:\nthe user", "good", 76, 54, "user"),
    Box(790, 808, "From: the company,\nthe user's name", "good", 146, 54, "no-address"),
    Box(885, 740, "From:\nthe user", "good", 76, 54, "send-as"),
    Box(943, 808, "Refused", "bad", 90, 54, "send-as-refused"),
)
WALK_ARROWS = (
    Arrow([(450, 62), (450, 103)]),
    Arrow([(545, 130), (650, 130)], "no"),
    Arrow([(450, 157), (450, 194)], "yes"),
    Arrow([(330, 230), (165, 230), (165, 308)], "Personal"),
    Arrow([(570, 230), (640, 230), (640, 308)], "From company,\nor nobody writes", (640, 262)),
    Arrow([(165, 352), (165, 398)]),
    Arrow([(130, 442), (95, 493)], "None"),
    Arrow([(200, 442), (245, 493)], "any other"),
    Arrow([(220, 547), (115, 603)], "no"),
    Arrow([(255, 547), (255, 603)], "yes"),
    Arrow([(640, 352), (640, 398)]),
    Arrow([(715, 420), (780, 420)], "None"),
    Arrow([(640, 442), (640, 498)], "any other"),
    Arrow([(725, 520), (780, 520)], "nobody\nwrites", (752, 498)),
    Arrow([(570, 542), (440, 604)]),
    Arrow([(625, 542), (595, 604)]),
    Arrow([(665, 542), (745, 604)]),
    Arrow([(715, 542), (900, 604)]),
    Arrow([(590, 676), (590, 744)]),
    Arrow([(720, 676), (720, 713)]),
    Arrow([(800, 676), (800, 781)], "no address", (800, 738)),
    Arrow([(885, 676), (885, 713)], "proof", (885, 698)),
    Arrow([(960, 676), (960, 781)], "none", (960, 738)),
)

DRAWINGS: Mapping[str, Callable[[], str]] = {"states.svg": states, "walk.svg": walk}


def main() -> int:
    checking = "--check" in sys.argv
    stale = [name for name, draw in DRAWINGS.items() if not is_current(name, draw())]
    for name in stale:
        if not checking:
            (HERE / name).write_text(DRAWINGS[name](), "utf-8")
    print(
        "current" if not stale else f"{'stale' if checking else 'written'}: {', '.join(stale)}"
    )
    return 1 if stale and checking else 0


def is_current(name: str, text: str) -> bool:
    return (HERE / name).exists() and (HERE / name).read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
