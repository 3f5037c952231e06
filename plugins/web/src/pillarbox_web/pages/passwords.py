"""A changed password: tried first, and only then in the place of the old one; what waited for it goes on."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from pillarbox import Company, Finding, Level, SettingsError, User
from pillarbox.directories import table_of
from pillarbox.settings import FormField, at

from .. import fields
from ..visit import Visit

KEPT_ANYWAY = "anyway"


def page(visit: Visit) -> Response:
    """Show the form; with POST, try the new password, and keep it where it works."""
    record = visit.record()
    wanted = _secrets(visit, record)
    if visit.request.method == "GET":
        return visit.page("password.html", record=record, wanted=wanted, findings=(), problem="")
    typed = fields.secrets_in(record.method, _class(visit, record), visit.person.role, visit.form)
    typed = {name: value for name, value in typed.items() if name in {one.name for one in wanted}}
    if not typed:
        problem = visit.words("Type the new password.")
        return visit.page("password.html", 422, record=record, wanted=wanted, findings=(), problem=problem)
    findings = _tried(visit, record, typed)
    is_refused = any(one.level is Level.FAIL for one in findings)
    if is_refused and visit.form.get("keep") != KEPT_ANYWAY:
        problem = visit.words("It was not kept: the old one stays.")
        return visit.page(
            "password.html", 422, record=record, wanted=wanted, findings=findings, problem=problem
        )
    for name, value in typed.items():
        visit.mailer.keep_secret(record, name, value, company=visit.company)
    return visit.go(visit.about(done="saved" if is_refused else "password"))


def _tried(visit: Visit, record: Company | User, typed: dict[str, str]) -> list[Finding]:
    account: Literal["company", "personal"] = "personal" if isinstance(record, User) else "company"
    company = visit.company
    return list(
        visit.mailer.check(
            visit.user, company=company, account=account, as_if=record, typed=typed, deadline=30.0
        )
    )


def _class(visit: Visit, record: Company | User) -> type:
    return visit.mailer.plugins[record.method].settings_class()


def _secrets(visit: Visit, record: Company | User) -> list[FormField]:
    """Return the fields of the record's method whose secret the vault keeps.

    Raises:
        SettingsError: There is none to change.
    """
    table = table_of(record).get(record.method, {})
    if record.method != "none":
        kept = [
            one
            for one in fields.editable(_class(visit, record), visit.person.role)
            if one.kind == "secret" and (at(table, one.name) or {}).get("vault")
        ]
        if kept:
            return kept
    raise SettingsError(
        "No password of this account is kept here.",
        cure="Choose a method that signs in with one, and type it there.",
    )
