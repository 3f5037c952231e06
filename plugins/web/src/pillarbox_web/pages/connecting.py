"""Connect: two grants in plain words, the way to the provider and back, and the end of a sign-in."""

from __future__ import annotations

from starlette.responses import Response

from pillarbox import Grant, Pending, Prompt, Refused, SettingsError

from ..visit import Visit


def begin(visit: Visit) -> Response:
    """Show the two grants; with POST, begin to sign in with the one that was chosen."""
    label = visit.mailer.connects(visit.user, company=visit.company)
    if not label:
        raise SettingsError(
            "This account signs in with a password; there is nothing to connect.",
            cure="Choose Microsoft 365 or Gmail.",
        )
    if visit.request.method == "GET":
        return visit.page("connect.html", record=visit.record(), label=label)
    grant = Grant.CONFIRM if visit.form.get("grant") == Grant.CONFIRM.value else Grant.SEND
    prompt = visit.mailer.connect(
        visit.user,
        company=visit.company,
        by=visit.person.actor,
        grant=grant,
        redirect_uri=None if visit.form.get("by") == "code" else _redirect_uri(visit),
    )
    if prompt.url is None:
        return _ended(visit, {"state": prompt.state})
    url = _one_line(prompt)
    answer = visit.page("leave.html", record=visit.record(), label=label, prompt=prompt)
    if prompt.code is None:
        # A form's own redirect to another site is what `form-action 'self'` forbids; a header of the answer is not.
        answer.headers["Refresh"] = f"0; url={url}"
    return answer


def _one_line(prompt: Prompt) -> str:
    url = prompt.url or ""
    if not url.startswith(("https://", "http://")) or any(ord(one) < 33 for one in url):
        raise SettingsError("The provider's page is no address that can be opened.")
    return url


def _redirect_uri(visit: Visit) -> str:
    if visit.site.redirect_uri:
        return visit.site.redirect_uri
    return f"{visit.request.url.scheme}://{visit.request.url.netloc}{visit.at('connected')}"


def code(visit: Visit) -> Response:
    """Look whether the person has entered the code."""
    return _ended(visit, {"state": visit.form.get("state", "")[:200]})


def finish(visit: Visit) -> Response:
    """Take the provider's answer, which the browser brings back."""
    return _ended(visit, dict(visit.request.query_params))


def _ended(visit: Visit, given: dict[str, str]) -> Response:
    answer = visit.mailer.finish_connect(given, by=visit.person.actor)
    if isinstance(answer, Pending):
        return visit.page("pending.html", state=given.get("state", ""))
    if isinstance(answer, Refused):
        return visit.page("refused.html", 409, refused=answer)
    return visit.page("connected.html", connection=answer)


def disconnect(visit: Visit) -> Response:
    """End the sign-in: told to the provider where it can be, destroyed here."""
    visit.mailer.disconnect(visit.user, company=visit.company, by=visit.person.actor)
    return visit.go(visit.about(done="disconnected"))
