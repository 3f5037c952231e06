"""The check, stage by stage: this computer first, without starting anything; then the Outlook that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pillarbox import Finding, Level, PillarboxError, Unavailable

from . import simple_check
from .accounts import OutlookAccount, chosen
from .meanings import FOUND, NEW_OUTLOOK, error_of, meaning
from .problems import Problem
from .settings import Interface

if TYPE_CHECKING:
    from .transport import MapiTransport

Facts = Mapping[str, Any]
ABSENT = Unavailable.exit_code
PASSIVE = ("platform", "pywin32", "session", "outlook", "new-outlook")
ACTIVE = ("attach", "profile", "accounts", "offline", "trust")
STAGES = (*PASSIVE, *ACTIVE)
_OTHER = "Run the worker on the user's Windows computer, or use Microsoft 365 or SMTP for this account."


def looked_at(transport: MapiTransport) -> Iterator[Finding]:
    """Yield what is found; behind the first stage that fails the others are skipped.

    The last five stages start Outlook where it does not run: whether it lets itself be asked is what they are about.
    """
    started = time.monotonic()
    is_simple = transport.settings.interface is Interface.SIMPLE
    stages = simple_check.STAGES if is_simple else STAGES
    try:
        transport.require_platform(transport.settings)
    except Unavailable as error:
        yield from _stopped("platform-other", error, started, stages)
        return
    try:
        seen = transport.look()
    except PillarboxError as error:
        yield from _stopped("worker-fault", error, started, stages)
        return
    for finding in (_platform(seen), _session(seen["session"])) if is_simple else at_rest(seen):
        yield finding
        if finding.level is Level.FAIL:
            yield from _skipped(finding.stage, stages)
            return
    yield from simple_check.running(transport) if is_simple else _running(transport)


def at_rest(seen: Facts) -> Iterator[Finding]:
    """Yield what the facts about the computer say; nothing was started to learn them."""
    yield _platform(seen)
    yield _judged(
        seen["pywin32"], "pywin32", "pywin32-found", "pywin32-missing", "pywin32", "pip install pywin32"
    )
    yield _session(seen["session"])
    yield _program(seen)
    yield _switch(seen["new_outlook"])


def running(seen: Facts, choose: Callable[[list[OutlookAccount]], OutlookAccount]) -> Iterator[Finding]:
    """Yield what the facts about the Outlook that runs say; *choose* returns the account that would send."""
    yield Finding("attach", Level.OK, "attached", f"Outlook {seen['version']}")
    yield _judged(
        bool(seen["profile"]), "profile", "profile-open", "profile-none", seen["profile"] or "no profile",
        "Start Outlook and choose a profile.",
    )  # fmt: skip
    yield _account(seen["accounts"], choose)
    yield _doubted(
        seen["offline"], "offline", "online", "offline", "Outlook works offline: mail waits in its Outbox",
        "Outlook, Send/Receive, Work Offline.",
    )  # fmt: skip
    yield _doubted(
        not seen["trusted"], "trust", "trusted", "trust-doubtful", "Outlook may ask a person before it lets a program send",
        "File, Options, Trust Center, Programmatic Access; keep the antivirus program up to date.",
    )  # fmt: skip


def _running(transport: MapiTransport) -> Iterator[Finding]:
    started = time.monotonic()
    try:
        seen = transport.attach()
    except Problem as problem:
        known = meaning(problem)
        error = error_of(problem)
        code = known.finding if known else "attach-failed"
        cure = error.cure or "Look at Outlook on that computer."
        yield Finding("attach", Level.FAIL, code, error.detail, cure, _since(started), error.exit_code)
        yield from _skipped("attach")
        return
    except PillarboxError as error:
        yield Finding(
            "attach", Level.FAIL, "worker-fault", error.detail, error.cure, _since(started), error.exit_code
        )
        yield from _skipped("attach")
        return
    yield from running(seen, lambda accounts: chosen(accounts, transport.wish(transport.shown)))


def _platform(seen: Facts) -> Finding:
    if seen["platform"] == "win32":
        return Finding("platform", Level.OK, "platform-windows", "Windows")
    return Finding(
        "platform", Level.FAIL, "platform-other", f"this is {seen['platform']}", _OTHER, 0.0, ABSENT
    )


def _session(number: int | None) -> Finding:
    if number == 0:
        cure = "Start the worker when the user logs on (Task Scheduler), not as a service."
        return Finding(
            "session", Level.FAIL, "session-of-services", "the session of services", cure, 0.0, ABSENT
        )
    if number is None:
        return Finding("session", Level.WARN, "session-unknown", "Windows does not say which session this is")
    return Finding("session", Level.OK, "session-interactive", f"session {number}")


def _program(seen: Facts) -> Finding:
    if not seen["clsid"]:
        known = meaning(Problem("com", code=0x800401F3))
        assert known is not None
        return Finding("outlook", Level.FAIL, known.finding, known.text, known.cure, 0.0, ABSENT)
    if not seen["is_there"]:
        return Finding(
            "outlook",
            Level.FAIL,
            "outlook-program-missing",
            f"Outlook is registered as {seen['executable'] or 'nothing'}, which is not there",
            "Repair Office: Settings, Apps, Microsoft 365 or Office, Modify.",
            0.0,
            ABSENT,
        )
    return Finding("outlook", Level.OK, "outlook-registered", str(seen["executable"]))


def _switch(is_on: bool) -> Finding:
    if is_on:
        return Finding(
            "new-outlook",
            Level.WARN,
            "new-outlook-on",
            "the new Outlook seems to be switched on",
            NEW_OUTLOOK,
        )
    return Finding("new-outlook", Level.OK, "new-outlook-off", "classic Outlook")


def _account(told: list[list[str]], choose: Callable[[list[OutlookAccount]], OutlookAccount]) -> Finding:
    accounts = [OutlookAccount(number, *one) for number, one in enumerate(told, 1)]
    try:
        sends = choose(accounts)
    except Problem as problem:
        error = error_of(problem)
        code = FOUND[problem.name].finding
        return Finding("accounts", Level.FAIL, code, error.detail, error.cure, 0.0, error.exit_code)
    except PillarboxError as error:
        return Finding(
            "accounts", Level.FAIL, "account-differs", error.detail, error.cure, 0.0, error.exit_code
        )
    listed = ", ".join(f"{one.label} ({one.kind})" for one in accounts[:10])
    return Finding("accounts", Level.OK, "accounts-found", f"{sends.label} sends; there are {listed}")


def _judged(is_well: bool, stage: str, well: str, ill: str, seen: str, cure: str) -> Finding:
    if is_well:
        return Finding(stage, Level.OK, well, seen)
    return Finding(
        stage, Level.FAIL, ill, f"{seen} is missing" if stage == "pywin32" else seen, cure, 0.0, ABSENT
    )


def _doubted(is_ill: bool, stage: str, well: str, ill: str, seen: str, cure: str) -> Finding:
    return Finding(stage, Level.WARN, ill, seen, cure) if is_ill else Finding(stage, Level.OK, well, well)


def _stopped(code: str, error: PillarboxError, started: float, stages: tuple[str, ...]) -> Iterator[Finding]:
    """Yield that the first stage failed, and no other was reached."""
    yield Finding("platform", Level.FAIL, code, error.detail, error.cure, _since(started), ABSENT)
    yield from _skipped("platform", stages)


def _skipped(behind: str, stages: tuple[str, ...] = STAGES) -> Iterator[Finding]:
    for stage in stages[stages.index(behind) + 1 :]:
        yield Finding(stage, Level.SKIP, "not-reached", "not reached")


def _since(started: float) -> float:
    return time.monotonic() - started
