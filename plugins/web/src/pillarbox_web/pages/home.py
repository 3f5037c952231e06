"""The first page: how mail goes, what waits and why, and the last day."""

from __future__ import annotations

import datetime as dt

from starlette.responses import Response

from pillarbox import AccountStatus, Entry, PillarboxError
from pillarbox.outbox import Search

from .. import foresight
from ..chart import chart
from ..visit import Visit
from . import connecting

MOST_CHARTED = 10_000


def page(visit: Visit) -> Response:
    """Show it; or take a provider's answer, where these pages serve this computer and the redirect has no path."""
    if visit.site.is_local and "state" in visit.request.query_params:
        return connecting.finish(visit)
    person, mailer = visit.person, visit.mailer
    user = None if person.is_administrator else person.user
    company, who = mailer.directory.look_up(user, visit.company)
    now = dt.datetime.now(dt.UTC)
    recent = list(_recent(visit, user, now - dt.timedelta(hours=24)))
    return visit.page(
        "home.html",
        company=company,
        user=who,
        seen=foresight.of_record(visit, company if who is None else who, is_saved=True),
        accounts=_accounts(visit, user),
        chart=chart(recent, now),
        has_outbox=mailer.existing_queue is not None or mailer.history is not None,
    )


def _accounts(visit: Visit, user: str | None) -> list[AccountStatus]:
    try:
        return visit.mailer.status(user, company=visit.company)
    except PillarboxError:  # why they can't send stands above it
        return []


def _recent(visit: Visit, user: str | None, since: dt.datetime) -> list[Entry]:
    outbox = visit.mailer.existing_queue or visit.mailer.history
    if outbox is None:
        return []
    found, _ = visit.mailer.directory.look_up(None, visit.company)
    return outbox.list(Search(company=found.id, user=user or "", since=since, limit=MOST_CHARTED))
