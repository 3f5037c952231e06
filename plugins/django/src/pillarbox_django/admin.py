"""Mail that waits for the outbox, to be seen: nothing is written by hand here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from .models import StagedMail


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
