"""The company and its users in Django's own database, by the rules that every directory keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from pillarbox import Actor, Change, Changed, Company, Directory, Plugins, SettingsError, User
from pillarbox.directories import (
    change_of,
    prepared,
    record_of,
    refuse_unless_administrator,
    renaming,
    table_of,
    unknown_user,
    user_exists,
)

from .conf import database

MOST_KNOWN = 10_000
"""The most records that are kept as they were read, so that what did not change is the same object."""


class DjangoDirectory(Directory):
    """Reads and writes `CompanySettings` and `UserSettings`; safe between processes, whatever the database.

    Args:
        company: The company that is meant where a call names none.
        plugins: What is installed; all of it by default.
    """

    def __init__(self, company: str = "company", *, plugins: Plugins | None = None) -> None:
        self.plugins: Plugins = plugins if plugins is not None else Plugins()
        self._company = company
        self._known: dict[tuple[str, str], tuple[str, Company | User]] = {}

    def look_up(self, user: str | None, company: str | None = None) -> tuple[Company, User | None]:
        """See `Directory`."""
        name = company or self._company
        text = self._companies().filter(pk=name).values_list("settings", flat=True).first()
        if text is None:
            if company is not None and company != self._company:
                raise SettingsError(f"There is no company {company[:100]!r}.")
            text = "{}"
        found = self._read(Company, name, "", text)
        assert isinstance(found, Company)
        if user is None:
            return found, None
        written = self._users(name).filter(user=user).values_list("settings", flat=True).first()
        if written is None:
            raise unknown_user(
                user, self._users(name).order_by("user").values_list("user", flat=True)[:1_000]
            )
        who = self._read(User, name, user, written)
        assert isinstance(who, User)
        return found, who

    def users(self, after: str = "", limit: int = 100, search: str = "") -> list[User]:
        """See `Directory`."""
        rows = self._users(self._company).filter(user__gt=after).order_by("user")
        if search:
            rows = rows.filter(search__contains=search.casefold())
        made = [
            self._read(User, self._company, row[0], row[1])
            for row in rows.values_list("user", "settings")[:limit]
        ]
        return [one for one in made if isinstance(one, User)]

    def save(self, record: Company | User, *, version: str, by: Actor) -> str:
        """See `Directory`."""
        name = record.id if isinstance(record, Company) else self._company
        with self._alone():
            company, before, text = self._before(record, name)
            kept = prepared(before, record, version, by, company, self.plugins)
            written = json.dumps(table_of(kept), sort_keys=True, ensure_ascii=False)
            self._write(kept, name, text, written)
            self._note(name, [change_of(before, kept, by)])
        return kept.version

    def remove(self, user: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._alone():
            _, who = self.look_up(user)
            self._users(self._company).filter(user=user).delete()
            self._note(self._company, [change_of(who, None, by)])

    def rename(self, user: str, new: str, *, by: Actor) -> None:
        """See `Directory`."""
        refuse_unless_administrator(user, by)
        with self._alone():
            _, who = self.look_up(user)
            assert who is not None
            if self._users(self._company).filter(user=new).exists():
                raise user_exists(new)
            renamed = User(id=new, **{name: getattr(who, name) for name in _CARRIED})
            self._users(self._company).filter(user=user).update(user=new, search=_searched(renamed))
            self._note(self._company, renaming(who, renamed, by))

    def history(self, owner: str) -> list[Change]:
        """See `Directory`."""
        from .models import SettingsChange

        rows = SettingsChange.objects.using(database()).filter(company=self._company, owner=owner)
        return [Change(at=one.at, by=one.by, owner=one.owner, what=one.what) for one in rows]

    def version_of(self, text: str, user: str | None) -> str:
        """Return the version of the record that is kept as *text*: of the company, or of *user*."""
        return self._read(User if user else Company, self._company, user or "", text).version

    def _before(self, record: Company | User, name: str) -> tuple[Company, Company | User | None, str | None]:
        """Return the company, the record as it is kept, and the text it is kept as; None for a new one."""
        if isinstance(record, Company):
            text = self._companies().filter(pk=name).values_list("settings", flat=True).first()
            before = self._read(Company, name, "", text or "{}")
            assert isinstance(before, Company)
            return before, before, text
        company, _ = self.look_up(None, name)
        text = self._users(name).filter(user=record.id).values_list("settings", flat=True).first()
        return company, None if text is None else self._read(User, name, record.id, text), text

    def _write(self, kept: Company | User, name: str, before: str | None, after: str) -> None:
        """Write it where it is still as it was: not every database locks a row that is read.

        Raises:
            Changed: It is not.
        """
        is_company = isinstance(kept, Company)
        rows = (
            self._companies().filter(pk=name)
            if is_company
            else self._users(name).filter(user=getattr(kept, "id", ""))
        )
        values = (
            {"settings": after}
            if isinstance(kept, Company)
            else {"settings": after, "search": _searched(kept)}
        )
        if before is not None:
            done = rows.filter(settings=before).update(**values) == 1
        else:
            try:
                with transaction.atomic(using=database()):
                    if is_company:
                        self._companies().create(company=name, **values)
                    else:
                        self._companies().get_or_create(company=name)
                        self._users(name).create(company_id=name, user=kept.id, **values)
                done = True
            except IntegrityError:
                done = False
        if not done:
            raise Changed(
                f"{kept} was changed meanwhile.", cure="Look at the settings again, then repeat the change."
            )

    def _read(self, cls: type[Company | User], company: str, user: str, text: str) -> Company | User:
        known = self._known.get((company, user))
        if known is not None and known[0] == text:
            return known[1]
        table: Mapping[str, Any] = json.loads(text)
        methods = {name: value for name, value in table.items() if isinstance(value, dict)}
        values = {
            "typed_by": "administrator",
            **{name: value for name, value in table.items() if name not in methods},
        }
        made = record_of(cls, values, methods, **({"id": user} if user else {}))
        if isinstance(made, Company) and made.id != company:
            made = record_of(cls, {**values, "id": company}, methods)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[company, user] = (text, made)
        return made

    def _note(self, company: str, changes: list[Change]) -> None:
        from .models import SettingsChange

        rows = [
            SettingsChange(company=company, owner=one.owner, at=one.at, by=one.by, what=list(one.what))
            for one in changes
        ]
        SettingsChange.objects.using(database()).bulk_create(rows)

    def _alone(self) -> Any:
        return transaction.atomic(using=database())

    @staticmethod
    def _companies() -> Any:
        from .models import CompanySettings

        return CompanySettings.objects.using(database())

    @staticmethod
    def _users(company: str) -> Any:
        from .models import UserSettings

        return UserSettings.objects.using(database()).filter(company_id=company)


_CARRIED = ("address", "name", "choice", "method", "methods", "disabled", "typed_by")


def _searched(user: User) -> str:
    return f"{user.id} {user.name} {user.address}".casefold()
