"""Everything that can go wrong at every point, as values to parametrise a client's tests with."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping

import attrs

from .behaviours import (
    Behaviour,
    Cut,
    Drip,
    Endless,
    Garbage,
    Raw,
    Reply,
    Reset,
    Silence,
    Then,
    Usual,
)

OVERLONG_OCTETS = 100_000
"""The text of an overlong reply line; RFC 5321 4.5.3.1.5 allows 512 with everything."""
ESCAPES = "\x1b[2J\x1b]0;title\x07\u202eesrever\u202c\x00\x9b31m"
"""Terminal, bidirectional and control characters that must not reach a person's screen from a reply."""


class HandOver(enum.Enum):
    """Where a fault lies in relation to the hand-over, the moment from which the server may have the message."""

    BEFORE = "before"
    """No octet of content had been asked for: the message has not been sent, whatever happened."""
    DURING = "during"
    """Content was on its way: a client that had not yet written the final dot knows that nothing was taken; one
    that had does not know."""
    AFTER = "after"
    """The final dot, or the last chunk, had arrived: without an answer nobody knows."""
    SETTLED = "settled"
    """The message had been accepted by a complete 250: nothing undoes that."""


@attrs.frozen(kw_only=True)
class SmtpFault:
    """One thing that goes wrong at one point; `str` gives its name, for the ids of a parametrised test.

    What a client should make of it follows from two fields. SETTLED: accepted. Else *answer* 4yz: deferred; 5yz:
    rejected (at `auth`: the credential is refused). With neither: deferred BEFORE, unknown AFTER; DURING unknown if
    the client had written the final dot, deferred if it had not. A server that takes a `misplaced` code for an
    answer is broken, so that counts as neither.

    Attributes:
        name: `<point>-<kind>`.
        point: Where.
        kind: What: a name of `FAULT_KINDS`.
        behaviour: What the server does there.
        hand_over: Whether the server may have the message by then.
        answer: The code of the complete valid reply that the fault gives, or None where it gives none.
        at: The script for `ScriptedServer(at=...)`; more than the point where a client has another way round it.
        needs_tls: Whether the point is reached only by a client that uses STARTTLS, from a server with `tls=`.
        needs_users: Whether it is reached only by a client that signs in, at a server with `users=`.
        mechanisms: What `ScriptedServer(mechanisms=...)` has to be.
    """

    name: str
    point: str
    kind: str
    behaviour: Behaviour
    hand_over: HandOver
    answer: int | None
    at: Mapping[str, Behaviour]
    needs_tls: bool
    needs_users: bool
    mechanisms: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


_USUAL = {"greeting": 220, "starttls": 220, "auth": 235, "auth-continue": 235, "data": 354, "quit": 221}
_TEMPORARY = {"starttls": 454, "auth": 454, "auth-continue": 454, "rcpt": 450}
_PERMANENT = {"starttls": 502, "auth": 535, "auth-continue": 535, "mail": 550, "rcpt": 550}


def _usual(point: str) -> int:
    return _USUAL.get(point, 250)


def _misplaced(point: str) -> int:
    return 250 if point == "data" else 354


_KINDS: dict[str, Callable[[str, float], tuple[Behaviour, int | None]]] = {
    "4xx": lambda point, _: _refusal(_TEMPORARY.get(point, 451), "4.3.0 not now"),
    "5xx": lambda point, _: _refusal(_PERMANENT.get(point, 554), "5.3.0 never"),
    "5xx-lines": lambda point, _: _refusal(_PERMANENT.get(point, 554), "5.3.0 never", "5.3.0 ever"),
    "5xx-escapes": lambda point, _: _refusal(_PERMANENT.get(point, 554), f"5.3.0 {ESCAPES} never"),
    "421": lambda _point, _: _refusal(421, "4.3.2 closing down"),
    "misplaced": lambda point, _: _refusal(_misplaced(point), "of another command"),
    "impossible": lambda _point, _: (Raw(b"999 no such code\r\n"), None),
    "garbage": lambda _point, _: (Garbage(), None),
    "banner": lambda _point, _: (Raw(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), None),
    "mixed": lambda point, _: (Raw(b"%d-yes\r\n550 no\r\n" % _usual(point)), None),
    "overlong": lambda point, _: (Raw(b"%d %s\r\n" % (_usual(point), b"x" * OVERLONG_OCTETS)), None),
    "half-line": lambda point, _: (Then(Raw(b"%d 2.0.0 o" % _usual(point)), Cut()), None),
    "half-reply": lambda point, _: (Then(Raw(b"%d-and\r\n" % _usual(point)), Cut()), None),
    "endless": lambda point, _: (Endless(b"%d-and there is more\r\n" % _usual(point)), None),
    "drip": lambda point, pace: (Drip(Endless(b"%d-and there is more\r\n" % _usual(point)), pace), None),
    "silence": lambda _point, _: (Silence(), None),
    "cut": lambda _point, _: (Cut(), None),
    "reset": lambda _point, _: (Reset(), None),
}


def _refusal(code: int, *lines: str) -> tuple[Behaviour, int]:
    return Reply(code, *lines), code


FAULT_KINDS = tuple(_KINDS)
"""What can go wrong: refusals, what is no reply, replies without an end, and the ways a line can break."""
FAULT_POINTS = (
    "connect",
    "greeting",
    "ehlo",
    "helo",
    "starttls",
    "tls",
    "ehlo-after-tls",
    "auth",
    "auth-continue",
    "mail",
    "rcpt",
    "data",
    "body",
    "dot",
    "quit",
)
"""Where it can go wrong for every client that uses DATA; `bdat`, `bdat-last`, `rset` and `noop` are for those
that say them."""
_CONNECT_KINDS = frozenset({"silence", "cut", "reset"})
_HAND_OVER = {
    "body": HandOver.DURING,
    "dot": HandOver.AFTER,
    "bdat-last": HandOver.AFTER,
    "quit": HandOver.SETTLED,
}


def every_fault(
    points: Iterable[str] = FAULT_POINTS, kinds: Iterable[str] = FAULT_KINDS, *, pace: float = 0.05
) -> list[SmtpFault]:
    """Return a fault for each of *points* and each of *kinds* that makes sense there.

    At `connect`, where no reply is due, the line only breaks or stays silent.

    Args:
        points: Names of points, as in `ScriptedServer(at=...)`.
        kinds: Names of `FAULT_KINDS`.
        pace: Seconds between two octets of a dripped reply, which never ends.

    Raises:
        ValueError: A kind that does not exist.
    """
    kinds = tuple(kinds)
    for kind in kinds:
        if kind not in _KINDS:
            raise ValueError(f"{kind!r} is not a kind of fault; use one of {', '.join(FAULT_KINDS)}.")
    return [
        _fault(point, kind, pace)
        for point in points
        for kind in kinds
        if point != "connect" or kind in _CONNECT_KINDS
    ]


def _fault(point: str, kind: str, pace: float) -> SmtpFault:
    behaviour, answer = _KINDS[kind](point, pace)
    return SmtpFault(
        name=f"{point}-{kind}",
        point=point,
        kind=kind,
        behaviour=behaviour,
        hand_over=_HAND_OVER.get(point, HandOver.BEFORE),
        answer=None if point == "tls" else answer,
        at=_script(point, behaviour),
        needs_tls=point in {"starttls", "tls", "ehlo-after-tls"},
        needs_users=point in {"auth", "auth-continue"},
        mechanisms=("LOGIN",) if point == "auth-continue" else ("PLAIN", "LOGIN"),
    )


def _script(point: str, behaviour: Behaviour) -> Mapping[str, Behaviour]:
    """Return what makes *point* inescapable: HELO is refused as EHLO is, and is reached by refusing EHLO."""
    if point in {"ehlo", "ehlo-after-tls"}:
        return {point: behaviour, "helo": behaviour}
    if point == "helo":
        return {"ehlo": Reply(502, "5.5.1 no such command"), "helo": behaviour}
    if point == "bdat":
        return {"bdat": behaviour, "bdat-last": Usual()}
    return {point: behaviour}
