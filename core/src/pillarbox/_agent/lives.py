"""Which workers of desks are alive in this process: each has a life in the outbox, as long as it is heard of."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from .. import _log
from .._outbox import Outbox
from .tokens import Token, Tokens

SWEEP = 5.0
"""Seconds between two looks which workers are silent."""

Run: TypeAlias = tuple[str, str, str, str]


def kind_of(token: Token) -> str:
    """Return what the names of a run's lives begin with, in every process of the host."""
    return f"desk-{token.session}"


def _run_of(token: Token) -> Run:
    return token.company, token.user, token.id, token.session


class Lives:
    """The lives of this process, and what each run met when it asked last. Safe between threads.

    Args:
        outbox: Returns where they live.
        tokens: Know when a run was last heard of, in whichever process.
        lease: Seconds for which it is taken to be alive without a word of it.
    """

    def __init__(self, outbox: Callable[[], Outbox], tokens: Tokens, lease: float) -> None:
        self._outbox = outbox
        self._tokens = tokens
        self._lease = dt.timedelta(seconds=lease)
        self._pause = min(SWEEP, lease / 4)
        self._guard = threading.Lock()
        self._names: dict[Run, str] = {}
        self._met: dict[Run, str] = {}
        self._sweeper: threading.Thread | None = None

    def of(self, token: Token) -> str:
        """Return the name under which a run claims, begun where there is none; those of its token's earlier runs end."""
        run = _run_of(token)
        with self._guard:
            if run not in self._names:
                for old in [one for one in self._names if one[:3] == run[:3]]:
                    self._met.pop(old, None)
                    self._outbox().leave(self._names.pop(old))
                self._names[run] = self._outbox().enter(kind_of(token))
            if self._sweeper is None or not self._sweeper.is_alive():
                self._sweeper = threading.Thread(target=self._sweep, name="pillarbox-desks", daemon=True)
                self._sweeper.start()
            return self._names[run]

    def end(self, token: Token) -> None:
        """Let a run's life end."""
        name = self._forgotten(_run_of(token))
        if name is not None:
            self._outbox().leave(name)

    def lost(self, token: Token) -> None:
        """Forget a life that the outbox knows no more."""
        self._forgotten(_run_of(token))

    def has_met(self, token: Token, how: str) -> None:
        """Keep *how* its desk stood when a run asked."""
        with self._guard:
            self._met[_run_of(token)] = how

    def met(self, token: Token, otherwise: str) -> str:
        """Return how its desk stood when a run last asked in this process, or *otherwise*."""
        with self._guard:
            return self._met.get(_run_of(token), otherwise)

    def _forgotten(self, run: Run) -> str | None:
        with self._guard:
            self._met.pop(run, None)
            return self._names.pop(run, None)

    def _sweep(self) -> None:
        """Let the lives end of runs that nobody hears of any more, in a thread, as long as there are any."""
        while True:
            time.sleep(self._pause)
            with self._guard:
                if not self._names:
                    self._sweeper = None
                    return
                runs = list(self._names)
            for run in runs:
                try:
                    self._look_at(run)
                except Exception as error:  # noqa: BLE001  (a storage that fails for a while: looked at again)
                    _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)

    def _look_at(self, run: Run) -> None:
        company, user, token_id, session = run
        token = self._tokens.known(token_id, user, company)
        is_known = token is not None and token.session == session
        last = token.last_used if token is not None and is_known else None
        if last is not None and self._tokens.now() - last <= self._lease:
            return
        name = self._forgotten(run)
        if name is not None:
            self._outbox().leave(name)
