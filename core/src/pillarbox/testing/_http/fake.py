"""The part of a fake that is the same for every provider: its server, its tokens, its faults, its memory."""

from __future__ import annotations

import secrets
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Self

from .faults import Answer, Fault, Faults, Plan
from .server import HttpServer
from .values import Call, Ending, Reply, Request, Token

Introspect = Callable[[str], Token | None]
_PROCESSED = {Fault.CUT_AFTER, Fault.GARBAGE}


class HttpFake(ABC):
    """A fake of a provider's interface, from entering the context to leaving it.

    A subclass names its `STEPS`, tells which of them a request is (`step`), answers it (`answer`) and puts errors
    into the provider's shape (`refusal`). All three run in the threads of the connections, many at once.
    """

    STEPS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = HttpServer(self._serve, self.unread, tls=tls)
        self._faults = Faults()
        self._tokens: dict[str, Token] = {}
        self._introspect: Introspect | None = None
        self._requests: list[Request] = []
        self._failures: list[Exception] = []
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop.

        Raises:
            Exception: What failed inside the fake, unless the block itself failed.
        """
        self._stopping.set()
        self._server.stop()
        if error is None and self._failures:
            raise self._failures[0]

    @property
    def url(self) -> str:
        """Where it is reached, without a slash at the end, once the context is entered."""
        return self._server.url

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in the order of their answers."""
        return list(self._requests)

    def token(self, address: str, *scopes: str, app: bool = False) -> str:
        """Return a new access token for *address* with *scopes*; with *app* it is the app's own, without a person."""
        made = secrets.token_urlsafe(24)
        self._tokens[made] = Token(address, scopes, app)
        return made

    def revoke(self, token: str) -> None:
        """Let *token*, which was made here, be refused from now on."""
        self._tokens.pop(token, None)

    def accepts(self, introspect: Introspect) -> None:
        """Let *introspect* say what a token stands for that was not made here; None refuses it."""
        self._introspect = introspect

    def fault(
        self,
        step: str,
        fault: Fault | Answer,
        *,
        times: int = 1,
        after: int = 0,
        retry_after: float | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Let *fault* happen to the next *times* requests of *step*, when *after* more have passed.

        Args:
            step: One of `STEPS`.
            fault: What happens.
            times: How often.
            after: How many requests of the step pass before.
            retry_after: Of THROTTLED and UNAVAILABLE: the seconds after which the provider wants to be asked again.
            seconds: Of SLOW: how long the answer takes.

        Raises:
            ValueError: There is no such step, or a number makes no sense.
        """
        if step not in self.STEPS:
            raise ValueError(f"{step!r} is not a step; use one of {', '.join(self.STEPS)}.")
        self._faults.add(step, Plan(fault, times, after, retry_after, seconds))

    def heal(self) -> None:
        """Forget the faults that have not happened yet."""
        self._faults.clear()

    @abstractmethod
    def step(self, call: Call) -> str:
        """Return which of the steps *call* is, "" for none."""

    @abstractmethod
    def answer(self, call: Call, step: str) -> Reply:
        """Do what *call* asks for."""

    @abstractmethod
    def refusal(self, plan: Plan) -> Reply:
        """Return the error that *plan* stands for, in the provider's shape."""

    def unread(self, status: int) -> Reply:
        """Return the answer to a request that could not be read: 400, 411, or 413 for one that is too large."""
        return Reply(status)

    def holder(self, call: Call) -> Token | None:
        """Return what the token of *call* stands for, None for a token that is not good."""
        known = self._tokens.get(call.bearer)
        if known is None and call.bearer and self._introspect is not None:
            return self._introspect(call.bearer)
        return known

    def _serve(self, call: Call) -> Reply | Ending:
        step = ""
        try:
            step = self.step(call)
            said = self._under(self._faults.take(step), call, step)
        except Exception as error:  # noqa: BLE001  (raised again where the context is left)
            self._failures.append(error)
            said = Reply(500, b"The fake failed; see what leaving its context raises.")
        self._requests.append(_seen(call, step, said))
        return said

    def _under(self, plan: Plan | None, call: Call, step: str) -> Reply | Ending:
        """Answer *call* as *plan* wants it."""
        if plan is None:
            return self.answer(call, step)
        fault = plan.fault
        if fault is Fault.SLOW:
            self._stopping.wait(plan.seconds)
            return self.answer(call, step)
        if fault is Fault.HANG:
            return Ending.HANG
        if fault is Fault.CUT_BEFORE:
            return Ending.CUT
        if fault.processed if isinstance(fault, Answer) else fault in _PROCESSED:
            self.answer(call, step)
        if fault is Fault.CUT_AFTER:
            return Ending.CUT
        if fault is Fault.GARBAGE:
            return Reply(200, b"\x00<garbage\xff{", {"Content-Type": "application/json"})
        return self.refusal(plan)


def _seen(call: Call, step: str, said: Reply | Ending) -> Request:
    headers = {name: value for name, value in call.headers.items() if name != "authorization"}
    return Request(
        method=call.method,
        path=call.path,
        query=call.query,
        step=step,
        status=said.status if isinstance(said, Reply) else 0,
        octets=len(call.body),
        headers=headers,
    )
