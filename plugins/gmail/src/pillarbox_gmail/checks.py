"""The check of an account, stage by stage: a token, the mailbox, the address it shows, and its limits."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pillarbox import Finding, PillarboxError, SendDeferred, SendError, SignInNeeded

from .api import JSON, Api, path
from .exchange import Answer
from .findings import fail, ok, skip, warn
from .grants import Allowed
from .limits import LARGEST, MOST_RECIPIENTS, PER_DAY, PER_MINUTE
from .meanings import Kind, Said

_LATER = ("mailbox", "sender", "limits")


def looked_at(api: Api, allowed: Allowed, shown: str) -> Iterator[Finding]:
    """Yield what is found; *shown* is the address that mail would show, or "".

    Nothing is sent. A sign-in that may only send has nothing to read: a message without content is offered, which Gmail
    refuses when it has seen that all else is well.
    """
    started = time.monotonic()
    try:
        api.begin()
    except PillarboxError as error:
        yield _no_token(error, started)
        yield from (skip(stage, "not reached") for stage in _LATER)
        return
    yield ok("token", "token-given", f"Google gives tokens for {allowed.address}", since=started)
    yield _mailbox(api, allowed)
    yield _sender(allowed, shown)
    yield _limits(allowed)


def _no_token(error: PillarboxError, since: float) -> Finding:
    code = "token-refused" if isinstance(error, SignInNeeded) else "token-not-now"
    if not isinstance(error, SendError):
        code = "token-registration"
    return fail("token", code, error.detail, error.cure, error.exit_code, since=since)


def _mailbox(api: Api, allowed: Allowed) -> Finding:
    started = time.monotonic()
    try:
        if allowed.drafts:
            return _profile(api.look("GET", path("profile")), allowed, started)
        return _offered(api.look("POST", path("messages", "send"), body=b"{}", headers=JSON), started)
    except SendDeferred as error:
        return fail(
            "mailbox", "mailbox-silent", error.detail, error.cure or "Look again later.", 75, since=started
        )
    except PillarboxError as error:
        return fail("mailbox", "mailbox-refuses", error.detail, error.cure, error.exit_code, since=started)


def _profile(answer: Answer, allowed: Allowed, since: float) -> Finding:
    if answer.status != 200:
        return _refused(answer, since)
    address = str((answer.told or {}).get("emailAddress", ""))
    if not Allowed(allowed.address).shows(address):
        seen = f"the mailbox is {address}, and {allowed.address} was connected"
        return warn(
            "mailbox", "mailbox-differs", seen, "Connect again, if the address was changed.", since=since
        )
    return ok("mailbox", "mailbox-reached", f"Gmail answers for {address}", since=since)


def _offered(answer: Answer, since: float) -> Finding:
    """Judge the answer to a message without content: only what is amiss with the account is a failure."""
    if answer.status == 400 and Said.read(answer).meaning.kind is Kind.MESSAGE:
        return ok("mailbox", "mailbox-answers", "Gmail answers, and would take mail", since=since)
    return _refused(answer, since)


def _refused(answer: Answer, since: float) -> Finding:
    said = Said.read(answer)
    row = said.meaning
    seen = f"Gmail answered {said.code}: {row.meaning}"
    exit_code = {Kind.GRANT: 77, Kind.LIMIT: 75, Kind.DAY: 75}.get(row.kind, 78)
    return fail("mailbox", row.finding, seen, row.cure, exit_code, since=since)


def _sender(allowed: Allowed, shown: str) -> Finding:
    if not shown:
        return skip("sender", "no address to show is known")
    how = allowed.shows(shown)
    if how:
        return ok("sender", "sender-accepted", f"{shown} may be shown: {how}")
    cure = "Add it in Gmail (Settings, Accounts, Send mail as), set list_aliases in [apps.gmail] and connect again."
    seen = f"{shown} is neither the mailbox nor a verified alias of it; Gmail would replace it"
    return fail("sender", "sender-strange", seen, cure, 78)


def _limits(allowed: Allowed) -> Finding:
    looks = (
        "a mail in doubt is looked for by its draft"
        if allowed.drafts
        else "a mail in doubt can't be looked for"
    )
    where = ", and in Sent" if allowed.drafts and allowed.reads else ""
    limits = f"{LARGEST // 1_048_576} MiB and {MOST_RECIPIENTS} recipients a message, {PER_MINUTE} a minute, {PER_DAY:,} a day"
    return ok("limits", "limits-known", f"{limits}; {looks}{where}")
