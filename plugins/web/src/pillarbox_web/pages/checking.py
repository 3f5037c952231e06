"""Check an account, its stages appearing as they finish; and send a test mail to oneself."""

from __future__ import annotations

from starlette.responses import Response

from pillarbox import Choice, SettingsError, User

from ..visit import Visit


def check(visit: Visit) -> Response:
    """Show what a check does; with POST, run it."""
    if visit.request.method == "GET":
        return visit.page("check.html", record=visit.record(), may_test=_may_send(visit))
    return _run(visit, send=False)


def test(visit: Visit) -> Response:
    """Run the check, and send one test mail from the address that shows to that address.

    Raises:
        SettingsError: It is another's own account: nobody sends by it but its owner (rule 7).
    """
    if not _may_send(visit):
        raise SettingsError(
            "A personal account is its owner's alone to send by.", cure="Ask them to send the test mail."
        )
    return _run(visit, send=True)


def _may_send(visit: Visit) -> bool:
    record = visit.record()
    return (
        not isinstance(record, User) or record.choice is Choice.FROM_COMPANY or visit.may_let_go(record.owner)
    )


def _run(visit: Visit, *, send: bool) -> Response:
    found = visit.mailer.check(visit.user, company=visit.company, send=send, deadline=30.0)
    return visit.streamed(
        "checking.html", record=visit.record(), findings=found, may_test=_may_send(visit), sends=send
    )
