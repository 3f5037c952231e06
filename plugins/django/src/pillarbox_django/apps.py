"""The app: one table, for mail that waits for its transaction."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.signals import setting_changed


class PillarboxConfig(AppConfig):  # type: ignore[misc]
    """`INSTALLED_APPS = [..., "pillarbox_django"]`; only `queue` needs it."""

    name = "pillarbox_django"
    verbose_name = "Mail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to tests that change the settings."""
        from .conf import forget_mailer

        setting_changed.connect(forget_mailer)
