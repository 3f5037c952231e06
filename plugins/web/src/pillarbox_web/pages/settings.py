"""The settings of the company or of a user: show, look ahead, save; who changed what; which method fits the address."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from starlette.responses import Response

from pillarbox import (
    Changed,
    Choice,
    Company,
    MessageError,
    PillarboxError,
    SettingsError,
    Suggestions,
    User,
)
from pillarbox.directories import table_of

from .. import drafts, foresight
from ..drafts import NONE, Draft
from ..fields import Control
from ..visit import Visit
from . import computers


@attrs.frozen(kw_only=True)
class Method:
    """One method of the form: its controls, or why it is none here."""

    name: str
    label: str
    problem: str = ""
    controls: tuple[Control, ...] = ()
    advanced: tuple[Control, ...] = ()
    connects: str = ""


def page(visit: Visit) -> Response:
    """Show the form; with POST, save it, or show it again with what is wrong."""
    record = visit.record()
    if visit.request.method == "GET":
        return _shown(visit, drafts.fresh(record), {}, record)
    draft = drafts.read(visit, record)
    kept, problems = drafts.judged(visit, draft)
    if problems:
        return _shown(visit, draft, problems, kept, status=422)
    try:
        drafts.save(visit, draft, visit.form.get("version", ""))
    except Changed:
        return _shown(visit, draft, {"": _who_changed(visit, record)}, kept, status=409)
    except PillarboxError as error:
        return _shown(visit, draft, {"": str(error)}, kept, status=422)
    return visit.go(visit.about(done="saved"))


def preview(visit: Visit) -> Response:
    """Show what would happen with what is typed, and save nothing."""
    draft = drafts.read(visit, visit.record())
    kept, problems = drafts.judged(visit, draft)
    if visit.request.headers.get("x-fragment") == "foresight":
        return visit.fragment("foresight.html", seen=_seen(visit, kept, problems), is_saved=False)
    return _shown(visit, draft, problems, kept)


def suggest(visit: Visit) -> Response:
    """Say which method fits the address that is typed."""
    record = visit.record()
    draft = drafts.read(visit, record)
    wanted = draft.record.address or visit.form.get("address", "").strip()
    problems, found = {}, None
    try:
        found = visit.mailer.suggest(wanted)
    except MessageError:
        problems["address"] = "is needed before a method can be suggested for it"
    return _shown(visit, draft, problems, draft.record, found=found)


def history(visit: Visit) -> Response:
    """Show who changed what, and when; the newest first."""
    record = visit.record()
    changes = visit.mailer.directory.history(record.owner)
    return visit.page("history.html", record=record, changes=changes[::-1])


def _shown(
    visit: Visit,
    draft: Draft,
    problems: Mapping[str, str],
    kept: Company | User,
    *,
    status: int = 200,
    found: Suggestions | None = None,
) -> Response:
    before, is_post = visit.record(), visit.request.method == "POST"
    return visit.page(
        "settings.html",
        status,
        before=before,
        record=draft.record,
        shown=draft.shown,
        problems=_in_order(problems),
        methods=_methods(visit, draft, problems),
        chosen=draft.shown.get("method", draft.record.method),
        choice=draft.shown.get("settings", _choice(draft.record)),
        seen=_seen(visit, kept, problems) if is_post else foresight.of_record(visit, before, is_saved=True),
        is_saved=not is_post,
        has_desks=computers.are_served(visit),
        stash=drafts.stashed(visit, draft),
        found=found,
        connection=None if is_post else _connection(visit, before),
        waiting=0 if is_post else _waiting(visit),
        has_vault=visit.mailer.vault is not None,
    )


def _in_order(problems: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(problems.items(), key=lambda one: one[0].count("."))


def _choice(record: Company | User) -> str:
    return record.choice.value if isinstance(record, User) else ""


def _seen(visit: Visit, kept: Company | User, problems: Mapping[str, str]) -> list[foresight.Foresight]:
    """Return what would happen; with settings that can't be used, the problem that stands in the way."""
    try:
        visit.mailer.would_keep(kept, by=visit.person.actor, company=visit.company)
    except PillarboxError:
        name, text = next(iter(problems.items()), ("", "the settings can't be used"))
        what = f"Nothing could be sent yet: {name.rpartition('.')[2].replace('_', ' ')} {text}.".replace(
            "  ", " "
        )
        return [foresight.Foresight(str(kept), problem=SettingsError(what))]
    return foresight.of_record(visit, kept)


def _methods(visit: Visit, draft: Draft, problems: Mapping[str, str]) -> list[Method]:
    plugins, made = visit.mailer.plugins, [Method(name=NONE, label="None")]
    described = {one.name: one for one in plugins.describe()}
    names = dict.fromkeys(
        [*(name for name, one in described.items() if one.version), *plugins, draft.record.method]
    )
    for name in names:
        if name == NONE:
            continue
        about = described.get(name)
        label = (about.label if about else "") or name
        try:
            found = drafts.controls(visit, draft, name, problems)
            transport = plugins[name]
        except (PillarboxError, KeyError) as error:
            made.append(Method(name=name, label=label, problem=str(error)))
            continue
        made.append(
            Method(
                name=name,
                label=transport.label or label,
                problem=about.problem if about else "",
                controls=tuple(one for one in found if not one.field.advanced),
                advanced=tuple(one for one in found if one.field.advanced),
                connects=transport.connector,
            )
        )
    return made


def _connection(visit: Visit, record: Company | User) -> dict[str, object] | None:
    """Return how the record's own account is signed in, where it connects; None where it does not."""
    if record.method == NONE or (isinstance(record, User) and record.choice is Choice.FROM_COMPANY):
        return None
    try:
        label = visit.mailer.connects(visit.user, company=visit.company)
        if not label:
            return None
        return {
            "label": label,
            "found": visit.mailer.connection(visit.user, company=visit.company),
            "problem": "",
        }
    except PillarboxError as error:
        return {"label": record.method, "found": None, "problem": str(error)}


def _waiting(visit: Visit) -> int:
    """Return how many mails were written for the account as it was before."""
    try:
        return len(visit.mailer.stranded(visit.user, company=visit.company))
    except PillarboxError:  # told where the settings are
        return 0


def _who_changed(visit: Visit, record: Company | User) -> str:
    changes = visit.mailer.directory.history(record.owner)
    by = visit.words("somebody") if not changes else changes[-1].by
    what = ", ".join(changes[-1].what) if changes else ""
    return visit.words(
        "{who} changed this meanwhile ({what}). What you typed is still here: look at it once more, and save again.",
        who=by,
        what=what or ", ".join(table_of(record)),
    )
