"""Mail in the host's own transaction: a row is written in it, and moves to the outbox once it has committed.

A rolled-back invoice leaves no row, so no mail. A crash after the commit leaves the row, which the worker's sweep moves.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from pillarbox import Message, PillarboxError

from .conf import database, get_mailer
from .converting import message_of

if TYPE_CHECKING:
    from .models import StagedMail

MOST = 100
"""Rows that a sweep takes in one look."""
_log = logging.getLogger("pillarbox_django")


def stage(
    octets: bytes, whom: Mapping[str, list[str]], user: str | None, company: str | None, *, subject: str = ""
) -> None:
    """Write a mail into the staging table, in the transaction that is open, and move it once that has committed.

    Args:
        octets: As Django composed it.
        whom: Its recipients: `to`, `cc` and `bcc`.
        user: Who writes.
        company: Which.
        subject: For people.

    Raises:
        ImproperlyConfigured: The app is not installed.
    """
    alias = database()
    row = _model()(
        user=user or "", company=company or "", subject=subject, recipients=dict(whom), content=octets
    )
    row.save(using=alias, force_insert=True)
    # robust: an outbox that can't be reached now must not turn a commit that happened into an error.
    transaction.on_commit(lambda: move(row.pk), using=alias, robust=True)


def move(key: uuid.UUID) -> bool:
    """Put the row of that *key* into the outbox, and delete it; tell whether it is there now.

    Between the two a crash leaves the row: it moves again, under the same key, and the outbox keeps one.
    """
    alias = database()
    row = _model().objects.using(alias).filter(pk=key).first()
    if row is None:
        return True
    try:
        get_mailer().enqueue(
            _message(row), user=row.user or None, company=row.company or None, key=f"django:{row.pk}"
        )
    except PillarboxError as error:
        _log.warning("staged mail %s was not moved: %s", row.pk, type(error).__name__)
        _model().objects.using(alias).filter(pk=key).update(problem=str(error)[:2_000], tries=row.tries + 1)
        return False
    _model().objects.using(alias).filter(pk=key).delete()
    return True


def sweep() -> int:
    """Move whatever was left behind, the oldest first, and return how many were; what can't be moved keeps nobody waiting."""
    moved, after = 0, None
    while rows := _waiting(after):
        moved += sum(move(key) for key, _ in rows)
        after = rows[-1][1]
        if len(rows) < MOST:
            break
    return moved


def _waiting(after: Any) -> list[tuple[uuid.UUID, Any]]:
    found = _model().objects.using(database()).order_by("created_at", "id")
    if after is not None:
        found = found.filter(created_at__gt=after)
    return list(found.values_list("id", "created_at")[:MOST])


def _model() -> type[StagedMail]:
    if not apps.is_installed("pillarbox_django"):
        raise ImproperlyConfigured('queue needs "pillarbox_django" in INSTALLED_APPS, and its migrations.')
    from .models import StagedMail

    return StagedMail


def _message(row: StagedMail) -> Message:
    return message_of(message_from_bytes(bytes(row.content)), row.recipients)
