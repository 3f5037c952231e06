"""The users: find, add, give another id, remove."""

from __future__ import annotations

from starlette.responses import Response

from pillarbox import InvalidSettings, PillarboxError, State, User
from pillarbox.outbox import ENDED, Search

from ..visit import Visit

PAGE = 50
MOST_SHOWN = 20


def page(visit: Visit) -> Response:
    """List them; with POST, add one."""
    if visit.request.method == "POST":
        return _add(visit)
    return _listed(visit)


def rename(visit: Visit) -> Response:
    """Give a user another id; what is kept and what waits goes along."""
    new = visit.form.get("id", "").strip()
    assert visit.user is not None
    User(id=new)  # its form, before anything is moved
    visit.mailer.rename_user(visit.user, new, by=visit.person.actor, company=visit.company)
    return visit.go(visit.at("users", new, done="renamed"))


def remove(visit: Visit) -> Response:
    """Show what waits and what would be destroyed; with POST, remove the user (rule 7)."""
    record = visit.record()
    assert isinstance(record, User)
    if visit.request.method == "POST":
        visit.mailer.remove_user(record.id, by=visit.person.actor, company=visit.company)
        return visit.go(visit.at("users", done="removed"))
    outbox = visit.mailer.existing_queue
    waiting = []
    if outbox is not None:
        company, _ = visit.mailer.directory.look_up(None, visit.company)
        states = frozenset(State) - ENDED
        waiting = outbox.list(Search(company=company.id, user=record.id, states=states, limit=MOST_SHOWN + 1))
    return visit.page(
        "remove.html", record=record, waiting=waiting[:MOST_SHOWN], more=len(waiting) > MOST_SHOWN
    )


def _listed(visit: Visit, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    asked = visit.request.query_params
    search, after = asked.get("search", "")[:200], asked.get("after", "")[:100]
    found = visit.mailer.directory.users(after, PAGE + 1, search)
    return visit.page(
        "users.html",
        status,
        users=found[:PAGE],
        next=found[PAGE - 1].id if len(found) > PAGE else "",
        search=search,
        problems=problems or {},
        shown=visit.form,
    )


def _add(visit: Visit) -> Response:
    form = {name: visit.form.get(name, "").strip() for name in ("id", "name", "address")}
    try:
        user = User(id=form["id"], name=form["name"], address=form["address"])
        visit.mailer.directory.save(user, version="", by=visit.person.actor)
    except InvalidSettings as error:
        pairs = (problem.partition(" ") for problem in error.problems)
        return _listed(visit, {path.rpartition(".")[2]: text.strip() for path, _, text in pairs}, 422)
    except PillarboxError as error:
        if "changed meanwhile" in error.detail:
            return _listed(visit, {"id": visit.words("is the id of another user")}, 422)
        return _listed(visit, {"": str(error)}, 422)
    return visit.go(visit.at("users", user.id, done="added"))
