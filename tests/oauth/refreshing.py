"""Processes of one deployment that want tokens at once: each opens the settings file as a worker does."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pillarbox import Mailer, PillarboxError
from tests.oauth.offices import credentials

if TYPE_CHECKING:
    from tests.oauth.offices import Office

PATIENCE_S: Final = 60.0
SPAWN: Final = multiprocessing.get_context("spawn")


def _serve(file: Path, orders: Any, answers: Any) -> None:
    """Answer each order with a token, or the name and text of what it ended in; an order is the token that was refused."""
    with Mailer.open(file) as mailer:
        found = credentials(mailer)
        answers.put(("ready", ""))
        for refused in iter(orders.get, None):
            if refused:
                found.refuse(refused)
            try:
                answers.put(("token", found.token()))
            except PillarboxError as error:
                answers.put((type(error).__name__, error.detail))


class Workers:
    """So many processes; `ask` lets all of them ask at once."""

    def __init__(self, file: Path, number: int) -> None:
        self._number = number
        self._answers: Any = SPAWN.Queue()
        self._orders: list[Any] = [SPAWN.Queue() for _ in range(number)]
        self._processes = [
            SPAWN.Process(target=_serve, args=(file, orders, self._answers), daemon=True)
            for orders in self._orders
        ]
        for process in self._processes:
            process.start()
        self._collected()

    def ask(self, refused: str = "") -> list[tuple[str, str]]:
        """Let each ask for a token, after the provider's interface has refused *refused*; return their answers."""
        for orders in self._orders:
            orders.put(refused)
        return self._collected()

    def _collected(self) -> list[tuple[str, str]]:
        return [self._answers.get(timeout=PATIENCE_S) for _ in range(self._number)]

    def end(self) -> None:
        """End them."""
        for orders in self._orders:
            orders.put(None)
        for process in self._processes:
            process.join(PATIENCE_S)
            process.kill()


@contextmanager
def workers(office: Office, number: int) -> Iterator[Workers]:
    """Give so many processes of *office*, each ready to ask."""
    made = Workers(office.file, number)
    try:
        yield made
    finally:
        made.end()
