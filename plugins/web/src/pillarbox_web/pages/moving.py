"""Mail that was written for the account as it was before: which may go by the account as it is now (rule 27)."""

from __future__ import annotations

from starlette.responses import Response

from pillarbox import Choice, SettingsError, User

from ..visit import Visit


def page(visit: Visit) -> Response:
    """List it, each with why it may or may not; with POST, move one, or all that may."""
    found = visit.mailer.stranded(visit.user, company=visit.company)
    if visit.request.method == "GET":
        return visit.page("waiting.html", record=visit.record(), stranded=found)
    record = visit.record()
    if isinstance(record, User) and record.choice is Choice.PERSONAL and not visit.may_let_go(record.owner):
        raise SettingsError("A personal account is its owner's alone to send by.", cure="Ask them.")
    key = visit.form.get("key", "")
    # Only of this account: a key that is typed by hand moves nobody else's mail.
    chosen = [one for one in found if one.can_move and key in {"", one.entry.key}]
    for one in chosen:
        visit.mailer.move(one.entry.key, by=visit.person.actor.name)
    return visit.go(visit.about("waiting", done="moved") if chosen else visit.about("waiting"))
