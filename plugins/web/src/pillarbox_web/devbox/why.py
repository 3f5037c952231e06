"""Why a mail went this way: what the settings say of whoever wrote it, or what can be read off the mail itself."""

from __future__ import annotations

from email.utils import parseaddr

from pillarbox import Mailer, PillarboxError, Reason

from .reading import Letter

MOST_LOOKED_AT = 200
"""The newest entries of the outbox that are held against the Message-ID."""


def why(letter: Letter, mailer: Mailer | None) -> list[Reason]:
    """Return the reasons for the route of *letter*, as `pillarbox explain` gives them, with where each comes from."""
    found = [] if mailer is None else _by_settings(letter, mailer)
    return found or list(_by_headers(letter))


def _by_settings(letter: Letter, mailer: Mailer) -> list[Reason]:
    try:
        user, is_known = _writer(letter, mailer)
        return list(mailer.explain(user).reasons) if is_known else []
    except PillarboxError as error:
        return [Reason(str(error), "the settings, as they are now")]


def _writer(letter: Letter, mailer: Mailer) -> tuple[str | None, bool]:
    """Return who wrote it, None for nobody in particular; and whether that is known."""
    queue = mailer.existing_queue or mailer.history
    if queue is not None:
        from pillarbox.outbox import Search

        wanted = letter.header("Message-ID")
        for entry in queue.list(Search(limit=MOST_LOOKED_AT)):
            if wanted and entry.submission.message_id == wanted:
                return entry.user, True
    address = parseaddr(letter.header("From"))[1]
    company, _ = mailer.directory.look_up(None)
    if not address:
        return None, False
    for user in mailer.directory.users(limit=MOST_LOOKED_AT, search=address):
        if user.address == address:
            return user.id, True
    return None, address == company.address


def _by_headers(letter: Letter) -> list[Reason]:
    caught, shown = letter.caught, parseaddr(letter.header("From"))[1]
    found = [
        Reason(f"It shows {shown or 'no address'}", "From"),
        Reason(_envelope(caught.mail_from), "MAIL FROM"),
    ]
    if caught.signed_in_as:
        found.append(Reason(f"The connection signed in as {caught.signed_in_as}", "AUTH"))
    if letter.header("Sender"):
        found.append(Reason(f"It was sent on behalf, by {letter.header('Sender')}", "Sender"))
    if letter.header("Reply-To"):
        found.append(Reason(f"Answers go to {letter.header('Reply-To')}", "Reply-To"))
    if letter.header("Auto-Submitted").lower().startswith("auto-"):
        found.append(Reason("Nobody in particular wrote it, a program did", "Auto-Submitted"))
    return found


def _envelope(sender: str) -> str:
    return f"Bounces go to {sender}" if sender else "Nobody gets a bounce of it"
