"""check(): the staged diagnosis of one account; nothing is sent, but for a test mail that is asked for."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping

from ._delivery import discreet, let_go, redacted
from ._errors import (
    InvalidSettings,
    NoMethod,
    PillarboxError,
    SenderMismatch,
    SendError,
    SettingsError,
    SignInNeeded,
    Unavailable,
)
from ._route import Finding, Level, Route
from ._transports import Transport
from ._trial import not_tried

FINDINGS: Mapping[str, str] = {
    "settings-ok": "The settings lead to an account and an address.",
    "settings-doubtful": "The settings can be used, and something about them may fail.",
    "settings-invalid": "A setting is missing, unknown or out of range.",
    "settings-refused": "The settings break a rule, or name somebody who is not there.",
    "method-none": "The method that counts is None, so nothing is sent.",
    "method-unavailable": "The method is not installed, or does not work on this computer.",
    "sender-mismatch": "The account may not show the address that it would have to show.",
    "check-failed": "The method's own check broke off; this is a fault of the method.",
    "check-stopped": "The method's own check ended in an error: the sign-in was refused, or the server can't be reached.",
    "check-skipped": "The method could not look at this, since the account is not signed in.",
    "check-none": "The method has no check of its own.",
    "clock-agrees": "This machine's clock and the server's agree, within two minutes.",
    "clock-off": "This machine's clock and the server's are more than two minutes apart.",
}
"""The codes that core itself gives, with their meaning; a method adds its own."""


Looks = Callable[[Route], Iterator[Finding]]


def check(
    find_route: Callable[[], Route],
    open_transport: Callable[[Route], Transport],
    look_at_sign_in: Looks | None = None,
    look_at_domain: Looks | None = None,
    send: Looks | None = None,
) -> Iterator[Finding]:
    """Yield what is found, stage by stage: the settings, the sign-in, what the transport looks at, the domain, a test mail.

    Args:
        find_route: Says whose account, and which address.
        open_transport: Makes a transport for it.
        look_at_sign_in: Looks at the sign-in; None for nothing.
        look_at_domain: Looks at the domain that the mail shows; None for nothing.
        send: Sends a test mail and follows it, where nothing has failed; None for no such mail.
    """
    started = time.monotonic()
    try:
        route = find_route()
    except PillarboxError as error:
        yield _of_error(error, time.monotonic() - started)
        yield from [not_tried()] if send is not None else []
        return
    yield Finding("settings", Level.OK, "settings-ok", _seen(route), seconds=time.monotonic() - started)
    for warning in route.warnings:
        yield Finding("settings", Level.WARN, "settings-doubtful", warning)
    works = True
    for finding in _of_account(route, open_transport, look_at_sign_in):
        works &= finding.level is not Level.FAIL
        yield finding
    if look_at_domain is not None:
        yield from look_at_domain(route)
    if send is not None:
        yield from send(route) if works else [not_tried()]


def _of_account(
    route: Route, open_transport: Callable[[Route], Transport], look_at_sign_in: Looks | None
) -> Iterator[Finding]:
    """Yield what is found of the sign-in, then what the transport finds.

    Where the registration can't be used there is no transport to look.
    """
    is_signed_in = True
    for finding in look_at_sign_in(route) if look_at_sign_in is not None else ():
        yield finding
        if finding.code in ENDS:
            return
        is_signed_in &= not _lacks_sign_in(finding)
    for finding in _by_transport(route, open_transport):
        if is_signed_in or not _lacks_sign_in(finding):
            yield finding
        elif finding.stage != "sign-in":
            yield _skipped(finding)


ENDS = frozenset({"registration-unusable"})
"""Behind these there is nothing to look at."""


def _lacks_sign_in(finding: Finding) -> bool:
    return finding.level is Level.FAIL and finding.exit_code == SignInNeeded.exit_code


def _skipped(finding: Finding) -> Finding:
    """Return what a method can't look at without a sign-in: that there is none was told, with its cure."""
    return Finding(
        finding.stage,
        Level.SKIP,
        "check-skipped",
        "not reached without a sign-in",
        "",
        finding.seconds,
    )


def _seen(route: Route) -> str:
    whose = "the company's" if route.account.owner == "company" else "the user's own"
    shown = f"shows {route.from_address}" if route.from_address else "shows the mail program's address"
    return f"{whose} {route.account.method} account; {shown}"


def _of_error(error: PillarboxError, seconds: float) -> Finding:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "settings-refused")
    stage = "settings"
    if isinstance(error, SendError):
        code, stage = "check-stopped", error.stage or "check"
    seen = error.detail
    if isinstance(error, InvalidSettings):
        seen = "; ".join(" ".join(problem.split()) for problem in error.problems)
    return Finding(stage, Level.FAIL, code, seen, error.cure, seconds, error.exit_code)


_CODES: tuple[tuple[type[PillarboxError], str], ...] = (
    (NoMethod, "method-none"),
    (InvalidSettings, "settings-invalid"),
    (SenderMismatch, "sender-mismatch"),
    (Unavailable, "method-unavailable"),
    (SettingsError, "settings-refused"),
)


def _by_transport(route: Route, open_transport: Callable[[Route], Transport]) -> Iterator[Finding]:
    try:
        transport = open_transport(route)
    except PillarboxError as error:
        yield _of_error(error, 0.0)
        return
    try:
        yield from _looks(route, transport)
        if transport.clock_skew is not None:
            yield _clock(transport.clock_skew)
    finally:
        let_go(transport)


def _clock(skew: dt.timedelta) -> Finding:
    """Return what it means that the other side's clock is *skew* ahead of this machine's."""
    if abs(skew) <= _TOLERATED:
        return Finding("clock", Level.OK, "clock-agrees", "this machine and the server agree on the time")
    seconds = abs(skew).total_seconds()
    apart = f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.0f} hours"
    seen = f"this machine's clock is {apart} {'behind' if skew > dt.timedelta() else 'ahead of'} the server's"
    cure = (
        "Let this machine keep its time by the network: tokens, certificates and the Date of mail go by it."
    )
    return Finding("clock", Level.WARN, "clock-off", seen, cure)


_TOLERATED = dt.timedelta(minutes=2)
"""What is not worth a word: tokens are usually given five minutes."""


def _looks(route: Route, transport: Transport) -> Iterator[Finding]:
    """Yield what *transport* finds; what it raises is a finding as well."""
    count = 0
    transport.route = route
    try:
        for finding in transport.check():
            count += 1
            yield discreet(finding, transport)
    except PillarboxError as error:
        yield _of_error(redacted(error, transport), 0.0)
        return
    except Exception as error:  # noqa: BLE001  (a plugin's fault is a finding, not a crash)
        yield Finding("check", Level.FAIL, "check-failed", f"the check broke off: {type(error).__name__}")
        return
    if not count:
        yield Finding("check", Level.SKIP, "check-none", f"{route.account.method} has no check of its own")
