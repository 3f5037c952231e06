"""What all connections of a scripted server write down, and the manners they share."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Mapping

import attrs

from .behaviours import Behaviour, Reply, Usual
from .values import Heard, Received


@attrs.frozen(kw_only=True)
class Manners:
    """How a server behaves.

    Attributes:
        at: What it does at the points that are scripted.
        capabilities: What EHLO offers, STARTTLS and AUTH aside.
        users: Who can sign in: name -> password.
        mechanisms: What AUTH offers.
        tls: The context for STARTTLS or implicit TLS, or None.
        implicit_tls: Whether TLS begins with the connection.
    """

    at: Mapping[str, Behaviour]
    capabilities: tuple[str, ...]
    users: Mapping[str, str]
    mechanisms: tuple[str, ...]
    tls: ssl.SSLContext | None
    implicit_tls: bool

    def behaviour(self, point: str) -> Behaviour:
        """Return what is to be done at *point*; `bdat-last` is a `bdat` unless it has a script of its own."""
        default = self.at.get("bdat", Usual()) if point == "bdat-last" else Usual()
        return self.at.get(point, default)

    def ehlo(self, *, secured: bool) -> bytes:
        """Return a well-behaved server's answer to EHLO: it offers AUTH under TLS only, where there is TLS."""
        starttls = ("STARTTLS",) if self.tls and not secured else ()
        auth = ("AUTH " + " ".join(self.mechanisms),) if self.users and (secured or not self.tls) else ()
        return Reply(250, "scripted.example", *self.capabilities, *starttls, *auth).octets


class Record:
    """What was heard and received, written by many connections at once."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._occurrences: Counter[str] = Counter()
        self._log: list[Heard] = []
        self._received: list[Received] = []
        self._failures: list[Exception] = []

    def reach(self, point: str) -> int:
        """Count a visit to *point* and return the count."""
        with self._gate:
            self._occurrences[point] += 1
            return self._occurrences[point]

    def reached(self, point: str) -> int:
        """Return how often *point* was visited."""
        with self._gate:
            return self._occurrences[point]

    def hear(self, heard: Heard) -> None:
        """Write down what a client sent."""
        with self._gate:
            self._log.append(heard)

    def receive(self, message: Received) -> int:
        """Write down *message* and return its place."""
        with self._gate:
            self._received.append(message)
            return len(self._received) - 1

    def answer(self, place: int, code: int) -> None:
        """Write down which code the message at *place* was answered with."""
        with self._gate:
            self._received[place] = attrs.evolve(self._received[place], answer=code)

    def fail(self, error: Exception) -> None:
        """Keep an error that a script raised."""
        with self._gate:
            self._failures.append(error)

    @property
    def log(self) -> list[Heard]:
        """A copy of what was heard."""
        with self._gate:
            return list(self._log)

    @property
    def received(self) -> list[Received]:
        """A copy of what was received."""
        with self._gate:
            return list(self._received)

    @property
    def failures(self) -> list[Exception]:
        """A copy of the errors that scripts raised."""
        with self._gate:
            return list(self._failures)
