"""What a mailer does with its outbox: keeps mail for later, says how it stands, and goes on from a mended account."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _desk, _log, _moving, _telemetry
from ._composition import aware, compose
from ._directory import Directory
from ._errors import PillarboxError, SettingsError
from ._locks import ThreadLock
from ._message import Message
from ._moving import Stranded
from ._options import require_options
from ._outbox import Entry, Only, Outbox, OutboxSettings, Worker
from ._outbox.entry import AT_ONCE
from ._plugins import Plugins, asked
from ._queueing import MailerPost, digest_of, embedded_path, entry_of, in_parts, opened, submission_key
from ._resolution import AccountName
from ._route import Route
from ._settings import Account, Company, User
from ._status import AccountStatus, Health
from ._transports import Transport

if TYPE_CHECKING:
    from ._delivery import Told

TOGETHER = 100
"""The most messages of `enqueue_many` that are kept in one write."""


class Keeping:
    """The half of a `Mailer` that keeps. Whose account carries a mail, and by what, is the other half's to say."""

    directory: Directory
    _queue: Outbox | None
    _queue_settings: OutboxSettings | None
    _beside: Path | None
    _guard: ThreadLock

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

        def _sign_in_problem(self, owner: str, company: str) -> PillarboxError | None: ...

        @property
        def _told(self) -> Told | None: ...

        def explain(
            self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
        ) -> Route: ...

        def _transport(self, account: Account) -> AbstractContextManager[Transport]: ...

    @property
    def queue(self) -> Outbox:
        """The outbox that `enqueue` and `worker` use: the one that was given, else the embedded one beside the settings file.

        Raises:
            SettingsError: There is none, and no settings file beside which it could lie.
        """
        with self._guard:
            if self._queue is None:
                if self._beside is None:
                    raise SettingsError(
                        "There is no outbox to keep it in.", cure="Give one: Mailer(directory, outbox=...)"
                    )
                self._queue = opened(self.plugins, self._rules, self._beside)
            return self._queue

    @property
    def existing_queue(self) -> Outbox | None:
        """The outbox where there is one already, else None: what only looks makes none."""
        if self._queue is None and self._beside is not None and self._rules.kind == "sqlite":
            return self.queue if embedded_path(self._rules, self._beside).exists() else None
        return self.queue if self._queue is not None or self._beside is not None else None

    @property
    def _rules(self) -> OutboxSettings:
        return self._queue_settings or OutboxSettings()

    def enqueue(
        self,
        message: Message,
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
        key: str | None = None,
        not_before: dt.datetime | None = None,
        priority: int = 0,
        within: Any = None,
    ) -> Entry:
        """Keep *message* in the outbox, durably, for a worker to send; return its entry.

        Who carries it, who it is from and its bytes are frozen now; passwords and tokens are looked up when it is sent.

        Args:
            message: What to send.
            user: Who writes, as in `send`.
            company: Which, as in `send`.
            account: Whose account, as in `send`.
            key: The host's own name for this message, an idempotency key: the same key again with the same message
                changes nothing and returns the entry that is there.
            not_before: When it may start, aware; at once by default.
            priority: The higher, the earlier among those due in the account's lane.
            within: The host's own database connection, in whose transaction it is kept: with the invoice, or not at all.
                Only for an outbox in that very database.

        Raises:
            SettingsError, Unavailable: There is no account to send by, or the outbox is not where *within* leads.
            MessageError: It can't be sent as it is, or *key* is taken by other content.
        """
        route = self.explain(user, company=company, account=account)
        return self._put(self._entries(message, route, user, account, key, not_before, priority), within)[0]

    def enqueue_many(
        self,
        messages: Iterable[Message],
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
        not_before: dt.datetime | None = None,
        priority: int = 0,
    ) -> list[Entry | PillarboxError]:
        """Keep several messages of one writer, a hundred of them in one durable write; one answer for each, in order.

        A message that can't be sent as it is does not stop the others.

        Raises:
            SettingsError, Unavailable: There is no account to send by; nothing is kept.
        """
        route = self.explain(user, company=company, account=account)
        answers: list[Entry | PillarboxError] = []
        waiting = iter(messages)
        while some := list(itertools.islice(waiting, TOGETHER)):
            made: list[list[Entry] | PillarboxError] = []
            for message in some:
                try:
                    made.append(self._entries(message, route, user, account, None, not_before, priority))
                except PillarboxError as error:
                    made.append(error)
            self._put([entry for one in made if isinstance(one, list) for entry in one])
            answers += [one[0] if isinstance(one, list) else one for one in made]
        return answers

    def _put(self, entries: list[Entry], within: Any = None) -> list[Entry]:
        kept = self.queue.put(entries) if within is None else self.queue.put_in(within, entries)
        for entry in kept:
            _log.event("info", "pillarbox.enqueued", submission=entry.key, method=entry.method)
        return kept

    def _entries(
        self,
        message: Message,
        route: Route,
        user: str | None,
        account: AccountName | None,
        key: str | None,
        not_before: dt.datetime | None,
        priority: int,
    ) -> list[Entry]:
        """Return the outbox's entry of *message*, or those of its parts."""
        require_options(message, route.account.method, self.plugins)
        name = None if key is None else submission_key(route.account.company, key)
        submission = compose(message, route, key=name)
        digest = "" if name is None else digest_of(message, name, user, account)
        due = AT_ONCE if not_before is None else aware(not_before)
        entry = entry_of(submission, route, message, digest=digest, due_at=due, priority=priority)
        transport = self.plugins[route.account.method]
        limits = asked(transport, "limits", route.account.settings)
        return in_parts(entry, limits, takes_envelope=transport.takes_envelope)

    def worker(self, *, methods: Iterable[str] | None = None, user: str | None = None) -> Worker:
        """Return a worker for this mailer's outbox: `run` it, or `start` it in a thread of the host.

        Args:
            methods: Only the lanes of these methods; all by default.
            user: Only what this user wrote, and what the mail program on their computer carries, which nobody else's
                worker is given.
        """
        only = Only(
            methods=None if methods is None else frozenset(methods),
            users=None if user is None else frozenset({user}),
        )
        _telemetry.watch(self.queue)
        return self.queue.worker(self._post(), self._rules, only)

    def _post(self) -> MailerPost:
        return MailerPost(self.directory, self.plugins, self._transport, lambda: self._told)

    def status(self, user: str | None = None, *, company: str | None = None) -> list[AccountStatus]:
        """Return how each account stands, with one sentence: what waits, why, and what comes next.

        Args:
            user: Only the account that carries this user's mail and what they wrote themselves; everybody's by default.
            company: Which, where the directory knows several.

        Raises:
            SettingsError: There is no such user, or *user* can't send: says why.
        """
        return _desk.statuses(self, user, company)

    def health(self, *, company: str | None = None) -> Health:
        """Return how the outbox stands as a whole, for a monitor."""
        return _desk.summary(self, company)

    def send_again(self, key: str, *, anyway: bool = False, by: str = "") -> Entry:
        """Keep once more, on purpose, what the outbox has under *key*, and return the new entry.

        It has a Message-ID and a Date of its own; the rest is byte for byte the same. It goes to all who were to get the
        first, by the same account.

        Args:
            key: The entry's, or the start of it.
            anyway: Also while it is not known whether the first was sent.
            by: Who wishes it, for the log.

        Raises:
            OutboxError: There is no such entry, it has not been sent a first time, its bytes are erased, its account is
                another one by now; or it may have been sent, and *anyway* was not said.
        """
        return _desk.send_again(self, key, by, anyway=anyway)

    def stranded(self, user: str | None = None, *, company: str | None = None) -> list[Stranded]:
        """Return what waits for the account of a user, or of the company, as it was before it was changed (rule 27).

        Each says whether it may go by the account as it is now: its From stays the same, and no attempt of it may have been
        accepted. The rest is held until a person decides.

        Args:
            user: Whose account; None for the company's.
            company: Which, where the directory knows several.
        """
        return _moving.stranded(self, user, company)

    def move(self, key: str, *, by: str = "") -> Entry:
        """Let an entry go by the account that carries its writer's mail now. Its bytes stay as they are.

        Raises:
            OutboxError: It may not: says why.
            SettingsError, Unavailable: There is no account that carries it.
        """
        return _moving.move(self, key, by)

    def _try_to_resume(self, record: Company | User, company: str | None) -> None:
        """Go on with what waited; an outbox that fails changes nothing of what was kept elsewhere."""
        try:
            self.mended(record, company=company)
        except Exception as error:  # noqa: BLE001
            _log.event("error", "pillarbox.outbox_failed", error=type(error).__name__)

    def mended(self, record: Company | User, *, company: str | None = None) -> list[str]:
        """Go on with the mail of *record*'s account that waited for its settings; return what was paused.

        `set_secret` and `keep_secret` do so by themselves; call it after `Directory.save`.
        """
        return _moving.mended(self, record, company)


def history_of(given: Outbox | str | Path | None, outbox: Outbox | None) -> Outbox | None:
    """Return the history that was *given*, opened where it is a path.

    Raises:
        SettingsError: There is an outbox, which keeps its own.
    """
    if given is not None and outbox is not None:
        raise SettingsError("An outbox keeps the history itself.", cure="Give either an outbox or a history.")
    if isinstance(given, (str, Path)):
        from ._outbox.sqlite import SqliteOutbox

        return SqliteOutbox(given)
    return given
