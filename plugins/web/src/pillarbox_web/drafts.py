"""What somebody typed about a record, as a record: with every problem beside its field, and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from pillarbox import Choice, Company, InvalidSettings, PillarboxError, SettingsError, User
from pillarbox.directories import table_of
from pillarbox.settings import form, put

from . import fields
from .fields import Control
from .visit import Visit

NONE = "none"
_OF_COMPANY = ("name", "address", "reply_to")
_OF_USER = ("name", "address")


@attrs.frozen
class Draft:
    """A record as it was typed.

    Attributes:
        record: As it would be saved; what could not be read is as it was.
        typed: The secrets that were typed, by field of the record's method.
        shown: What each control shows again.
        problems: What is wrong, by control; "" for what is wrong with the whole.
    """

    record: Company | User
    typed: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    shown: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    problems: dict[str, str] = attrs.field(factory=dict)


def fresh(record: Company | User) -> Draft:
    """Return the draft of a record that nobody has typed about yet."""
    return Draft(record)


def read(visit: Visit, before: Company | User) -> Draft:
    """Return what the form of *visit* makes of *before*."""
    form_, problems = visit.form, {}
    record = before
    scalars = dict(_scalars(visit, before))
    for name, value in scalars.items():
        try:
            record = attrs.evolve(record, **{name: value})
        except InvalidSettings as error:
            problems[name] = _texts(error)[0][1]
    method = record.method
    typed: dict[str, str] = {}
    if method != NONE and method in visit.mailer.plugins:
        try:
            record, typed, found = _with_method(visit, record, method)
        except PillarboxError as error:  # a plugin that can't be used
            problems["method"] = str(error)
        else:
            problems |= {f"{method}.{name}": text for name, text in found.items()}
    return Draft(record, typed, form_, problems)


def _scalars(visit: Visit, before: Company | User) -> list[tuple[str, Any]]:
    """Return the attributes that the form sets; who is no administrator has no say in some (rule 35)."""
    form_ = visit.form
    found: list[tuple[str, Any]] = []
    if visit.person.is_administrator:
        names = _OF_COMPANY if isinstance(before, Company) else _OF_USER
        found += [(name, form_[name].strip()) for name in names if name in form_]
        if isinstance(before, User) and "disabled" in form_:
            found.append(("disabled", form_["disabled"] == "yes"))
    if isinstance(before, User) and "settings" in form_:
        found.append(("choice", form_["settings"]))
    if "method" in form_:
        found.append(("method", form_["method"]))
    return found


def _with_method(
    visit: Visit, record: Company | User, method: str
) -> tuple[Company | User, dict[str, str], dict[str, str]]:
    cls = visit.mailer.plugins[method].settings_class()
    role, plain = visit.person.role, dict(table_of(record).get(method, {}))
    table, problems = fields.read(method, cls, plain, role, visit.form)
    remembered = visit.site.stash.get(visit.person.key, visit.form.get("stash", ""))
    inside = {
        name.removeprefix(f"{method}."): text
        for name, text in remembered.items()
        if name.startswith(f"{method}.")
    }
    typed = inside | fields.secrets_in(method, cls, role, visit.form)
    for one in form(cls):
        if one.name in typed:
            put(table, one.name, fields.reference(method, one))
    return attrs.evolve(record, methods={**record.methods, method: table}), typed, problems


def judged(visit: Visit, draft: Draft) -> tuple[Company | User, dict[str, str]]:
    """Return the draft's record as it would be kept, and every problem, by control."""
    problems, record = dict(draft.problems), draft.record
    try:
        kept = visit.mailer.would_keep(record, by=visit.person.actor, company=visit.company)
    except InvalidSettings as error:
        return record, _placed(error, record) | problems
    except SettingsError as error:
        return record, {"": str(error)} | problems
    if draft.typed and visit.mailer.vault is None:
        for name in draft.typed:
            problems[f"{record.method}.{name}"] = (
                "can't be kept: there is no vault. The deployer installs one: pip install pillarbox-vault"
            )
    problems |= _lacking(visit, kept, draft.typed)
    return kept, problems


def _lacking(visit: Visit, kept: Company | User, typed: Mapping[str, str]) -> dict[str, str]:
    if isinstance(kept, User) and kept.choice is Choice.FROM_COMPANY:
        return {}
    try:
        names = visit.mailer.lacking_secrets(kept, company=visit.company)
    except PillarboxError:  # told by what will happen
        return {}
    wanted = "is kept for other settings than these, and is not given to a server it was not typed for. Type it again"
    return {f"{kept.method}.{name}": wanted for name in names if name not in typed}


def _placed(error: InvalidSettings, record: Company | User) -> dict[str, str]:
    found: dict[str, str] = {}
    start = "company." if isinstance(record, Company) else f"users.{record.id}."
    for path, text in _texts(error):
        found.setdefault(path.removeprefix(start), text)
    return found


def _texts(error: InvalidSettings) -> list[tuple[str, str]]:
    """Return path and sentence of each problem; no path has a space in it."""
    pairs = (problem.partition(" ") for problem in error.problems)
    return [(path, text.strip()) for path, _, text in pairs]


def save(visit: Visit, draft: Draft, version: str) -> None:
    """Save the draft, keep its secrets, and let what waited for it go on.

    Raises:
        Changed: Somebody else saved meanwhile.
        PillarboxError: As `Directory.save` and `Mailer.keep_secret`.
    """
    mailer, record = visit.mailer, draft.record
    mailer.directory.save(record, version=version, by=visit.person.actor)
    found, who = mailer.directory.look_up(record.id if isinstance(record, User) else None, visit.company)
    saved: Company | User = who or found
    for field, value in draft.typed.items():
        mailer.keep_secret(saved, field, value, company=visit.company)
    mailer.mended(saved, company=visit.company)
    visit.site.stash.drop(visit.person.key, visit.form.get("stash", ""))


def stashed(visit: Visit, draft: Draft) -> str:
    """Remember the secrets that were typed until the form is sent again, and return under which name."""
    named = {f"{draft.record.method}.{field}": value for field, value in draft.typed.items()}
    return visit.site.stash.put(visit.person.key, named)


def controls(visit: Visit, draft: Draft, method: str, problems: Mapping[str, str]) -> list[Control]:
    """Return the controls of *method* for the draft, with what was typed and what is wrong."""
    cls = visit.mailer.plugins[method].settings_class()
    record = draft.record
    table = table_of(record).get(method, {})
    typed = draft.typed if method == record.method else {}
    made = fields.controls(method, cls, table, visit.person.role, record.address, typed)
    return [
        attrs.evolve(
            one,
            value=draft.shown.get(one.name, one.value) if one.field.kind != "secret" else "",
            problem=problems.get(one.name, ""),
        )
        for one in made
    ]
