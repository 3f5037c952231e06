"""Mail that waits for its transaction: the one table."""

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
