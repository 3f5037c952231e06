"""The test mail of a check: one to oneself, sent once by the real way, and followed until it is seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import attrs

from ._composition import compose
from ._delivery import Told, deliver
from ._errors import OutcomeUnknown, PillarboxError, SendDeferred, SignInNeeded, Unavailable
from ._following import FINDINGS as OF_FOLLOWING
from ._following import follow
from ._mail import Receipt, Submission
from ._message import Message
from ._route import Finding, Level, Route
from ._sending import Deadline, Switch, within
from ._transports import Journal, Transport

FINDINGS: Mapping[str, str] = {
    "send-accepted": "The carrier took the test mail, with the words and the name that are told.",
    "send-refused": "The carrier does not take the test mail, or it can't be sent as it is; nothing left.",
    "send-deferred": "The test mail could not be sent now; nothing left.",
    "send-sign-in": "The test mail was not sent, since the sign-in was refused.",
    "send-unknown": "The test mail was handed over and no answer came, so it may arrive; it is not sent again.",
    "send-no-address": "There is no address that the test mail could go to: the account shows none.",
    "send-not-tried": "An earlier stage failed, so no test mail was sent.",
    **OF_FOLLOWING,
}
"""The codes, with their meaning."""
SUBJECT = "Test mail from pillarbox"
_TEXT = (
    "This is a test, sent by `pillarbox check --send` to the address that it comes from, to see whether the account"
    " works.\n\nNobody has to do anything; it can be deleted."
)
_MARK = ("X-Pillarbox-Test", "check")


def trial(
    route: Route,
    open_transport: Callable[[Route], Transport],
    *,
    seconds: float,
    told: Told | None = None,
) -> Iterator[Finding]:
    """Send a test mail from the address that *route* shows to that address, once, and look what becomes of it.

    It goes by no outbox, so no worker ever sends it again.

    Args:
        route: Whose account, and which address.
        open_transport: Makes a transport for it.
        seconds: For the sending and for the following, each.
        told: Hears of the attempt.
    """
    oneself = _oneself(route)
    if not oneself:
        yield Finding("send", Level.SKIP, "send-no-address", "the account shows no address to send to")
        return
    started, journal = time.monotonic(), Journal()
    try:
        submission = compose(_letter(oneself), attrs.evolve(route, automatic=True))
        receipt = _sent(submission, journal, lambda: open_transport(route), Deadline(seconds), told)
    except PillarboxError as error:
        yield _failed(error, time.monotonic() - started)
        if not isinstance(error, OutcomeUnknown):
            return
    else:
        yield _accepted(receipt, oneself, time.monotonic() - started)
    yield from follow(route, submission, journal, lambda: open_transport(route), Deadline(seconds))


def not_tried() -> Finding:
    """Return that nothing was sent, since it would not work."""
    return Finding("send", Level.SKIP, "send-not-tried", "an earlier stage failed, so nothing was sent")


def _oneself(route: Route) -> str:
    return route.from_address.address if route.from_address else route.account.mailbox


def _letter(oneself: str) -> Message:
    return Message(to=[oneself], subject=SUBJECT, text=_TEXT, headers=[_MARK])


def _sent(
    submission: Submission,
    journal: Journal,
    open_transport: Callable[[], Transport],
    deadline: Deadline,
    told: Told | None,
) -> Receipt:
    """Send *submission* by a transport of its own, and return the carrier's word, by the *deadline*.

    Raises:
        PillarboxError: What it ended in instead.
    """
    switch = Switch()
    switch.governs(journal)

    def attempt() -> Receipt:
        with open_transport() as transport:
            return deliver(submission, journal, transport, told)

    return within(deadline, switch, attempt)


def _accepted(receipt: Receipt, oneself: str, seconds: float) -> Finding:
    named = f" as {receipt.reference}" if receipt.reference else ""
    said = f': "{receipt.detail}"' if receipt.detail else ""
    box = "; the carrier sends it from its outbox" if receipt.submitted_only else ""
    seen = f"the test mail to {oneself} was taken{named}{said}{box}"
    return Finding("send", Level.OK, "send-accepted", seen, seconds=seconds)


def _failed(error: PillarboxError, seconds: float) -> Finding:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "send-refused")
    return Finding("send", Level.FAIL, code, error.detail, error.cure, seconds, error.exit_code)


_CODES: tuple[tuple[type[PillarboxError], str], ...] = (
    (OutcomeUnknown, "send-unknown"),
    (SignInNeeded, "send-sign-in"),
    (SendDeferred, "send-deferred"),
    (Unavailable, "send-deferred"),
)
