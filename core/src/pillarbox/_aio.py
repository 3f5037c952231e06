"""AsyncMailer: the same mailer, from an event loop."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

from ._transports import Journal

if TYPE_CHECKING:
    from ._errors import PillarboxError
    from ._mail import Receipt
    from ._mailer import Mailer
    from ._message import Message
    from ._resolution import AccountName
    from ._route import Finding, Route

T = TypeVar("T")


class AsyncMailer:
    """Runs a `Mailer` in threads of its own, so that an event loop can await it.

    Args:
        mailer: What does the work.
        threads: How many messages may be under way at once.
    """

    def __init__(self, mailer: Mailer, *, threads: int = 8) -> None:
        self.mailer = mailer
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pillarbox")

    async def send(
        self,
        message: Message,
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
        deadline: float | None = None,
    ) -> Receipt:
        """Send as `Mailer.send`. Cancelled before the hand-over nothing leaves; after it the attempt goes on, uncut."""
        journal = Journal()
        work = functools.partial(self.mailer._send, message, journal, user, company, account, deadline, None)  # noqa: SLF001
        try:
            return await self._run(work)
        except asyncio.CancelledError:
            journal.call_off()
            raise

    async def send_many(
        self,
        messages: Iterable[Message],
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
    ) -> list[Receipt | PillarboxError]:
        """Send as `Mailer.send_many`; cancelling the await does not stop it."""
        return await self._run(
            functools.partial(self.mailer.send_many, messages, user=user, company=company, account=account)
        )

    async def explain(
        self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
    ) -> Route:
        """Return what `Mailer.explain` returns; a host's directory may block, so it runs in a thread too."""
        return await self._run(functools.partial(self.mailer.explain, user, company=company, account=account))

    async def check(self, user: str | None = None, *, company: str | None = None) -> list[Finding]:
        """Return all that `Mailer.check` yields."""
        return await self._run(lambda: list(self.mailer.check(user, company=company)))

    async def _run(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        return await asyncio.shield(future)

    async def aclose(self) -> None:
        """Wait for what is under way, then let the kept connections go."""
        await asyncio.to_thread(self._pool.shutdown)
        self.mailer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
