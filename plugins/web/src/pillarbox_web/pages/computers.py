"""The computers whose worker sends for a user: make a token for one, see which there are, end one."""

from __future__ import annotations

from starlette.responses import Response

from pillarbox import PillarboxError, SenderPolicy, SettingsError
from pillarbox.agent import Tokens

from ..visit import Visit


def page(visit: Visit) -> Response:
    """List them; with POST, make a token or end one."""
    assert visit.user is not None
    tokens = Tokens(visit.mailer.vault)
    company, _ = visit.mailer.directory.look_up(visit.user, visit.company)
    form = visit.form
    if visit.request.method == "POST" and form.get("revoke"):
        tokens.revoke(form["revoke"], visit.user, company.id)
        return visit.go(visit.about("computers", done="revoked"))
    if visit.request.method == "POST":
        return _made(visit, tokens, company.id)
    return _listed(visit, tokens, company.id)


def _made(visit: Visit, tokens: Tokens, company: str) -> Response:
    """Make a token, for the user alone: whoever has it is given their mail, and says what became of it (rule 7)."""
    assert visit.user is not None
    if not _is_theirs(visit):
        raise SettingsError(
            "Only the user can make one: it lets a computer send for them.",
            cure="Let them open this page on that computer.",
        )
    try:
        issued = tokens.issue(visit.user, company, visit.form.get("label", ""), visit.person.actor.name)
    except SettingsError as error:
        return _listed(visit, tokens, company, problem=str(error), status=422)
    return _listed(visit, tokens, company, secret=issued.secret)


def _listed(
    visit: Visit, tokens: Tokens, company: str, *, problem: str = "", secret: str = "", status: int = 200
) -> Response:
    assert visit.user is not None
    here = visit.request.url
    door = visit.site.agent_url or f"{here.scheme}://{here.netloc}{visit.at('agent')}"
    return visit.page(
        "computers.html",
        status,
        record=visit.record(),
        tokens=tokens.list(visit.user, company),
        is_theirs=_is_theirs(visit),
        problem=problem,
        secret=secret,
        label=visit.form.get("label", "") if problem else "",
        door=door,
    )


def _is_theirs(visit: Visit) -> bool:
    return visit.person.user == visit.user and not visit.site.is_local


def are_served(visit: Visit) -> bool:
    """Whether some method that is installed is a mail program's of a user's computer."""
    if visit.site.is_local or visit.mailer.vault is None:
        return False
    for name in visit.mailer.plugins:
        try:
            if visit.mailer.plugins[name].sender_policy is SenderPolicy.CLIENT:
                return True
        except PillarboxError:  # one that can't be loaded is no mail program
            continue
    return False
