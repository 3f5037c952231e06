"""What became of mails, from the notifications in the account's mailbox: looked for by IMAP, and never changed there."""

from __future__ import annotations

import datetime as dt
import re

import attrs

from pillarbox import (
    EventSource,
    PillarboxError,
    Polled,
    Report,
    SendDeferred,
    SettingsError,
    SignInNeeded,
)

from .copies import LONGEST, access_of
from .dsn import LARGEST, reports_of
from .imap import Mailbox
from .imap_folders import Folder
from .imap_session import Trouble
from .imap_wire import Deadline
from .proxies import way
from .settings import SmtpSettings

EACH = 50
"""Notifications that are read in one look; there may be more."""
READING = 60.0
"""Seconds after which a look reads no more, however slowly the server gives each; the next goes on there."""
FIRST_DAYS = 7
"""How far back the first look goes."""
_CURSOR = re.compile(r"(\d{1,10}):(\d{1,10})")


@attrs.frozen
class _Place:
    """Where a look has got to in a folder.

    Attributes:
        validity: The folder's UIDVALIDITY: with another one, every UID means another message (RFC 3501 2.3.1.1).
        uid: The last message that was looked at.
    """

    validity: int
    uid: int

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}"

    @classmethod
    def read(cls, cursor: str | None) -> _Place | None:
        found = _CURSOR.fullmatch(cursor or "")
        return cls(int(found[1]), int(found[2])) if found else None


def looked(source: EventSource, cursor: str | None) -> Polled:
    """Return what has come since *cursor*; the first time, of the last seven days. Nothing in the mailbox is changed.

    Raises:
        SettingsError: No folder is set for it.
        SendDeferred: The mailbox can't be read now.
        SignInNeeded: It refused the sign-in.
    """
    settings: SmtpSettings = source.settings
    access = access_of(settings)
    if not settings.bounces or access is None:
        raise SettingsError(
            "No folder is set in which bounces arrive.",
            cure="Set smtp.bounces = INBOX, and the mailbox by saved_copy.",
        )
    credentials = source.credentials
    reader = _Reader(access, source.network, credentials, lambda: way(settings, credentials), source.trace)
    seconds = min(settings.timeout, LONGEST)
    reader.deadline = Deadline(seconds)
    try:
        reader.connect()
        reader.sign_in()
        return _polled(reader, Folder.named(settings.bounces), _Place.read(cursor), seconds)
    except Trouble as trouble:
        said = credentials.redact(trouble.detail) if credentials is not None else trouble.detail
        error = _error(trouble, said)
    finally:
        reader.close()
    raise error


def _polled(reader: _Reader, folder: Folder, before: _Place | None, seconds: float) -> Polled:
    validity, last = reader.place(folder)
    begin = before.uid if before is not None and before.validity == validity else None
    found = reader.notifications(begin, dt.datetime.now(dt.UTC).date() - dt.timedelta(days=FIRST_DAYS))
    reports: list[Report] = []
    read, over = 0, Deadline(READING)
    for uid in found[:EACH]:
        reader.deadline = Deadline(seconds)
        reports += reports_of(reader.content(uid))
        read += 1
        if not over.left:
            break
    more = read < len(found)
    end = found[read - 1] if more else max([last, begin or 0, *found])
    return Polled(reports, str(_Place(validity, end)), more)


def _error(trouble: Trouble, said: str) -> PillarboxError:
    if trouble.code == "copy-sign-in-refused":
        return SignInNeeded(said, stage="reports", cure=trouble.cure)
    if trouble.code == "copy-folder-missing":
        return SettingsError(said, cure="Name another folder with smtp.bounces.")
    return SendDeferred(said, stage="reports", cure=trouble.cure)


class _Reader(Mailbox):
    """A mailbox that is looked into, and never changed."""

    def place(self, folder: Folder) -> tuple[int, int]:
        """Examine *folder*; return its UIDVALIDITY and the last UID that it has given.

        Raises:
            Trouble: It can't be opened, or does not say.
        """
        self.look_into(folder)
        client = self._open_client()
        validity, upcoming = (_number(client.response(name)[1]) for name in ("UIDVALIDITY", "UIDNEXT"))
        if validity is None:
            raise Trouble(
                "copy-garbage", f"{self.access.server} does not say which messages the folder holds."
            )
        return validity, (upcoming or 1) - 1

    def notifications(self, begin: int | None, since: dt.date) -> list[int]:
        """Return the UIDs of the notifications behind *begin*, or since a day, in their order."""
        client = self._open_client()
        where = (
            f"SINCE {since:%d}-{_MONTHS[since.month - 1]}-{since:%Y}"
            if begin is None
            else f"UID {begin + 1}:*"
        )
        told = "copy-search-refused", "can't be searched"
        with self._told(*told):
            client.response("SEARCH")
            answer = client.uid("SEARCH", f'{where} HEADER Content-Type "multipart/report"')
        found = self._must(answer, *told)
        words = [word for line in found if isinstance(line, bytes) for word in line.split()]
        if not all(word.isdigit() for word in words):
            raise Trouble("copy-search-refused", f"{self.access.server} did not answer the search.")
        # "8:*" names the last message where none has such a number (RFC 3501 6.4.8).
        return sorted({int(word) for word in words if begin is None or int(word) > begin})

    def content(self, uid: int) -> bytes:
        """Return the first octets of a message, which is not marked as read by that; b"" where it is gone."""
        client = self._open_client()
        told = "copy-search-refused", "does not give a message"
        with self._told(*told):
            answer = client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{LARGEST}>)")
        found = self._must(answer, *told)
        return next((one[1] for one in found if isinstance(one, tuple) and isinstance(one[1], bytes)), b"")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _number(data: list[object]) -> int | None:
    found = [one for one in data if isinstance(one, bytes) and one.isdigit() and len(one) <= 10]
    return int(found[-1]) if found else None
