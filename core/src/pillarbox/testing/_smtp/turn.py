"""One turn of a scripted server's: what a behaviour knows and can do, and what its octets amount to."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from .values import Said, first_reply
from .wire import Wire

JUDGED_OCTETS = 65_536
"""A reply that is not complete after so many octets counts as none."""


@attrs.frozen(kw_only=True, eq=False)
class Turn:
    """The server's turn to speak at one point: what is known, and what can be done.

    Attributes:
        point: Where in the conversation this is.
        occurrence: How often the server has been here, this time included, over all connections.
        connection: The number of the connection, from 1.
        line: The command it answers, without its line end; b"" where it answers none.
        address: The path of a MAIL or RCPT command, "" elsewhere.
        usual: The reply a well-behaved server gives now; b"" where it says nothing.
        tls: Whether the line is under TLS.
        send: Writes octets.
        arrived: At `body`, waits until so many octets of content have come; False when the content ends sooner.
        wire: The line itself: `wait(seconds)`, `silence()`, `hold()`, `cut()`, `reset()`.
    """

    point: str
    occurrence: int
    connection: int
    line: bytes
    address: str
    usual: bytes
    tls: bool
    send: Callable[[bytes], None]
    arrived: Callable[[int], bool]
    wire: Wire = attrs.field(repr=False)

    @property
    def usual_code(self) -> int:
        """The code of the usual reply; 250 where there is none."""
        return int(self.usual[:3] or b"250")


class Speech:
    """What is written in one turn, judged by its octets: a complete valid reply takes *effect*.

    The effect comes before the octets leave, so that whoever has read the reply finds it done.

    Attributes:
        answer: The reply, once it is complete.
        silent: Whether nothing was written.
    """

    def __init__(self, wire: Wire, effect: Callable[[Said], None]) -> None:
        self._wire = wire
        self._effect = effect
        self._said = b""
        self.answer: Said | None = None

    @property
    def silent(self) -> bool:
        return not self._said

    def send(self, octets: bytes) -> None:
        """Write *octets*."""
        if self.answer is None and len(self._said) < JUDGED_OCTETS:
            self._said += octets
            self.answer = first_reply(self._said)
            if self.answer:
                self._effect(self.answer)
        self._wire.send(octets)
