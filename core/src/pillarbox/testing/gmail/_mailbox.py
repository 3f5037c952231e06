"""A mailbox: the messages and drafts in it, its aliases, and how fast it may send."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from email.utils import format_datetime, localtime

import attrs

from .._http.values import Mail
from ._content import Content, Sender, as_sent
from ._errors import Refused, throttled

_REPLY = re.compile(r"\s*(?:re|fwd?|aw|wg)\s*:\s*", re.IGNORECASE)
_REFERENCE = re.compile(r"<[^<>\s]+>")


@attrs.frozen
class Alias:
    """An address that a mailbox may show in From, once its owner has confirmed it.

    Attributes:
        address: The address.
        name: The name it is shown with.
        verified: Whether it was confirmed; until then Gmail does not let it be shown.
    """

    address: str
    name: str = ""
    verified: bool = True


@attrs.frozen(kw_only=True)
class Stored:
    """A message in a mailbox, a draft's too.

    Attributes:
        id: Gmail's own.
        thread: The id of its conversation, that of its first message.
        labels: `SENT` or `DRAFT`.
        content: As the owner sees it, Bcc included.
        at: When it was filed, in seconds since 1970.
        history: The number of the change that filed it.
    """

    id: str
    thread: str
    labels: tuple[str, ...]
    content: Content
    at: float
    history: int

    @property
    def message_id(self) -> str:
        """Its Message-ID, "" without one."""
        return self.content.value("message-id")


@attrs.frozen
class Pace:
    """How many messages a mailbox may send; None for as many as it likes."""

    per_second: int | None
    per_minute: int | None

    def wait(self, times: deque[float], now: float) -> float:
        """Return the seconds until the next may go, 0.0 for at once; *times* are those of the sends so far."""
        limits = ((self.per_second, 1.0), (self.per_minute, 60.0))
        waits = [times[-most] + span - now for most, span in limits if most and len(times) >= most]
        return max(0.0, *waits, 0.0)


@attrs.define(eq=False)
class Mailbox:
    """One mailbox.

    Attributes:
        address: Its own address.
        name: Its owner's name.
        aliases: What else it may show.
        pace: How fast it may send.
        replaces: Whether Gmail puts a Message-ID of its own in the place of ours.
        clock: Seconds that only go forward, for the pace.
        messages: All that lie in it, by id, in the order they were filed.
        drafts: The drafts' ids -> the ids of their messages.
    """

    address: str
    name: str
    aliases: tuple[Alias, ...]
    pace: Pace
    replaces: bool
    clock: Callable[[], float]
    messages: dict[str, Stored] = attrs.field(factory=dict)
    drafts: dict[str, str] = attrs.field(factory=dict)
    _sends: deque[float] = attrs.field(factory=lambda: deque(maxlen=10_000))
    _changes: Iterator[int] = attrs.field(factory=lambda: itertools.count(1000))

    @property
    def sender(self) -> Sender:
        """What may stand in From."""
        verified = frozenset(alias.address.lower() for alias in self.aliases if alias.verified)
        return Sender(self.address, self.name, verified)

    @property
    def history(self) -> int:
        """The number of the last change."""
        return max((stored.history for stored in self.messages.values()), default=999)

    def hold_back(self) -> None:
        """Count a send.

        Raises:
            Refused: 429, faster than the pace.
        """
        now = self.clock()
        wait = self.pace.wait(self._sends, now)
        if wait > 0:
            raise Refused.by(throttled(wait))
        self._sends.append(now)

    def send(self, content: Content, thread: str | None) -> Stored:
        """File *content* as sent and return what lies in Sent.

        Raises:
            Refused: 400, for nobody to send it to.
        """
        if not content.addresses():
            raise Refused("invalidArgument", "Recipient address required")
        sent = as_sent(
            content, self.sender, replaces=self.replaces, date=lambda: format_datetime(localtime())
        )
        return self._file(sent, ("SENT",), thread)

    def draft(self, content: Content, thread: str | None) -> str:
        """File *content* as a draft and return the draft's id."""
        content.addresses()
        stored = self._file(content, ("DRAFT",), thread)
        draft = f"r{secrets.randbelow(2**63) - 2**62}"
        self.drafts[draft] = stored.id
        return draft

    def drafted(self, draft: str) -> Stored:
        """Return the message of *draft*.

        Raises:
            Refused: 404, for one that was never there, was sent or was deleted.
        """
        if draft not in self.drafts:
            raise Refused("notFound")
        return self.messages[self.drafts[draft]]

    def discard(self, draft: str) -> None:
        """Remove *draft* and its message.

        Raises:
            Refused: 404, as in `drafted`.
        """
        del self.messages[self.drafted(draft).id]
        del self.drafts[draft]

    def _file(self, content: Content, labels: tuple[str, ...], thread: str | None) -> Stored:
        name = secrets.token_hex(8)
        stored = Stored(
            id=name,
            thread=self._thread(content, thread) or name,
            labels=labels,
            content=content,
            at=time.time(),
            history=next(self._changes),
        )
        self.messages[name] = stored
        return stored

    def _thread(self, content: Content, wanted: str | None) -> str | None:
        """Return the conversation that *content* belongs to: it answers a message in it, and has its subject.

        Raises:
            Refused: 404, where the *wanted* one does not exist.
        """
        if wanted and all(stored.thread != wanted for stored in self.messages.values()):
            raise Refused("notFound")
        if not (content.value("in-reply-to") or content.value("references")):
            return None
        answered = set(_REFERENCE.findall(content.value("in-reply-to") + content.value("references")))
        for stored in self.messages.values():
            same = _subject(stored.content) == _subject(content)
            if same and stored.message_id in answered and wanted in {None, "", stored.thread}:
                return stored.thread
        return None


def _subject(content: Content) -> str:
    subject = content.value("subject")
    while found := _REPLY.match(subject):
        subject = subject[found.end() :]
    return subject.strip()


def mail(stored: Stored, mailbox: Mailbox, name: str = "") -> Mail:
    """Return *stored* as a test looks at it; *name* is the draft's id, for a draft."""
    content = stored.content
    return Mail(
        id=name or stored.id,
        content=content.without("bcc").octets,
        recipients=content.addresses(),
        sender=mailbox.address,
        shown=mailbox.sender.shown(content),
        message_id=stored.message_id,
        copy=None if name else content.octets,
        properties={"threadId": stored.thread, "labelIds": " ".join(stored.labels)},
    )
