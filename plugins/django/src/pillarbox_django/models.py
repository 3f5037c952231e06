"""The tables: mail that waits for its transaction; the settings of companies and users, with their history; sealed secrets."""

from __future__ import annotations

import uuid

from django.db import models


class StagedMail(models.Model):  # type: ignore[misc]
    """A mail that was written in a transaction of the host's, and has not been put into the outbox yet.

    Its id is the idempotency key in the outbox: moved twice, it is there once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.CharField("written by", max_length=100, blank=True)
    company = models.CharField(max_length=100, blank=True)
    subject = models.TextField(blank=True)
    recipients = models.JSONField(help_text="to, cc and bcc")
    content = models.BinaryField()
    tries = models.PositiveIntegerField(default=0)
    problem = models.TextField("why it was not moved", blank=True)

    class Meta:
        """Django's."""

        ordering = ("created_at", "id")
        verbose_name = "staged mail"
        verbose_name_plural = "staged mail"

    def __str__(self) -> str:
        return self.subject or "(no subject)"


class CompanySettings(models.Model):  # type: ignore[misc]
    """A company's e-mail settings, as they stand in a settings file."""

    company = models.CharField(primary_key=True, max_length=100, default="company")
    settings = models.TextField(default="{}", help_text="JSON, as [company] of a settings file")

    class Meta:
        """Django's."""

        verbose_name = "e-mail settings of a company"
        verbose_name_plural = "e-mail settings of companies"

    def __str__(self) -> str:
        return str(self.company)


class UserSettings(models.Model):  # type: ignore[misc]
    """A user's e-mail settings."""

    company = models.ForeignKey(CompanySettings, on_delete=models.PROTECT, default="company")
    user = models.CharField(max_length=100)
    settings = models.TextField(default="{}", help_text="JSON, as [users.NAME] of a settings file")
    search = models.TextField(editable=False, default="")

    class Meta:
        """Django's."""

        constraints = (models.UniqueConstraint(fields=("company", "user"), name="pillarbox_one_user"),)
        ordering = ("user",)
        verbose_name = "e-mail settings of a user"
        verbose_name_plural = "e-mail settings of users"

    def __str__(self) -> str:
        return str(self.user)


class SettingsChange(models.Model):  # type: ignore[misc]
    """Who changed which settings, and when; never their secrets."""

    company = models.CharField(max_length=100)
    owner = models.CharField(max_length=110)
    at = models.CharField(max_length=40)
    by = models.CharField(max_length=200)
    what = models.JSONField()

    class Meta:
        """Django's."""

        indexes = (models.Index(fields=("company", "owner"), name="pillarbox_history"),)
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.owner}, {self.at}"


class SealedSecret(models.Model):  # type: ignore[misc]
    """A row of the vault: sealed by a key that is not in this database."""

    name = models.CharField(primary_key=True, max_length=400)
    version = models.BigIntegerField()
    sealed = models.BinaryField()
    readable = models.TextField()
    held_until = models.FloatField(default=0.0)
    held_by = models.CharField(max_length=40, default="", blank=True)

    def __str__(self) -> str:
        return str(self.name)
