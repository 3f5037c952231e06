"""The SMTP transport: a line that is kept, one message in doubt at most, outcomes told by stage."""

from __future__ import annotations

import collections
import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import attrs

from pillarbox import (
    Answer,
    Capabilities,
    Connection,
    Copy,
    CopyState,
    Credentials,
    Description,
    EventSource,
    Finding,
    Journal,
    Level,
    Limits,
    MessageError,
    Outbound,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SenderPolicy,
    Sighting,
    SightingState,
    Submission,
    Transport,
)

from . import hosts, lockstep
from .events import SmtpEvents
from .fields import Encryption
from .options import SmtpOptions
from .saved_copy import saved_copy_warnings
from .settings import SmtpSettings, warnings

if TYPE_CHECKING:
    from .copies import Copies
    from .envelope import Transaction
    from .line import Line

Attempt: TypeAlias = tuple[Submission, Journal]
_PROTECTION = {
    Encryption.NONE: "in clear",
    Encryption.STARTTLS: "STARTTLS required",
    Encryption.TLS: "TLS required",
}


class SmtpTransport(Transport):
    """Submits by SMTP (RFC 6409). See `Transport` for what each method promises."""

    settings: SmtpSettings
    label: ClassVar[str] = "SMTP"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.USER
    options: ClassVar[type | None] = SmtpOptions
    events: ClassVar[type[EventSource] | None] = SmtpEvents

    def __init__(
        self,
        settings: Any,
        credentials: Credentials | None = None,
        *,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(settings, credentials, trace=trace)
        self._line: Line | None = None
        self._copies: Copies | None = None
        self._process = os.getpid()

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once; see `Transport.send`.

        Raises:
            SendRejected, SendDeferred, SignInNeeded, OutcomeUnknown, MessageError, SettingsError: As it says there.
        """
        receipt = self._submit(submission, journal, _Attempts(()))
        return self._completed(receipt, submission, journal)

    def send_many(self, attempts: Iterable[Attempt]) -> Iterator[Receipt | PillarboxError]:
        """Submit several, the announcement of the next in one write with the end of the last; see `Transport.send_many`.

        At most one message is in doubt at any time. The next attempt is pulled just before the content of the one in
        hand leaves; what pulling raises is raised when that one is answered.
        """
        pulled: collections.deque[Attempt] = collections.deque()
        with contextlib.closing(self._answers(_noted(attempts, pulled))) as answers:
            for answer in answers:
                attempt = pulled.popleft()
                if isinstance(answer, Receipt):
                    yield self._completed(answer, *attempt)
                else:
                    yield answer

    def _answers(self, attempts: Iterable[Attempt]) -> Generator[Receipt | PillarboxError]:
        """Submit several; see `send_many`."""
        waiting = _Attempts(attempts)
        try:
            while (attempt := waiting.take()) is not None:
                if self._may_chunk:
                    yield from self._chunked(attempt, waiting)
                else:
                    yield self._answered(attempt, waiting)
        finally:
            self._leave_announced()

    @property
    def _may_chunk(self) -> bool:
        if not self.settings.chunking_window:
            return False
        from .window import AVOIDED

        return not AVOIDED.has(self.settings.server, self.settings.port)

    def _chunked(self, attempt: Attempt, waiting: _Attempts) -> Iterator[Receipt | PillarboxError]:
        """Give the answers for *attempt* and as many behind it as one line takes by BDAT; see `window`."""
        from .window import Window, fill

        try:
            kept = self._kept_line(attempt[0])
            line = kept or self._new_line()
        except PillarboxError as error:
            yield error
            return
        if not (line.session.offered.chunking and line.session.offered.pipelining):
            yield self._answered(attempt, waiting)
            return
        size = self.settings.chunking_window
        again = _Attempts(())
        window = Window(line, size, lambda it: self._answered(it, again), fresh=kept is None)
        try:
            yield from fill(window, attempt, waiting.take)
        finally:
            window.close()
            self._drop_unless_kept()

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look for the sent copy by IMAP, where that is set up or the provider is known; see `Transport.find`.

        A miss is evidence only where the server itself files what it sends, and not before it has had time to.
        """
        from . import copies

        known = super().find(submission, journal)
        if known.state is SightingState.SENT or copies.access_of(self.settings) is None:
            return known
        provider = hosts.host(self.settings.server)
        seen = self._kept_copies().look(submission)
        return copies.sighting(seen, submission, provider if provider.files_copy else None, self.settling)

    def has_arrived(self, submission: Submission) -> bool | None:
        """Whether it is in the inbox of the mailbox that is reached by IMAP; see `Transport.has_arrived`.

        Raises:
            SendDeferred: The look failed.
        """
        from .copies import access_of
        from .imap_session import Trouble

        if access_of(self.settings) is None:
            return None
        try:
            return self._kept_copies().has_arrived(submission)
        except Trouble as trouble:
            failed = SendDeferred(trouble.detail, stage="arrival", cure=trouble.cure)
        raise failed

    def check(self) -> Iterator[Finding]:
        """Look at the account stage by stage, on a connection of its own; see `Transport.check`."""
        from .check import look
        from .copies_check import look_at_copies

        mailbox, failed = self.account.mailbox if self.account else "", False
        sender = (self.route.envelope_sender if self.route else "") or mailbox
        for finding in look(
            self.settings,
            self.network,
            self.credentials,
            mailbox,
            self.trace,
            sender=sender,
            tell_clock=self.tell_clock,
        ):
            failed = failed or finding.level is Level.FAIL
            yield finding
        yield from look_at_copies(
            self.settings, self.network, self.credentials, self.trace, may_connect=not failed
        )

    def close(self) -> None:
        """Take leave of the server without waiting for it."""
        copies, self._copies = self._copies, None
        if copies is not None:
            copies.close()
        line, self._line = self._line, None
        if line is None:
            return
        if self._process == os.getpid():
            line.close()
        else:  # the parent's connection: a word on it would end the parent's session
            line.drop()

    def _completed(self, receipt: Receipt, submission: Submission, journal: Journal) -> Receipt:
        """Return *receipt* with what became of the sent copy."""
        copy = self._copy(submission, journal, receipt)
        return attrs.evolve(receipt, copy=copy) if copy is not None else receipt

    def _copy(self, submission: Submission, journal: Journal, receipt: Receipt) -> Copy | None:
        """Have a sent copy of an accepted message, where that is wanted, and return what became of it."""
        known = hosts.host(self.settings.server)
        if known.files_copy:
            return Copy(CopyState.BY_CARRIER, known.provider)
        if self.settings.saved_copy is None:
            return None
        journal.accepted(receipt)
        return self._kept_copies().file(submission)

    def _kept_copies(self) -> Copies:
        if self._copies is None:
            from .copies import Copies

            self._copies = Copies(self.settings, self.network, self.credentials, self.trace)
        return self._copies

    def _answered(self, attempt: Attempt, waiting: _Attempts) -> Receipt | PillarboxError:
        try:
            return self._submit(*attempt, waiting)
        except PillarboxError as error:
            return error

    def _submit(self, submission: Submission, journal: Journal, waiting: _Attempts) -> Receipt:
        """Announce *submission*, hand it over with the announcement of the next, and return the server's word."""
        try:
            line, transaction, answers = self._announced(submission)
            following = waiting.prepare(line)
            with journal.handing_over():
                return line.connection.run(line.session.content(transaction, answers, following))
        except OutcomeUnknown:
            if waiting.has_prepared:
                lockstep.remember(self.settings.server, self.settings.port)
            raise
        finally:
            self._drop_unless_kept()

    def _announced(self, submission: Submission) -> tuple[Line, Transaction, Mapping[str, Answer]]:
        """Return the line on which the server waits for the content of *submission*.

        A line that was used before and turns out to be closed is replaced, once: nothing has left.

        Raises:
            PillarboxError: The server does not want it, or can't be reached; nothing left.
        """
        line = self._kept_line(submission)
        if line is not None:
            try:
                return line, *line.announce(submission)
            except SendDeferred:
                if not line.session.gone:
                    raise
                line.drop()
        line = self._new_line()
        return line, *line.announce(submission)

    def _kept_line(self, submission: Submission) -> Line | None:
        """Return the line of the last message where it may carry *submission*; otherwise it is closed."""
        line = self._line
        if line is not None and self._process == os.getpid() and line.is_usable(submission):
            return line
        self.close()
        return None

    def _new_line(self) -> Line:
        from .line import Line

        self._line, self._process = None, os.getpid()
        self._line = Line.open(self.settings, self.network, self.credentials, self.trace)
        return self._line

    def _drop_unless_kept(self) -> None:
        """Cut a line on which no command may follow, above all one where the server waits for content."""
        if self._line is not None and not self._line.may_be_kept:
            self._line.drop()
            self._line = None

    def _leave_announced(self) -> None:
        """Cut the line on which a message was announced that nobody will hand over now."""
        if self._line is not None and self._line.session.ahead is not None:
            self._line.drop()
            self._line = None

    @classmethod
    def limits(cls, settings: Any) -> Limits:
        """Return how many connections the settings allow, and how often a known server may be used."""
        return Limits(concurrency=settings.connections, per_minute=hosts.host(settings.server).per_minute)

    @classmethod
    def describe(cls, settings: Any) -> Description:
        """Return the account in words."""
        known = hosts.host(settings.server)
        return Description(
            sign_in=_sign_in(settings),
            via=f"{_shown(settings.server)}:{settings.port}, {_PROTECTION[settings.encryption]}{_by_proxy(settings)}",
            copy=_copy(settings, known.provider if known.files_copy else ""),
        )

    @classmethod
    def outbound(cls, settings: Any) -> Outbound | None:
        """Return the provider's name for SPF, or else the server; of a provider that names none, nothing."""
        known = hosts.host(settings.server)
        if known.spf:
            return Outbound(include=known.spf)
        return None if known.provider else Outbound(server=settings.server)

    @classmethod
    def identity(cls, settings: Any) -> str | None:
        """Return the user name that must equal the owner's address, unless the settings say it may differ (rule 16)."""
        return settings.username if settings.authenticate and not settings.username_differs else None

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return that SMTP itself can't look; whether IMAP can depends on the settings."""
        return Capabilities(
            note="SMTP can't be asked whether a message was sent. One that is in doubt is looked for by IMAP where the"
            " provider files sent mail or saved_copy is set; else it waits for a person."
        )

    @classmethod
    def warnings(cls, settings: Any) -> tuple[str, ...]:
        """Return what is doubtful about *settings*."""
        known = hosts.host(settings.server)
        return (
            *warnings(settings),
            *saved_copy_warnings(settings, known.provider if known.files_copy else ""),
        )


def _shown(server: str) -> str:
    return f"[{server}]" if ":" in server else server


def _copy(settings: SmtpSettings, provider: str) -> str:
    copy = settings.saved_copy
    if provider:
        return f"filed by {provider}"
    if copy is None:
        return "not kept by SMTP; add saved_copy to file one in Sent"
    return f"filed in {copy.folder or 'Sent'} at {_shown(copy.server)}:{copy.port}, by IMAP"


def _noted(attempts: Iterable[Attempt], pulled: collections.deque[Attempt]) -> Iterator[Attempt]:
    """Give *attempts* on, and keep those that were *pulled*."""
    for attempt in attempts:
        pulled.append(attempt)
        yield attempt


def _by_proxy(settings: SmtpSettings) -> str:
    return f", through {settings.proxy}" if settings.proxy else ""


def _sign_in(settings: SmtpSettings) -> str:
    if not settings.authenticate:
        return "does not sign in"
    by = f", with {settings.sign_in}" if settings.sign_in else ""
    return f"signs in as {settings.username}{by}"


class _Attempts:
    """The attempts of a batch, of which one may be looked at before it is taken.

    Attributes:
        has_prepared: Whether the commands of the next were written behind the content in hand.
    """

    def __init__(self, attempts: Iterable[Attempt]) -> None:
        self._source = iter(attempts)
        self._next: Attempt | None = None
        self._failed: Exception | None = None
        self.has_prepared = False

    def take(self) -> Attempt | None:
        """Return the next, or None behind the last."""
        if self._failed is not None:
            raise self._failed
        attempt, self._next = self._next, None
        return attempt if attempt is not None else next(self._source, None)

    def prepare(self, line: Line) -> Transaction | None:
        """Return the next as it can be announced on *line* behind the content of this one; None where it can't.

        What is wrong with it, or with pulling it, is told in its own turn.
        """
        self.has_prepared = False
        if not line.takes_ahead:
            return None
        try:
            self._next = next(self._source, None)
        except Exception as error:  # noqa: BLE001  (the caller's own; kept until the message in hand is answered)
            self._failed = error
        try:
            following = line.prepare(self._next[0]) if self._next is not None else None
        except MessageError:
            return None
        self.has_prepared = following is not None
        return following
