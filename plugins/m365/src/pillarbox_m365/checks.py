"""Diagnosis of an account: a token, the mailbox, the address it shows, and its limits. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from pillarbox import Finding, Level, PillarboxError, SendDeferred

from . import scopes
from .graph import Graph
from .transport import PER_MINUTE

STAGES = ("token", "mailbox", "sender", "limits")


def look_at(
    graph_of: Callable[[], Graph], scopes_of: Callable[[], tuple[str, ...]], mailbox: str, shown: str
) -> Iterator[Finding]:
    """Give a finding for each stage; behind one that fails the others are skipped.

    Args:
        graph_of: Gives the interface.
        scopes_of: Gives what was granted.
        mailbox: The address that sends.
        shown: The one that the mail shows.
    """
    started = time.monotonic()
    try:
        granted, graph = scopes_of(), graph_of()
        graph.token()
    except PillarboxError as error:
        yield _failed("token", "token-refused", error, started)
        yield from _skipped("mailbox")
        return
    yield Finding(
        "token",
        Level.OK,
        "token-given",
        "Microsoft gives a token to this connection",
        seconds=time.monotonic() - started,
    )
    failed = yield from _mailbox(graph, granted, mailbox)
    if failed:
        yield from _skipped("sender")
        return
    yield _sender(mailbox, shown)
    yield _limits(granted)


def _mailbox(graph: Graph, granted: tuple[str, ...], mailbox: str) -> Generator[Finding, None, bool]:
    """Give the finding for the mailbox, and return whether it failed."""
    started = time.monotonic()
    can_look = scopes.can_look(granted)
    try:
        graph.ready()
        if can_look:
            graph.get("/mailFolders/drafts", "mailbox", select="id,totalItemCount")
    except PillarboxError as error:
        code = "mailbox-unreachable" if isinstance(error, SendDeferred) else "mailbox-refused"
        yield _failed("mailbox", code, error, started)
        return True
    seconds = time.monotonic() - started
    if can_look:
        yield Finding("mailbox", Level.OK, "mailbox-reached", f"{mailbox} answers", seconds=seconds)
    else:
        seen = "Microsoft Graph answers; a connection that may only send can't look into the mailbox"
        yield Finding("mailbox", Level.SKIP, "mailbox-not-asked", seen, seconds=seconds)
    return False


def _sender(mailbox: str, shown: str) -> Finding:
    if shown.casefold() == mailbox.casefold():
        return Finding("sender", Level.OK, "sender-own", f"the mail shows {shown or 'the mailbox'}")
    seen = f"the mail shows {shown}, and {mailbox} sends; only sending tells whether it may"
    cure = 'Have an administrator grant Send As in Exchange, or set from_policy = "account".'
    return Finding("sender", Level.WARN, "sender-unproven", seen, cure)


def _limits(granted: tuple[str, ...]) -> Finding:
    if scopes.can_look(granted):
        seen = f"files up to 150 MB, as far as the mailbox takes them; {PER_MINUTE} messages a minute"
        return Finding("limits", Level.OK, "limits-by-draft", seen)
    seen = f"requests up to 4 MB, so files up to about 3 MB; {PER_MINUTE} messages a minute"
    cure = "For larger files connect with send and confirm."
    return Finding("limits", Level.OK, "limits-at-once", seen, cure)


def _failed(stage: str, code: str, error: PillarboxError, started: float) -> Finding:
    return Finding(
        stage, Level.FAIL, code, error.detail, error.cure, time.monotonic() - started, error.exit_code
    )


def _skipped(first: str) -> Iterator[Finding]:
    for stage in STAGES[STAGES.index(first) :]:
        yield Finding(stage, Level.SKIP, "not-reached", "not reached")
