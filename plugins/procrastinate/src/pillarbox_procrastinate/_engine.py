"""Procrastinate, trusted with three things: which process serves which lane, who is woken, and what a dead one left.

A job says "something may wait in this lane", and nothing else. It is held while the lane is served; when its process dies,
the engine gives it to another. A job that is lost, repeated or late costs a moment: what waits, what was sent and whose it
is stands in our tables, and a pass each second finds every lane in which something is due and nobody is at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any

from . import _tables
from ._database import SCHEMA, Database, translated
from ._grants import Grants
from ._log import failed

if TYPE_CHECKING:
    from procrastinate import App

PASS = 1.0
"""Seconds between two passes for what died, and for lanes that nobody serves."""
_RESCUER = 1_886_153_075
"""The advisory lock of who makes a pass."""
_SOME = 100
"""The most lanes of one pass; the next begins behind them."""
_CATCH_UP = 10.0
"""Seconds for the jobs that a drain left without work."""


class Engine:
    """The engine in a thread of this process.

    Args:
        database: Where its tables are, beside ours.
        lease: Seconds after which a worker of the engine that says nothing is taken for dead.
        grants: Takes the lanes that it gives.
        methods: Only jobs of these; None for all.
        stamps: Returns the moment, and the latest that is no mistake of a clock.
    """

    def __init__(
        self,
        database: Database,
        lease: float,
        grants: Grants,
        methods: Collection[str] | None,
        stamps: Callable[[], tuple[int, int]],
    ) -> None:
        self._database = database
        self._lease = lease
        self._grants = grants
        self._queues = None if methods is None else [queue_of(method) for method in methods]
        self._stamps = stamps
        self._cursor = ""
        self._is_over = threading.Event()
        self._end: Callable[[], object] = self._grants.close

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Give lanes while the block lasts; it goes on when the database comes back."""
        self._is_over.clear()
        thread = threading.Thread(target=self._run, name="pillarbox-engine", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._grants.close()
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself
                self._end()
            thread.join(15)

    def catch_up(self) -> None:
        """End the jobs that have nothing left to be done, after a worker has emptied the lanes without them."""
        thread = threading.Thread(target=self._tried, args=(self._caught_up,), name="pillarbox-engine")
        thread.start()
        thread.join()

    async def _caught_up(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with self._opened(_ended) as app:
                await asyncio.wait_for(self._work(app, wait=False), _CATCH_UP)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._tried(self._served)
            self._grants.close()  # what the engine has lost hold of, others may be given
            self._is_over.wait(PASS)

    def _tried(self, work: Callable[[], Any]) -> None:
        try:
            asyncio.run(work())
        except Exception as error:  # noqa: BLE001  (it is begun again: a worker that was stopped for long has been crossed off)
            failed(error)

    async def _served(self) -> None:
        self._grants.open()
        async with self._opened(self._serve) as app:
            tasks = [asyncio.create_task(one) for one in (self._work(app), self._passes(app), self._over())]
            done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._grants.close()
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in done:
                task.result()

    async def _over(self) -> None:
        event, loop = asyncio.Event(), asyncio.get_running_loop()
        self._end = lambda: loop.call_soon_threadsafe(event.set)
        if not self._is_over.is_set():
            await event.wait()

    @contextlib.asynccontextmanager
    async def _opened(self, serve: Callable[..., Any]) -> Any:
        import procrastinate

        connector = procrastinate.PsycopgConnector(
            kwargs=dict(self._database.parameters), min_size=1, max_size=4
        )
        app = procrastinate.App(connector=connector)
        app.task(name=_tables.ENGINE_TASK, pass_context=True)(serve)
        async with app.open_async():
            yield app

    def _work(self, app: App, *, wait: bool = True) -> Any:
        options: dict[str, Any] = {} if self._queues is None else {"queues": self._queues}
        return app.run_worker_async(
            concurrency=self._grants.most,
            wait=wait,
            listen_notify=wait,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=5,
            update_heartbeat_interval=self._lease / 5,
            stalled_worker_timeout=2 * self._lease,
            **options,
        )

    async def _serve(self, context: Any, lane: str) -> None:
        """The body of a job: hold it while *lane* is served here."""
        over = self._grants.take(lane)
        if over is None:
            return
        try:
            is_to_go_on = await asyncio.shield(asyncio.wrap_future(over))
        finally:
            self._grants.over([lane])  # also when the engine calls it off
        if is_to_go_on:
            await _deferred(context.app, lane, context.job.queue)

    async def _passes(self, app: App) -> None:
        while True:
            await asyncio.sleep(PASS)
            try:
                await self._pass(app)
            except Exception as error:  # noqa: BLE001  (the next pass finds what this one would have)
                failed(error)

    async def _pass(self, app: App) -> None:
        """Give again what died, and what nobody serves; one at a time does it, since the engine's own calls know no fence."""
        import psycopg

        options = {**self._database.parameters, "autocommit": True}
        with translated():
            async with (
                await psycopg.AsyncConnection.connect(**options) as connection,
                connection.transaction(),
            ):
                await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '5s'")
                found = await connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_RESCUER,))
                if (await found.fetchone() or (False,))[0]:
                    await self._revive(app)
                    await self._find_needy(app, connection)

    async def _revive(self, app: App) -> None:
        import procrastinate

        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._lease):
            with contextlib.suppress(procrastinate.exceptions.ConnectorException):  # it has ended meanwhile
                await app.job_manager.retry_job(job)

    async def _find_needy(self, app: App, connection: Any) -> None:
        now, latest = self._stamps()
        await connection.execute("SELECT pillarbox.promote(%s, %s)", (now, latest))
        await connection.execute(_tables.GATHER)
        found = await connection.execute(_tables.NEEDY, (self._cursor, now, _SOME))
        needy = await found.fetchall()
        self._cursor = needy[-1][0] if len(needy) == _SOME else ""
        for lane, method in needy:
            await _deferred(app, lane, queue_of(method))


async def _deferred(app: App, lane: str, queue: str) -> None:
    """Have *lane* served; one such job that nobody has taken yet is enough."""
    import procrastinate

    task = app.configure_task(_tables.ENGINE_TASK, queue=queue, queueing_lock=lane)
    with contextlib.suppress(procrastinate.exceptions.AlreadyEnqueued):
        await task.defer_async(lane=lane)


async def _ended(context: Any, lane: str) -> None:
    """The body of a job that nothing is left of."""


def queue_of(method: str) -> str:
    """Return the engine's queue for the lanes of *method*, so that a worker of one method is given no others."""
    return f"{SCHEMA}:{method}"
