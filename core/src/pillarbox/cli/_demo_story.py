"""What the demo does and says: a message for each user, what became of it, what arrived, and whether that is right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from .._errors import NoMethod, PillarboxError
from .._mail import Receipt
from .._mailer import Mailer
from .._route import Route
from ._demo_files import CUSTOMER, INVOICE, PDF, invoice
from ._demo_server import DemoServer, Mail
from ._errors import facts, in_words
from ._output import columns, folded, label, plain, say, width

WANTED: Mapping[str, Mapping[str, str]] = {
    "anna": {
        "shown": "Anna Berg <anna@acme.example>",
        "envelope_sender": "anna@acme.example",
        "signed_in_as": "orders@acme.example",
    },
    "otto": {
        "shown": "Otto Lind <otto@acme.example>",
        "envelope_sender": "otto@acme.example",
        "signed_in_as": "otto@acme.example",
    },
}
"""What has to arrive, by user: the rules of a company's and of a personal SMTP account."""
REFUSED = "carl"


@attrs.frozen
class Chapter:
    """What became of one user's message."""

    user: str
    route: Route | None = None
    receipt: Receipt | None = None
    error: PillarboxError | None = None


def told(config: Path, server: DemoServer, *, quiet: bool) -> dict[str, Any]:
    """Send a message for each user of the settings at *config*, and return the story as plain values.

    It is told as it goes, unless *quiet*. Its `differences` say what was not as it had to be.
    """
    with Mailer.open(config) as mailer:
        if not quiet:
            _begin(server.port)
        chapters = []
        for user in (*WANTED, REFUSED):
            chapters.append(_chapter(mailer, user))
            if not quiet:
                _show(chapters[-1])
    wrong = differences(chapters, server.mails)
    if not quiet:
        _show_arrived(server.mails)
        _end(wrong)
    return _as_json(chapters, server.mails, wrong)


def _chapter(mailer: Mailer, user: str) -> Chapter:
    route = None
    try:
        route = mailer.explain(user)
        return Chapter(user, route, mailer.send(invoice(user), user=user))
    except PillarboxError as error:
        return Chapter(user, route, error=error)


def differences(chapters: Sequence[Chapter], mails: Sequence[Mail]) -> list[str]:
    """Return a sentence for each thing that is not as the rules have it."""
    found = []
    for chapter in chapters:
        if chapter.user == REFUSED:
            if not isinstance(chapter.error, NoMethod):
                found.append(f"{chapter.user}, whose method is None, was not refused for it.")
        else:
            found += _differences(chapter, mails)
    if len(mails) > len(WANTED):
        found.append(f"{len(mails)} messages arrived, and had to be {len(WANTED)}.")
    return found


def _differences(chapter: Chapter, mails: Sequence[Mail]) -> list[str]:
    if chapter.receipt is None:
        return [f"{chapter.user}'s message was not accepted: {chapter.error}"]
    arrived = [mail for mail in mails if mail.queue_id == chapter.receipt.reference]
    if len(arrived) != 1:
        return [f"{chapter.user}'s message arrived {len(arrived)} times under the id of its receipt."]
    wanted = {
        **WANTED[chapter.user],
        "subject": invoice(chapter.user).subject,
        "recipients": (CUSTOMER,),
        "attachment": INVOICE,
        "attachment_sha256": hashlib.sha256(PDF).hexdigest(),
    }
    return [
        f"{chapter.user}'s message arrived with {name} {getattr(arrived[0], name)!r} instead of {value!r}."
        for name, value in wanted.items()
        if getattr(arrived[0], name) != value
    ]


def _begin(port: int) -> None:
    _paragraph(
        f"A mail server is up on this computer, at 127.0.0.1:{port}. Acme Ltd sends by SMTP as"
        f" orders@acme.example and has three users. Each sends an invoice to {CUSTOMER}."
    )


def _show(chapter: Chapter) -> None:
    say(f"\n{label(chapter.user, 'cyan')}")
    if chapter.route is not None:
        for line in columns([(f"{no:>3}", one.text) for no, one in enumerate(chapter.route.reasons, 1)]):
            say(line)
    if chapter.receipt is not None:
        say(f"  {label('Accepted', 'green')} by 127.0.0.1 as {chapter.receipt.reference}.")
    if chapter.error is not None:
        said, *cures = in_words(chapter.error).splitlines()
        first, *rest = folded(said, width() - 11)
        say(f"  {label('Refused.', 'yellow')} {first}")
        for line in [*(f"{'':11}{line}" for line in rest), *(f"  {cure}" for cure in cures)]:
            say(line)


def _show_arrived(mails: Sequence[Mail]) -> None:
    say(f"\n{label(f'What arrived for {CUSTOMER}', 'cyan')}")
    for mail in mails:
        say(f"  From {mail.shown}")
        say(f"       signed in as {mail.signed_in_as}, envelope sender {mail.envelope_sender}")
        say(f"       {mail.subject}, with {mail.attachment} ({mail.attachment_size:,} bytes)")


def _end(wrong: Sequence[str]) -> None:
    say()
    for sentence in wrong:
        _paragraph(f"Not as it has to be: {sentence}")
    if not wrong:
        _paragraph(
            "Two left from the right account with the right address, and one was refused, with the cure."
        )


def _paragraph(text: str) -> None:
    for line in folded(text, min(width(), 80)):
        say(line)


def _as_json(chapters: Sequence[Chapter], mails: Sequence[Mail], wrong: Sequence[str]) -> dict[str, Any]:
    from .explain import as_json

    results = [
        {
            "user": chapter.user,
            "route": chapter.route and as_json(chapter.route),
            "receipt": plain(chapter.receipt),
            "error": chapter.error and facts(chapter.error),
        }
        for chapter in chapters
    ]
    return {"results": results, "arrived": plain(mails), "differences": list(wrong)}
