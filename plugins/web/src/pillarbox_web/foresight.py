"""What will happen to a mail, in a few lines: the same facts as `pillarbox explain`, before anything is saved."""

from __future__ import annotations

import attrs

from pillarbox import Company, PillarboxError, Route, User

from .visit import Visit


@attrs.frozen
class Foresight:
    """What would become of one writer's mail.

    Attributes:
        who: Whose mail.
        route: Whose account, which address, and why; None where it can't be sent.
        label: What people call the method.
        via: Through what it leaves.
        copy: Where the sent copy is.
        problem: Why it can't be sent, or None.
    """

    who: str
    route: Route | None = None
    label: str = ""
    via: str = ""
    copy: str = ""
    problem: PillarboxError | None = None


def of_record(visit: Visit, record: Company | User, *, is_saved: bool = False) -> list[Foresight]:
    """Return what would happen with *record*; for a company also to the mail of one user who uses its account."""
    as_if = None if is_saved else record
    if isinstance(record, User):
        return [_of(visit, str(record), record.id, as_if)]
    found = [_of(visit, "", None, as_if)]
    user = _somebody(visit)
    return [*found, _of(visit, str(user), user.id, as_if)] if user is not None else found


def _of(visit: Visit, who: str, user: str | None, as_if: Company | User | None) -> Foresight:
    mailer = visit.mailer
    try:
        route = mailer.explain(user, company=visit.company, as_if=as_if)
        transport = mailer.plugins[route.account.method]
        described = transport.describe(route.account.settings)
    except PillarboxError as error:
        return Foresight(who, problem=error)
    label = transport.label or route.account.method
    return Foresight(who, route, label, described.via, described.copy)


def _somebody(visit: Visit) -> User | None:
    """Return a user who uses the company's account, of the first hundred."""
    try:
        users = visit.mailer.directory.users(limit=100)
    except PillarboxError:  # a host's directory need not list them
        return None
    return next((one for one in users if one.choice.value == "company"), None)
