"""Mailer: the one object a host holds."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn, Self

import attrs

from . import _desk, _log, _moving, _secrets, _telemetry
from ._batch import deliver_many
from ._composition import aware, compose
from ._delivery import Outcome, deliver
from ._directory import Directory, MemoryDirectory
from ._errors import PillarboxError, SendDeferred, SendError, SettingsError
from ._lanes import Lane, Lanes
from ._locks import ThreadLock
from ._mail import Receipt, Submission
from ._message import Message
from ._moving import Stranded
from ._network import Network
from ._outbox import Entry, Only, Outbox, OutboxSettings, Worker, steps
from ._outbox.entry import AT_ONCE
from ._outbox.recovery import rescue
from ._plugins import Plugins, asked, fault
from ._queueing import (
    MailerPost,
    digest_of,
    embedded_path,
    entry_of,
    in_parts,
    opened,
    outbox_settings,
    submission_key,
)
from ._records import refuse_actor
from ._resolution import AccountName, resolve
from ._route import Attempt, Finding, Route
from ._schema import Role
from ._sending import Deadline, Kept, Switch, through, within
from ._settings import Account, Actor, Company, User, plain_settings, secrets_of
from ._status import AccountStatus, Health
from ._transports import Connection, Journal, Transport
from ._vault import AccountCredentials, Credentials, Vault

Trace = Callable[[str], None]
TOGETHER = 100
"""The most messages of `enqueue_many` that are kept in one write."""
MOST_ROUTES = 200_000
"""The most routes that are remembered."""


class Mailer:
    """Sends a host's mail by the right account. One for a process; safe between threads and across a fork.

    Args:
        directory: Who the company and its users are.
        vault: Where their secrets are; without one, only environment and file references can be followed.
        outbox: Where submissions are kept; without one, an attempt's journal is in memory.
        history: An outbox, or the path of one's file, that keeps what `send` did and what came of it, where there is no
            outbox: to be searched and shown. No worker sends any of it; what may have been sent is held.
        queue: What `[outbox]` says, for the outbox that `enqueue` and `worker` use where none is given.
        plugins: What is installed; by default what the directory allows, else whatever is.
        private_networks: Networks that may be reached although they are not public, for servers that a person
            typed (rule 38): `("10.0.0.0/8",)`.
        apps: The registrations of connectors, by name, as plain values.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        vault: Vault | None = None,
        outbox: Outbox | None = None,
        history: Outbox | str | Path | None = None,
        queue: OutboxSettings | None = None,
        plugins: Plugins | None = None,
        private_networks: Iterable[str] = (),
        apps: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.vault = vault
        self.outbox = outbox
        self.history = _history(history, outbox)
        self._queue_settings = queue
        self._beside: Path | None = None
        self._queue: Outbox | None = outbox
        self._senders: dict[int, str] = {}
        self._guard = ThreadLock()
        self._plugins = plugins
        self._private = Network(private=tuple(private_networks)).private
        self._apps = dict(apps or {})
        self._lanes = Lanes()
        self._routes: dict[tuple[str | None, str | None, str | None], tuple[Company, User | None, Route]] = {}

    @classmethod
    def open(
        cls, path: str | Path = "pillarbox.toml", *, history: Outbox | str | Path | None = None
    ) -> Mailer:
        """Return a mailer for the settings file at *path*, with the vault that is installed, if one is.

        Args:
            path: The settings file.
            history: As for `Mailer`.

        Raises:
            SettingsError: The file can't be used (on first use, when it is read).
        """
        from ._toml import TomlDirectory

        directory = TomlDirectory(path)
        settings = outbox_settings(directory.outbox)
        outbox = None if directory.outbox is None else opened(directory.plugins, settings, Path(path))
        mailer = cls(
            directory,
            vault=directory.plugins.vault(Path(path)),
            outbox=outbox,
            history=history,
            queue=settings,
            plugins=directory.plugins,
            private_networks=directory.deployment.private_networks,
            apps=directory.apps,
        )
        mailer._beside = Path(path)
        return mailer

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, prefix: str = "PILLARBOX_") -> Mailer:
        """Return a mailer for a company that environment variables describe (see `MemoryDirectory.from_environ`)."""
        return cls(MemoryDirectory.from_environ(environ, prefix))

    @property
    def plugins(self) -> Plugins:
        """What is installed and allowed."""
        if self._plugins is None:
            of_directory = getattr(self.directory, "plugins", None)
            self._plugins = of_directory if isinstance(of_directory, Plugins) else Plugins()
        return self._plugins

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
    def _standing(self) -> Outbox | None:
        """The outbox where there is one already: what only looks makes none."""
        if self._queue is None and self._beside is not None and self._rules.kind == "sqlite":
            return self.queue if embedded_path(self._rules, self._beside).exists() else None
        return self.queue if self._queue is not None or self._beside is not None else None

    @property
    def _rules(self) -> OutboxSettings:
        return self._queue_settings or OutboxSettings()

    def explain(
        self, user: str | None = None, *, company: str | None = None, account: AccountName | None = None
    ) -> Route:
        """Return whose account would carry *user*'s mail and which address would show, with the reasons.

        Raises:
            SettingsError: It could not be sent: says why, and the cure.
            Unavailable: The method is not installed.
        """
        found, who = self.directory.look_up(user, company)
        known = self._routes.get((user, company, account))
        if known is not None and known[0] is found and known[1] is who:
            return known[2]
        connections = self._connections(found)
        route = resolve(found, who, transports=self.plugins, connections=connections, account=account)
        if not self._connector_of(route.account):  # what a sign-in learned may change in another process
            if len(self._routes) >= MOST_ROUTES:
                self._routes.clear()
            self._routes[user, company, account] = (found, who, route)
        return route

    def send(
        self,
        message: Message,
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
        deadline: float | None = None,
        trace: Trace | None = None,
    ) -> Receipt:
        """Send *message* now and return the carrier's word.

        Args:
            message: What to send.
            user: Who writes; None for mail that nobody in particular writes, which the company sends.
            company: Which, where the directory knows several.
            account: `company` or `personal`, to use another account than the user's choice.
            deadline: Seconds after which this returns in any case, but for the directory's own time.
            trace: Takes lines of the conversation, redacted.

        Raises:
            SettingsError, Unavailable, MessageError: Nothing left.
            SendRejected, SendDeferred, SignInNeeded: Nothing left. A passed deadline before the hand-over is deferred.
            OutcomeUnknown: Handed over, and no answer came (in time).
        """
        return self._send(message, Switch(), user, company, account, Deadline(deadline), trace)

    def _send(
        self,
        message: Message,
        switch: Switch,
        user: str | None,
        company: str | None,
        account: AccountName | None,
        deadline: Deadline,
        trace: Trace | None = None,
        *,
        watched: bool = True,
    ) -> Receipt:
        """Send, by the *deadline* if *watched*; else its caller watches, and the deadline bounds only the wait for a place."""
        route = self.explain(user, company=company, account=account)
        submission = compose(message, route)
        if switch.is_off() or deadline.left == 0:
            raise SendDeferred(
                "The deadline passed before anything was begun; nothing left.", stage="deadline"
            )
        kept = self._kept(submission, route, message)
        journal = kept.journal if kept is not None else Journal()
        switch.governs(journal, kept.key if kept is not None else "")

        def attempt() -> Receipt:
            with self._transport(route.account, trace, deadline.left) as transport:
                return deliver(submission, journal, transport, self._told)

        work = attempt if kept is None else lambda: through(kept, attempt)
        try:
            return within(deadline, switch, work) if watched else work()
        except SendError:
            if kept is not None and switch.is_off():
                kept.cancel()
            raise

    def _kept(self, submission: Submission, route: Route, message: Message) -> Kept | None:
        """Return the outbox's entry of a send, or the history's; None where neither is kept."""
        outbox = self.outbox or self.history
        if outbox is None:
            return None
        return Kept(outbox, entry_of(submission, route, message), self._sender(outbox))

    def _sender(self, outbox: Outbox) -> str:
        """Return the name under which this process claims what it sends itself; a history is first told of the dead."""
        with self._guard:
            if os.getpid() not in self._senders:
                if outbox is self.history:
                    rescue(outbox)
                kind = steps.HISTORY if outbox is self.history else "send"
                self._senders = {os.getpid(): outbox.enter(kind)}
            return self._senders[os.getpid()]

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
            user: Only what this user wrote.
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

    def send_many(
        self,
        messages: Iterable[Message],
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
    ) -> list[Receipt | PillarboxError]:
        """Send several messages of one writer over one connection; one answer for each, in order.

        All of *messages* is read before anything leaves. A message that fails does not stop the others; a refused
        sign-in, or a server that can't be reached, is the answer for those behind it too.

        Raises:
            SettingsError, Unavailable: There is no account to send by; nothing left.
        """
        route = self.explain(user, company=company, account=account)
        batch = _Entries(self._kept, route)
        attempts = map(batch.begin, list(messages))
        try:
            with self._transport(route.account) as transport:
                return [batch.end(outcome) for outcome in deliver_many(attempts, transport, self._told)]
        finally:
            batch.leave()

    def check(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        account: AccountName | None = None,
        trace: Trace | None = None,
    ) -> Iterator[Finding]:
        """Yield what is found of the account that would carry *user*'s mail, stage by stage; nothing is sent."""
        from ._check import check

        yield from check(
            lambda: self.explain(user, company=company, account=account),
            lambda route: self._make(route.account, trace),
        )

    def keep_secret(
        self, record: Company | User, field: str, value: str, *, company: str | None = None
    ) -> None:
        """Seal *value* as the secret that *field* of *record*'s method refers to in the vault.

        It is bound to the settings of *record*, which have to refer to the vault: `{ vault = "smtp" }`.

        Raises:
            Unavailable: There is no vault, or it has no key.
            SettingsError: The settings can't be used, or the field does not refer to the vault.
        """
        found, _ = self.directory.look_up(None, company)
        _secrets.seal(self.vault, self.plugins, record, field, value, found.id)
        self._try_to_resume(record, company)

    def set_secret(self, record: Company | User, field: str, value: str, *, by: Actor) -> None:
        """Seal *value* as the secret *field* of *record*'s method, and save the settings that refer to it.

        Raises:
            Unavailable, SettingsError: As `keep_secret` and `Directory.save`.
        """
        _secrets.required(self.vault)
        before = plain_settings(record.methods.get(record.method, {}))
        table = {**before, field: {"vault": record.method}}
        changed = attrs.evolve(record, methods={**record.methods, record.method: table})
        refuse_actor(record, by)
        if before != table:
            self.directory.save(changed, version=record.version, by=by)
        self.keep_secret(changed, field, value)

    def rename_user(self, old: str, new: str, *, by: Actor, company: str | None = None) -> None:
        """Give the user *old* the id *new*; what vault and outbox hold of them goes along.

        Raises:
            SettingsError: There is no user *old*, there is a user *new*, or *by* may not.
            Unavailable: The vault can't be used; nothing was renamed.
        """
        found, user = self.directory.look_up(old, company)
        if user is None:
            raise SettingsError("Name the user to rename.")
        before, after = (_secrets.prefix(found.id, attrs.evolve(user, id=one).owner) for one in (old, new))
        _secrets.try_out(self.vault, before)
        self.directory.rename(old, new, by=by)
        _secrets.move(self.vault, before, after)
        for outbox in (self._standing, self.history):
            if outbox is not None:
                outbox.renamed(found.id, old, new)

    def remove_user(self, user: str, *, by: Actor, company: str | None = None) -> None:
        """Forget the user and destroy what the vault holds for them; the history stays (rule 7).

        Raises:
            SettingsError: There is none.
        """
        found, who = self.directory.look_up(user, company)
        if who is None:
            raise SettingsError("Name the user to remove.")
        self.directory.remove(user, by=by)
        _secrets.destroy(self.vault, _secrets.prefix(found.id, who.owner))

    def _transport(
        self, account: Account, trace: Trace | None = None, wait: float | None = None
    ) -> AbstractContextManager[Transport]:
        """Return a context manager that gives a transport for *account*: a kept one, or its own where it is traced."""
        if trace is not None:
            return self._make(account, trace)
        return self._lanes.of(account, lambda: self._lane(account)).borrow(wait)

    def _lane(self, account: Account) -> Lane:
        limits = asked(self.plugins[account.method], "limits", account.settings)
        return Lane(account, limits.concurrency, lambda: self._make(account, None))

    def _make(self, account: Account, trace: Trace | None) -> Transport:
        cls = self.plugins[account.method]
        try:
            cls.require_platform()
            made = cls(account.settings, self._credentials(account), trace=trace)
        except PillarboxError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin's fault)
            problem = fault(cls, error)
        else:
            made.account = account
            made.network = Network(trusted=account.typed_by is Role.DEPLOYER, private=self._private)
            return made
        raise problem

    def _credentials(self, account: Account) -> AccountCredentials:
        secrets = secrets_of(account.settings)
        return AccountCredentials(
            prefix=_secrets.prefix(account.company, account.owner),
            secrets=secrets,
            destination=_secrets.bound_to(account),
            vault=self.vault,
            refresh=self._refresh(self._connector_of(account)),
            destinations={field: _secrets.bound_to(account, field) for field in secrets},
        )

    def _connector_of(self, account: Account) -> str:
        return getattr(account.settings, "sign_in", "") or self.plugins[account.method].connector

    def _refresh(self, connector: str) -> Callable[[Credentials, str], str] | None:
        if not connector:
            return None
        return lambda credentials, purpose: self.plugins.connector(connector).token(
            self._apps.get(connector, {}), credentials, purpose
        )

    def _connections(self, company: Company) -> Mapping[str, Connection]:
        return {} if self.vault is None else _secrets.Connections(self.vault, company.id)

    @property
    def _told(self) -> Callable[[Attempt], None] | None:
        return _telemetry.telling(self.plugins.tell_attempt)

    def close(self) -> None:
        """Let the kept connections and the outbox go. The mailer can be used again."""
        self._lanes.close()
        self._senders = {}
        for outbox in (self._queue, self.history):
            if outbox is not None:
                outbox.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Mailer holds connections and is not pickled: make one in each process.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _history(given: Outbox | str | Path | None, outbox: Outbox | None) -> Outbox | None:
    if given is not None and outbox is not None:
        raise SettingsError("An outbox keeps the history itself.", cure="Give either an outbox or a history.")
    if isinstance(given, (str, Path)):
        from ._outbox.sqlite import SqliteOutbox

        return SqliteOutbox(given)
    return given


class _Entries:
    """The outbox's entries of a batch, in its order; without an outbox, journals in memory."""

    def __init__(self, keep: Callable[[Submission, Route, Message], Kept | None], route: Route) -> None:
        self._keep = keep
        self._route = route
        self._begun: collections.deque[Kept | None] = collections.deque()

    def begin(self, message: Message) -> tuple[Submission, Journal] | PillarboxError:
        """Return *message* as an attempt, or why it can't be one."""
        kept = None
        try:
            submission = compose(message, self._route)
            kept = self._keep(submission, self._route, message)
        except PillarboxError as error:
            return error
        finally:
            self._begun.append(kept)
        return submission, kept.journal if kept is not None else Journal()

    def end(self, outcome: Outcome) -> Outcome:
        """Keep the *outcome* of the one that was begun first, and return it."""
        kept = self._begun.popleft()
        if kept is not None:
            kept.settle(outcome)
        return outcome

    def leave(self) -> None:
        """End the entries of those that nobody will hand over now."""
        for kept in self._begun:
            if kept is not None and kept.journal.call_off():
                kept.cancel()
