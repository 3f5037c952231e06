"""`pillarbox worker --agent`: the worker at a user's own computer, whose outbox is the server's."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import SendDeferred, SettingsError
from .._vault import from_environment, from_file
from ._errors import INTERRUPTED
from ._output import say_aside

if TYPE_CHECKING:
    from .._agent.worker import Agent, Desk
    from ._app import State

TOKEN = "PILLARBOX_AGENT_TOKEN"  # noqa: S105  (the name of a variable)
AGAIN = 10.0
"""Seconds between two tries to reach the server before anything was begun."""


def at_desk(
    state: State,
    url: str,
    *,
    token_file: str | None,
    ca_file: str,
    methods: tuple[str, ...],
    user: str | None,
    drain: bool,
) -> int:
    """Send what the server at *url* has for this desk, and return the exit code."""
    from .._agent.worker import Agent
    from .worker import run

    with Agent(url, _token(token_file), ca_file=ca_file) as agent:
        desk = _entered(agent, patient=not drain)
        if user is not None and user != desk.user:
            raise SettingsError(
                f"The token is for {desk.user}, not for {user}.",
                cure=f"Make one on the page of {user}, or leave --user out.",
            )
        say_aside(f"Sending for {desk.name} from this computer, for {agent.url}.")
        expected = agent.status().waiting if drain else None
        stopped = run(state, agent.worker(desk, methods=methods or None), expected, drain=drain)
        if agent.ended is not None:
            raise agent.ended
        if not drain:
            return 0
        return INTERRUPTED if stopped else agent.status().exit_code


def _token(path: str | None) -> str:
    """Return the token; never an argument, which every program on the computer could read."""
    if path is not None:
        return from_file(str(Path(path).expanduser().absolute())).strip()
    if not os.environ.get(TOKEN):
        raise SettingsError(
            "The worker needs its user's token.",
            cure=f"Name the file that it is in with --token-file, or set {TOKEN}.",
        )
    return from_environment(TOKEN).strip()


def _entered(agent: Agent, *, patient: bool) -> Desk:
    """Enter; where the server can't be reached yet (the computer has just started), once it can."""
    is_told = False
    while True:
        try:
            return agent.enter()
        except SendDeferred as error:
            if not patient:
                raise
            if not is_told:
                say_aside(f"{error} It is tried again until the server answers.")
                is_told = True
        time.sleep(AGAIN)
