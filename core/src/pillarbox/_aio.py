"""AsyncMailer: the same mailer, from an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

from ._connectors import Grant
from ._sending import Deadline, Switch, too_late

if TYPE_CHECKING:
    import datetime as dt

    from ._connectors import Connection, Pending, Prompt, Refused
    from ._errors import PillarboxError
    from ._mail import Receipt
    from ._mailer import Mailer
    from ._message import Message
    from ._outbox import Entry
    from ._reports import Recorded, Report
    from ._resolution import AccountName
    from ._route import Finding, Route, Suggestions
    from ._settings import Actor, Company, User
    from ._status import AccountStatus

T = TypeVar("T")


class AsyncMailer:
    """Runs a `Mailer` in threads of its own, so that an event loop can await it.

    What it lacks is called on `mailer`: the rest of the outbox's and the settings' calls, in a thread where they may block
    (`asyncio.to_thread`); `connect_here`, which waits for a person at this computer; and `worker`, which has threads of its own.

    Args:
        mailer: What does the work.
        threads: How many messages may be under way at once.
    """

    def __init__(self, mailer: Mailer, *, threads: int = 8) -> None:
        self.mailer = mailer
        self._threads = threads
        self._process = -1
        self._made: ThreadPoolExecutor | None = None

    @property
    def _pool(self) -> ThreadPoolExecutor:
        """This process's threads: those of a parent are not in a forked child."""
        if self._made is None or self._process != os.getpid():
            self._made = ThreadPoolExecutor(self._threads, thread_name_prefix="pillarbox")
            self._process = os.getpid()
        return self._made

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
        switch, limit = Switch(), Deadline(deadline)
        future = self._started(
            functools.partial(
                self.mailer._send,  # noqa: SLF001
                message,
                switch,
                user,
                company,
                account,
                limit,
                watched=False,
            )
        )
        try:
            done, _ = await asyncio.wait({future}, timeout=limit.left)
        except asyncio.CancelledError:
            switch.call_off()
            _forget(future)
            raise
        if not done:
            error = too_late(switch)
            if switch.is_off() or not future.done():
                _forget(future)
                raise error
        return future.result()

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

    async def enqueue(
        self,
        message: Message,
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
        key: str | None = None,
        not_before: dt.datetime | None = None,
        priority: int = 0,
    ) -> Entry:
        """Keep as `Mailer.enqueue`; cancelling the await does not take it back."""
        return await self._run(
            functools.partial(
                self.mailer.enqueue,
                message,
                user=user,
                company=company,
                account=account,
                key=key,
                not_before=not_before,
                priority=priority,
            )
        )

    async def explain(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        account: AccountName | None = None,
        as_if: Company | User | None = None,
    ) -> Route:
        """Return what `Mailer.explain` returns; a host's directory may block, so it runs in a thread too."""
        return await self._run(
            functools.partial(self.mailer.explain, user, company=company, account=account, as_if=as_if)
        )

    async def check(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        account: AccountName | None = None,
        send: bool = False,
        deadline: float = 60.0,
        as_if: Company | User | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> list[Finding]:
        """Return all that `Mailer.check` yields; cancelling the await does not call back a test mail that was handed over."""
        look = functools.partial(self.mailer.check, user, company=company, account=account)
        return await self._run(lambda: list(look(send=send, deadline=deadline, as_if=as_if, typed=typed)))

    async def suggest(self, address: str, *, timeout: float = 10.0, offline: bool = False) -> Suggestions:  # noqa: ASYNC109
        """Return what `Mailer.suggest` returns."""
        return await self._run(
            functools.partial(self.mailer.suggest, address, timeout=timeout, offline=offline)
        )

    async def advise(self, to: str, user: str | None = None, *, company: str | None = None) -> list[Finding]:
        """Return all that `Mailer.advise` yields."""
        return await self._run(lambda: list(self.mailer.advise(to, user, company=company)))

    async def record(
        self, reports: Iterable[Report], *, company: str | None = None, owner: str | None = None
    ) -> Recorded:
        """Keep as `Mailer.record`; cancelling the await does not take it back."""
        return await self._run(functools.partial(self.mailer.record, reports, company=company, owner=owner))

    async def poll_reports(
        self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
    ) -> Recorded:
        """Ask as `Mailer.poll_reports`; cancelling the await does not stop it."""
        return await self._run(
            functools.partial(self.mailer.poll_reports, user, company=company, account=account)
        )

    async def status(self, user: str | None = None, *, company: str | None = None) -> list[AccountStatus]:
        """Return what `Mailer.status` returns."""
        return await self._run(functools.partial(self.mailer.status, user, company=company))

    async def connect(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        by: Actor,
        grant: Grant | str = Grant.CONFIRM,
        redirect_uri: str | None = None,
    ) -> Prompt:
        """Begin a sign-in as `Mailer.connect`."""
        return await self._run(
            functools.partial(
                self.mailer.connect, user, company=company, by=by, grant=grant, redirect_uri=redirect_uri
            )
        )

    async def finish_connect(
        self, callback: Mapping[str, str] | str, *, by: Actor
    ) -> Connection | Pending | Refused:
        """Finish it as `Mailer.finish_connect`; cancelling the await stops nothing, since a redirect is used once."""
        return await self._run(functools.partial(self.mailer.finish_connect, callback, by=by))

    async def disconnect(
        self, user: str | None = None, *, company: str | None = None, by: Actor
    ) -> bool | None:
        """End a sign-in as `Mailer.disconnect`."""
        return await self._run(functools.partial(self.mailer.disconnect, user, company=company, by=by))

    async def connection(self, user: str | None = None, *, company: str | None = None) -> Connection | None:
        """Return what `Mailer.connection` returns."""
        return await self._run(functools.partial(self.mailer.connection, user, company=company))

    async def consent_url(
        self, redirect_uri: str, *, user: str | None = None, company: str | None = None, state: str = ""
    ) -> str | None:
        """Return what `Mailer.consent_url` returns."""
        return await self._run(
            functools.partial(self.mailer.consent_url, redirect_uri, user=user, company=company, state=state)
        )

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(self._started(work))

    def _started(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Return the future of *work* in a thread of the pool, with the caller's context variables."""
        context = contextvars.copy_context()
        return asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)

    async def aclose(self) -> None:
        """Wait for what is under way, then let the kept connections go."""
        await asyncio.to_thread(self._pool.shutdown)
        self._made = None
        self.mailer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _forget(future: asyncio.Future[T]) -> None:
    """Ask for the outcome that nobody waits for, so that asyncio does not complain of it; a start still queued is taken back."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    future.cancel()
