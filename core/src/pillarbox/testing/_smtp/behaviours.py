"""What a scripted server can do when it is its turn to speak."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from .turn import Turn

ENDLESS_OCTETS = 4 * 1024 * 1024
"""After so many octets an endless reply is cut."""
_BLOCK_OCTETS = 16_384


class Behaviour(abc.ABC):
    """What the server does when its turn comes. Own behaviours subclass it."""

    @abc.abstractmethod
    def act(self, turn: Turn) -> None:
        """Do it. What was written through `turn.send` is what counts as the answer."""


Script: TypeAlias = Behaviour | Callable[[Turn], Behaviour | None]
"""A behaviour, or a function that chooses one for a turn; None stands for `Usual()`."""


@attrs.frozen
class Chosen(Behaviour):
    """Does what a function says; a function in a script becomes this."""

    choose: Callable[[Turn], Behaviour | None]

    def act(self, turn: Turn) -> None:
        (self.choose(turn) or Usual()).act(turn)


def behaving(script: Script) -> Behaviour:
    """Return *script* as a behaviour.

    Raises:
        TypeError: It is neither a behaviour nor a function.
    """
    if isinstance(script, Behaviour):
        return script
    if isinstance(script, type) or not callable(script):
        raise TypeError(f"A script is a behaviour, as Cut(), or a function of a Turn, not {script!r}.")
    return Chosen(script)


def _all_behaving(scripts: tuple[Script, ...]) -> tuple[Behaviour, ...]:
    return tuple(map(behaving, scripts))


@attrs.frozen
class Usual(Behaviour):
    """Behaves well, as a server without a script does."""

    def act(self, turn: Turn) -> None:
        if turn.usual:
            turn.send(turn.usual)


@attrs.frozen(init=False)
class Reply(Behaviour):
    """Gives a complete reply: `Reply(450, "4.2.1 mailbox busy")`, one argument for each line.

    A server that has answered 421 closes the line, as RFC 5321 3.8 says.
    """

    code: int
    lines: tuple[str, ...]

    def __init__(self, code: int, *lines: str) -> None:
        if not 100 <= code <= 999 or any("\r" in line or "\n" in line for line in lines):
            raise ValueError("A reply has three digits, and lines without line ends; else use Raw.")
        self.__attrs_init__(code, lines or ("as scripted",))

    @property
    def octets(self) -> bytes:
        """The reply as it stands on the wire."""
        *more, last = (line.encode() for line in self.lines)
        return b"".join(b"%d-%s\r\n" % (self.code, line) for line in more) + b"%d %s\r\n" % (self.code, last)

    def act(self, turn: Turn) -> None:
        turn.send(self.octets)


@attrs.frozen
class Raw(Behaviour):
    """Writes these octets, in one write, whatever they are."""

    octets: bytes

    def act(self, turn: Turn) -> None:
        turn.send(self.octets)


@attrs.frozen
class Garbage(Raw):
    """Writes what is no SMTP: by default the start of some binary protocol, with its line end."""

    octets: bytes = b"\x16\x03\xff\x00\xfe\x80 not a reply \x7f\xff\r\n"


@attrs.frozen
class Cut(Behaviour):
    """Ends the line with FIN, in the middle of everything; under TLS without a close_notify."""

    def act(self, turn: Turn) -> None:
        turn.wire.cut()


@attrs.frozen
class Reset(Behaviour):
    """Ends the line with RST."""

    def act(self, turn: Turn) -> None:
        turn.wire.reset()


@attrs.frozen
class Silence(Behaviour):
    """Reads on and says nothing, until the client leaves or the connection's life is over."""

    def act(self, turn: Turn) -> None:
        turn.wire.silence()


@attrs.frozen
class Stall(Behaviour):
    """Neither reads nor writes any more: the client's writes fill the buffers and stop.

    It does not notice that the client leaves: it lasts as long as the connection's life, or until the server stops.
    """

    def act(self, turn: Turn) -> None:
        turn.wire.hold()


@attrs.frozen
class Endless(Behaviour):
    """Repeats a line for ever: until the client leaves, or until *cap* octets, when it cuts.

    Attributes:
        line: By default one that announces another, with the usual reply's code.
        cap: Octets.
    """

    line: bytes = b""
    cap: int = ENDLESS_OCTETS

    def act(self, turn: Turn) -> None:
        line = self.line or b"%d-and there is more\r\n" % turn.usual_code
        block = line * (_BLOCK_OCTETS // len(line) + 1)
        for start in range(0, self.cap, len(block)):
            turn.send(block[: self.cap - start])
        turn.wire.cut()


@attrs.frozen
class Drip(Behaviour):
    """Does something one octet at a time, *every* so many seconds: by default a reply that never ends."""

    behaviour: Behaviour = attrs.field(factory=Endless, converter=behaving)
    every: float = 0.05

    def act(self, turn: Turn) -> None:
        def drip(octets: bytes) -> None:
            for position in range(len(octets)):
                turn.wire.wait(self.every)
                turn.send(octets[position : position + 1])

        self.behaviour.act(attrs.evolve(turn, send=drip))


@attrs.frozen
class Slow(Behaviour):
    """Does something, by default the usual, after so many seconds."""

    seconds: float
    behaviour: Behaviour = attrs.field(factory=Usual, converter=behaving)

    def act(self, turn: Turn) -> None:
        turn.wire.wait(self.seconds)
        self.behaviour.act(turn)


@attrs.frozen(init=False)
class Then(Behaviour):
    """Does one thing after the other: `Then(Reply(250), Cut())`."""

    behaviours: tuple[Behaviour, ...]

    def __init__(self, *behaviours: Script) -> None:
        self.__attrs_init__(_all_behaving(behaviours))

    def act(self, turn: Turn) -> None:
        for behaviour in self.behaviours:
            behaviour.act(turn)


@attrs.frozen(init=False)
class Joined(Behaviour):
    r"""Puts what several would write into one write: `Joined(Usual(), Raw(b"250 injected\r\n"))`."""

    behaviours: tuple[Behaviour, ...]

    def __init__(self, *behaviours: Script) -> None:
        self.__attrs_init__(_all_behaving(behaviours))

    def act(self, turn: Turn) -> None:
        pieces: list[bytes] = []
        Then(*self.behaviours).act(attrs.evolve(turn, send=pieces.append))
        turn.send(b"".join(pieces))


@attrs.frozen
class Nth(Behaviour):
    """Does something the *number*-th time the server comes to the point, and the usual at all others."""

    number: int
    behaviour: Behaviour = attrs.field(converter=behaving)

    def act(self, turn: Turn) -> None:
        (self.behaviour if turn.occurrence == self.number else Usual()).act(turn)


@attrs.frozen
class OnConnection(Behaviour):
    """Does something on the *number*-th connection, and the usual on all others."""

    number: int
    behaviour: Behaviour = attrs.field(converter=behaving)

    def act(self, turn: Turn) -> None:
        (self.behaviour if turn.connection == self.number else Usual()).act(turn)


def _each_behaving(scripts: Mapping[str, Script]) -> Mapping[str, Behaviour]:
    return {address: behaving(script) for address, script in scripts.items()}


@attrs.frozen
class ByAddress(Behaviour):
    """Does at `mail` or `rcpt` what is written beside the address, and the usual for all others."""

    behaviours: Mapping[str, Behaviour] = attrs.field(converter=_each_behaving)

    def act(self, turn: Turn) -> None:
        self.behaviours.get(turn.address, Usual()).act(turn)


@attrs.frozen
class After(Behaviour):
    """Does something at `body`, when so many octets of content have come, and nothing when it is shorter."""

    octets: int
    behaviour: Behaviour = attrs.field(converter=behaving)

    def act(self, turn: Turn) -> None:
        if turn.arrived(self.octets):
            self.behaviour.act(turn)


@attrs.frozen(init=False)
class Offer(Behaviour):
    """Answers EHLO with these capabilities and no others."""

    capabilities: tuple[str, ...]

    def __init__(self, *capabilities: str) -> None:
        self.__attrs_init__(capabilities)

    def act(self, turn: Turn) -> None:
        Reply(250, "scripted.example", *self.capabilities).act(turn)


@attrs.frozen(init=False)
class Without(Behaviour):
    """Answers EHLO as usual, but for these keywords: `Without("STARTTLS")`."""

    keywords: tuple[str, ...]

    def __init__(self, *keywords: str) -> None:
        self.__attrs_init__(keywords)

    def act(self, turn: Turn) -> None:
        name, *offered = (line[4:] for line in turn.usual.decode().splitlines())
        kept = (line for line in offered if line.split(" ")[0] not in self.keywords)
        Reply(250, name, *kept).act(turn)
