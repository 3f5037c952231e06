"""The check of Simple MAPI: which mail program is the default, and whether it may send. Nothing is started or sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pillarbox import Finding, Level, PillarboxError, SenderMismatch

from .meanings import error_of
from .problems import Problem
from .simple_letter import require_sender

if TYPE_CHECKING:
    from .transport import MapiTransport

STAGES = ("platform", "session", "attach", "accounts")


def running(transport: MapiTransport) -> Iterator[Finding]:
    """Yield what is known of the mail program before it is asked to send."""
    try:
        program = str(transport.attach()["version"])
    except Problem as problem:
        yield _failed("attach", "mail-program-none", error_of(problem))
    except PillarboxError as error:
        yield _failed("attach", "worker-fault", error)
    else:
        seen = f"{program} is the default mail program; whether it takes mail is seen when some is sent"
        yield Finding("attach", Level.OK, "mail-program-found", seen)
        yield _sender(transport, program)
        return
    yield Finding("accounts", Level.SKIP, "not-reached", "not reached")


def _sender(transport: MapiTransport, program: str) -> Finding:
    settings = transport.settings
    try:
        require_sender(settings, transport.wish(transport.shown))
    except SenderMismatch as error:
        return _failed("accounts", "sender-unstated", error)
    except PillarboxError as error:
        return _failed("accounts", "simple-choice", error)
    said = (
        f"as {settings.account}, says mapi.account; nobody can check it"
        if settings.account
        else "as it is set up"
    )
    cure = "Send yourself a mail, and look whom it is from."
    return Finding("accounts", Level.WARN, "sender-unseen", f"{program} sends {said}", cure)


def _failed(stage: str, code: str, error: PillarboxError) -> Finding:
    return Finding(stage, Level.FAIL, code, error.detail, error.cure, 0.0, error.exit_code)
