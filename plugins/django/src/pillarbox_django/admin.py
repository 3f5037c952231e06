"""The settings, to be changed by the rules that every page and command keeps; and mail that waits, to be seen."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin

from pillarbox import Actor, Company, InvalidSettings, Mailer, PillarboxError, Role, User
from pillarbox.directories import record_of

from .directory import DjangoDirectory
from .models import CompanySettings, SettingsChange, StagedMail, UserSettings


class SettingsForm(forms.ModelForm):  # type: ignore[misc]
    """The settings as JSON, looked at as they would be kept, with every problem in words; no secret stands in them."""

    actor: Actor

    def clean(self) -> dict[str, Any]:
        """Refuse what could not be saved."""
        found: dict[str, Any] = super().clean()
        if self.errors:
            return found
        row = self.instance
        try:
            directory = DjangoDirectory(_company_of(row, found))
            record = _record(row, found)
            self.version = _version(directory, row, self.initial.get("settings"))
            Mailer(directory).would_keep(record, by=self.actor)
        except InvalidSettings as error:
            raise forms.ValidationError([" ".join(one.split()) for one in error.problems]) from None
        except (PillarboxError, ValueError, TypeError) as error:
            raise forms.ValidationError(str(error)) from None
        self.directory, self.record = directory, record
        return found


def _company_of(row: Any, found: dict[str, Any]) -> str:
    if isinstance(row, CompanySettings):
        return str(found.get("company") or row.company)
    return str(found["company"].pk if "company" in found else row.company_id)


def _record(row: Any, found: dict[str, Any]) -> Company | User:
    table = json.loads(found["settings"])
    if not isinstance(table, dict):
        raise ValueError("The settings are a table: { ... }")  # noqa: TRY004  (a form's problem)
    table.pop("typed_by", None)  # who typed them is not for the form to say
    methods = {name: value for name, value in table.items() if isinstance(value, dict)}
    plain = {name: value for name, value in table.items() if name not in methods}
    values = {"typed_by": "administrator", **plain}
    unknown = sorted(set(plain) - _KEYS)
    if unknown:
        raise ValueError(
            f"{unknown[0]} is not a setting; they are {', '.join(sorted(_KEYS))}, and a table for each method."
        )
    if isinstance(row, CompanySettings):
        return record_of(Company, {**values, "id": _company_of(row, found)}, methods)
    return record_of(User, values, methods, id=str(found.get("user") or row.user))


_KEYS = {"address", "name", "method", "reply_to", "settings", "disabled", "id"}


def _version(directory: DjangoDirectory, row: Any, before: str | None) -> str:
    """Return the version that the form was shown with; "" for a new user."""
    if before is None:
        return directory.look_up(None)[0].version if isinstance(row, CompanySettings) else ""
    return directory.version_of(before, None if isinstance(row, CompanySettings) else str(row.user))


class _SettingsAdmin(admin.ModelAdmin):  # type: ignore[misc]
    form = SettingsForm
    named_by: tuple[str, ...] = ()

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **more: Any) -> Any:
        made = super().get_form(request, obj, change, **more)
        return type(made.__name__, (made,), {"actor": Actor(request.user.get_username(), Role.ADMINISTRATOR)})

    def get_readonly_fields(self, _: Any, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else self.named_by

    def save_model(self, _request: Any, obj: Any, form: Any, _change: bool) -> None:
        """Save by the directory, which keeps the rules and the history."""
        form.directory.save(form.record, version=form.version, by=form.actor)
        if obj.pk is None:
            obj.pk = UserSettings.objects.get(company_id=obj.company_id, user=obj.user).pk


@admin.register(CompanySettings)
class CompanySettingsAdmin(_SettingsAdmin):
    """A company's settings."""

    list_display = ("company",)
    fields = ("company", "settings")
    named_by = ("company",)

    def has_delete_permission(self, *_: Any) -> bool:
        """Nobody deletes a company's settings here; their method can be None."""
        return False


@admin.register(UserSettings)
class UserSettingsAdmin(_SettingsAdmin):
    """A user's settings."""

    list_display = ("user", "company")
    search_fields = ("search",)
    fields = ("company", "user", "settings")
    named_by = ("company", "user")

    def delete_model(self, request: Any, obj: Any) -> None:
        """Remove the user as every page does: the sign-in is revoked, the secrets are destroyed, the history stays."""
        from .conf import get_mailer

        get_mailer().remove_user(obj.user, by=Actor(request.user.get_username(), Role.ADMINISTRATOR))

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        """Remove each."""
        for one in queryset:
            self.delete_model(request, one)


@admin.register(SettingsChange)
class SettingsChangeAdmin(admin.ModelAdmin):  # type: ignore[misc]
    """Who changed what."""

    list_display = ("at", "by", "owner", "what")

    def has_add_permission(self, _: Any) -> bool:
        """Nobody writes history."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Nobody rewrites it."""
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        """Nobody forgets it."""
        return False


@admin.register(StagedMail)
class StagedMailAdmin(admin.ModelAdmin):  # type: ignore[misc]
    """What was written and not moved yet, and why not. Deleting a row means that its mail is not sent."""

    list_display = ("created_at", "subject", "user", "tries", "problem")
    search_fields = ("subject", "user")
    fields = ("created_at", "user", "company", "subject", "recipients", "tries", "problem")
    readonly_fields = fields

    def has_add_permission(self, _: Any) -> bool:
        """Nobody adds one."""
        return False
