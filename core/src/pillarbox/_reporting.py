"""What a mailer does with reports: asks a provider for them, takes those of its web hooks, and keeps each once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import _log
from ._errors import MessageError, SendDeferred, SettingsError, Unavailable

if TYPE_CHECKING:
    from ._directory import Directory
    from ._event_source import EventSource
    from ._outbox import Outbox
    from ._plugins import Plugins
    from ._reports import Recorded, Report
    from ._resolution import AccountName
    from ._route import Route
    from ._settings import Account
    from ._transports import Transport

MOST_LOOKS = 20
"""The most pages of reports that one call of `poll_reports` asks for."""
LONGEST = 300.0
"""Seconds after which it asks for no further page; the next call goes on there."""


class Reporting:
    """The part of a `Mailer` that hears what became of mails. Nothing that was accepted is changed by it."""

    directory: Directory
    history: Outbox | None

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

        @property
        def existing_queue(self) -> Outbox | None: ...

        def explain(
            self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
        ) -> Route: ...

        def _source(
            self, transport: type[Transport], account: Account, trace: Callable[[str], None] | None
        ) -> EventSource: ...

    def record(
        self, reports: Iterable[Report], *, company: str | None = None, owner: str | None = None
    ) -> Recorded:
        """Keep what a provider said of mails; each report once, whatever the order or repetition.

        The slip of a mail (``pillarbox outbox show``) shows them. What was accepted stays accepted, and nothing is sent again.

        Args:
            reports: What `EventSource.parse` gave, or a host's own; all are read before one is kept.
            company: Whose mail they may be about, where the directory knows several.
            owner: Of which accounts of theirs: `company`, `user:<id>`; all by default.

        Raises:
            SettingsError: There is no outbox, and so nothing to say it of.
            MessageError: More than 10,000 at once.
        """
        from ._reports import MOST_REPORTS

        found, _ = self.directory.look_up(None, company)
        given = list(itertools.islice(reports, MOST_REPORTS + 1))
        if len(given) > MOST_REPORTS:
            raise MessageError(f"More than {MOST_REPORTS:,} reports at once.", cure="Give them in pieces.")
        return self._recorded(given, found.id, owner)

    def events(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        account: AccountName | None = None,
        trace: Callable[[str], None] | None = None,
    ) -> EventSource:
        """Return where the account that carries *user*'s mail tells what became of mails: its `parse` takes web hooks.

        Raises:
            SettingsError: There is no account to send by.
            Unavailable: Its method tells nothing afterwards.
        """
        return self._events_of(self.explain(user, company=company, account=account).account, trace)

    def poll_reports(
        self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
    ) -> Recorded:
        """Ask the account that carries *user*'s mail what has become of mails since the last time, and keep it.

        Only mail of that account is looked at: whoever can write into a person's mailbox says nothing of another's mail.

        Raises:
            SettingsError: There is no account to send by, or no outbox.
            Unavailable: Its method can't be asked.
            SendDeferred, SignInNeeded: It can't be asked now; what came before is kept, and the next call goes on there.
        """
        from ._reports import MOST_REPORTS, Recorded

        asked = self.explain(user, company=company, account=account).account
        outbox, sums = self._told_of(), Recorded()
        source = self._events_of(asked, None)
        try:
            until = time.monotonic() + LONGEST
            for _ in range(MOST_LOOKS):
                polled = source.poll(outbox.cursor(asked.key))
                if len(polled.reports) > MOST_REPORTS or len(polled.cursor) > 1_000:
                    raise SendDeferred(f"{asked.method} gave more reports at once than are taken.")
                sums += self._recorded(polled.reports, asked.company, asked.owner, asked.key, polled.cursor)
                if not polled.more or time.monotonic() > until:
                    break
        finally:
            source.close()
        return sums

    def _recorded(
        self,
        reports: Iterable[Report],
        company: str,
        owner: str | None,
        source: str = "",
        cursor: str = "",
    ) -> Recorded:
        given = list(reports)
        done = self._told_of().record(given, company=company, owner=owner, source=source, cursor=cursor)
        if given:
            _log.event("info", "pillarbox.reported", new=done.new, again=done.again, unknown=done.unknown)
        return done

    def _told_of(self) -> Outbox:
        outbox = self.existing_queue or self.history
        if outbox is None:
            raise SettingsError(
                "There is no outbox, so nothing is known of which mail a report is about.",
                cure="Send by an outbox, or give the mailer a history.",
            )
        return outbox

    def _events_of(self, account: Account, trace: Callable[[str], None] | None) -> EventSource:
        transport = self.plugins[account.method]
        if transport.events is None:
            raise Unavailable(
                f"{transport.label or account.method} tells nothing of mails after it took them.",
                cure="Answers to bounces come as mail: look into the mailbox of the envelope's sender.",
            )
        return self._source(transport, account, trace)
