"""The rows of a vault in Django's database; what is in them is sealed before it comes here."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from pillarbox import Changed, Row

from .conf import database

LOCK_SECONDS = 60.0
"""How long a holder has a row's lock at the longest: a token's refresh and then some. A dead one's ends by itself."""
_PAUSE = 0.05
_LOCKS = "lock:"


class DjangoRows:
    """Rows for `Mailer(vault=...)`, in the table `SealedSecret`; for several processes and machines."""

    def load(self, name: str) -> Row | None:
        """See `pillarbox.Rows`."""
        one = self._rows().filter(pk=name).first()
        return None if one is None else Row(name, one.version, bytes(one.sealed), _plain(one.readable))

    def save(self, name: str, sealed: bytes, readable: Mapping[str, Any], *, version: int) -> int:
        """See `pillarbox.Rows`."""
        text = json.dumps(dict(readable), sort_keys=True)
        if version == 0:
            try:
                with transaction.atomic(using=database()):
                    self._rows().create(name=name, version=1, sealed=sealed, readable=text)
                done = True
            except IntegrityError:
                done = False
        else:
            same = self._rows().filter(pk=name, version=version)
            done = same.update(version=F("version") + 1, sealed=sealed, readable=text) == 1
        if not done:
            raise Changed(f"{name} was saved by another process meanwhile.", cure="Load it again.")
        return version + 1

    def delete(self, name: str) -> None:
        """See `pillarbox.Rows`."""
        self._rows().filter(pk=name).delete()

    def names(self, prefix: str = "") -> list[str]:
        """See `pillarbox.Rows`."""
        found = self._rows().exclude(name__startswith=_LOCKS).values_list("name", flat=True)
        return sorted(name for name in found if name.startswith(prefix))  # a database may not tell a from A

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `pillarbox.Rows`. It is a lease: whoever dies holds it for a minute at the longest.

        Raises:
            TimeoutError: Another holds it all the while.
        """
        row, mine, until = f"{_LOCKS}{name}", uuid.uuid4().hex, time.monotonic() + LOCK_SECONDS
        with contextlib.suppress(IntegrityError), transaction.atomic(using=database()):
            self._rows().create(name=row, version=0, sealed=b"", readable="{}")
        while not self._took(row, mine):
            if time.monotonic() > until:
                raise TimeoutError(f"{name} is held by another process.")
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            self._rows().filter(pk=row, held_by=mine).update(held_until=0.0, held_by="")

    def _took(self, row: str, mine: str) -> bool:
        now = time.time()
        free = self._rows().filter(pk=row, held_until__lt=now)
        return bool(free.update(held_until=now + LOCK_SECONDS, held_by=mine))

    @staticmethod
    def _rows() -> Any:
        from .models import SealedSecret

        return SealedSecret.objects.using(database())


def _plain(text: str) -> dict[str, Any]:
    """Return the readable half; {} where it was spoilt, which is bound to no place and opens nothing."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
