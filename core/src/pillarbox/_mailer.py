"""Mailer: the one object a host holds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import attrs

from . import _log, _secrets, _telemetry
from ._advising import Advising
from ._batch import deliver_many
from ._composition import compose
from ._connecting import Connecting
from ._connectors import Connection
from ._delivery import deliver
from ._directory import Directory, MemoryDirectory
from ._dns import Dns
from ._drafting import Drafting
from ._errors import PillarboxError, SendDeferred, SendError, SettingsError
from ._keeping import Keeping, history_of
from ._lanes import Lane, Lanes
from ._locks import ThreadLock
from ._mail import Receipt, Submission
from ._message import Message
from ._network import Network
from ._options import require_options
from ._outbox import Outbox, OutboxSettings, steps
from ._outbox.recovery import rescue
from ._plugins import Plugins, asked, fault
from ._proofs import Proofs
from ._queueing import (
    entry_of,
    opened,
    outbox_settings,
    shared_vault,
)
from ._records import refuse_actor
from ._reporting import Reporting
from ._resolution import AccountName, resolve
from ._route import Attempt, Finding, Level, Route
from ._schema import Role
from ._sending import Deadline, Entries, Kept, Switch, through, within
from ._settings import Account, Actor, Company, User, plain_settings
from ._transports import Journal, Proof, Transport
from ._vault import AccountCredentials, Vault

if TYPE_CHECKING:
    from ._event_source import EventSource

Trace = Callable[[str], None]
MOST_ROUTES = 200_000
"""The most routes that are remembered."""


class Mailer(Connecting, Keeping, Drafting, Advising, Reporting):
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
        self.history: Outbox | None = history_of(history, outbox)
        self._queue_settings = queue
        self._beside: Path | None = None
        self._queue: Outbox | None = outbox
        self._senders: dict[int, str] = {}
        self._guard = ThreadLock()
        self._plugins = plugins
        self._private = Network(private=tuple(private_networks)).private
        self._apps = dict(apps or {})
        self._lanes = Lanes()
        self._dns = Dns()
        self._proofs = Proofs()
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
            vault=directory.plugins.vault(Path(path), shared_vault(settings, outbox)),
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

    def explain(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        account: AccountName | None = None,
        as_if: Company | User | None = None,
    ) -> Route:
        """Return whose account would carry *user*'s mail and which address would show, with the reasons.

        It looks at settings and at what sign-ins learned. One thing is asked of the carrier, for `from_policy = "send_as"`
        and where a transport can tell: whether the account may show the user's address; the answer is good for ten minutes.

        Args:
            user: Who writes; None for mail that nobody in particular writes, or for the user of *as_if*.
            company: Which, where the directory knows several.
            account: `company` or `personal`, to ask for another account than the user's choice.
            as_if: Settings of the company, or of the user, that stand in the place of the saved ones (`would_keep`).
                Nobody is asked for a proof of them.

        Raises:
            SettingsError: It could not be sent: says why, and the cure.
            Unavailable: The method is not installed.
        """
        if as_if is not None:
            there, who = self._as_if(user, company, as_if)
            learned = self._connections(there)
            return resolve(there, who, transports=self.plugins, connections=learned, account=account)
        found, who = self.directory.look_up(user, company)
        known = self._routes.get((user, company, account))
        if known is not None and known[0] is found and known[1] is who:
            return known[2]
        connections, asked_about = self._connections(found), []

        def may_show(of: Account, address: str) -> Proof | None:
            asked_about.append(address)
            return self._proofs.of(self.plugins[of.method], of, address, self._transport)

        route = resolve(
            found, who, transports=self.plugins, connections=connections, account=account, may_show=may_show
        )
        # What a sign-in has learned, or a carrier has proven, may change.
        if not (asked_about or self._connector_of(route.account)):
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
        require_options(message, route.account.method, self.plugins)
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
        batch = Entries(
            self._kept, route, lambda one: require_options(one, route.account.method, self.plugins)
        )
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
        send: bool = False,
        deadline: float = 60.0,
        as_if: Company | User | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Iterator[Finding]:
        """Yield what is found of the account that would carry *user*'s mail, stage by stage; nothing is sent unless asked for.

        Args:
            user: Whose mail; None for the company's.
            company: Which, where the directory knows several.
            account: `company` or `personal`, to look at another account than the user's choice.
            trace: Takes lines of the conversation, redacted.
            send: Whether to send a test mail as well, once, from the address that shows to that address, and to look
                where it is seen; not where an earlier stage fails.
            deadline: Seconds for sending it, and again for following it.
            as_if: Settings that are looked at in the place of the saved ones, as `would_keep` returned them.
            typed: Secrets that somebody has just typed, by field, to be tried before they replace those that are kept.
        """
        from ._check import check
        from ._trial import trial

        def make(route: Route) -> Transport:
            return self._make(route.account, trace, typed)

        yield from check(
            lambda: self.explain(user, company=company, account=account, as_if=as_if),
            make,
            self._sign_in_findings,
            self._domain_findings,
            (lambda route: trial(route, make, seconds=deadline, told=self._told)) if send else None,
        )

    def _domain_findings(self, route: Route) -> Iterator[Finding]:
        """Yield what is found of the domain, where it is known from where the carrier's mail comes."""
        from ._domain import look_at_domain

        try:
            outbound = asked(self.plugins[route.account.method], "outbound", route.account.settings)
        except PillarboxError as error:
            yield Finding("domain", Level.SKIP, "domain-not-asked", error.detail, error.cure)
            return
        if outbound is not None:
            yield from look_at_domain(route, outbound, self._dns)

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
        """Give the user *old* the id *new*; what vault and outbox hold of them goes along, but tokens of their computers end.

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
        _secrets.destroy(self.vault, after + _secrets.AGENT)  # a token names its user
        for outbox in (self.existing_queue, self.history):
            if outbox is not None:
                outbox.renamed(found.id, old, new)

    def remove_user(self, user: str, *, by: Actor, company: str | None = None) -> None:
        """Forget the user, revoke their connection and destroy what the vault holds for them; the history stays (rule 7).

        Raises:
            SettingsError: There is none.
        """
        found, who = self.directory.look_up(user, company)
        if who is None:
            raise SettingsError("Name the user to remove.")
        self.directory.remove(user, by=by)  # the first: it refuses whoever may not
        try:
            self._revoke(found, who)
        finally:
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

    def _make(
        self, account: Account, trace: Trace | None, typed: Mapping[str, str] | None = None
    ) -> Transport:
        cls = self.plugins[account.method]
        try:
            cls.require_platform(account.settings)
            made = cls(account.settings, self._credentials(account, typed), trace=_harmless(trace))
        except PillarboxError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin's fault)
            problem = fault(cls, error)
        else:
            made.account = account
            made.app = self._registered(cls.connector).app if cls.connector else None
            made.network = self._network_of(account)
            return made
        raise problem

    def _source(self, transport: type[Transport], account: Account, trace: Trace | None) -> EventSource:
        assert transport.events is not None
        try:
            made = transport.events(account.settings, self._credentials(account), trace=_harmless(trace))
        except PillarboxError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin's fault)
            problem = fault(transport, error)
        else:
            made.account = account
            made.network = self._network_of(account)
            return made
        raise problem

    def _network_of(self, account: Account) -> Network:
        return Network(trusted=account.typed_by is Role.DEPLOYER, private=self._private)

    def _credentials(self, account: Account, typed: Mapping[str, str] | None = None) -> AccountCredentials:
        name = self._connector_of(account)
        if not name:
            return _secrets.credentials(account, self.vault, None, typed=typed)
        registered = self._registered(name)
        bound = _secrets.sign_in_bound_to(account, name, registered.app)
        return _secrets.credentials(account, self.vault, self._refresh_of(account, registered), bound, typed)

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


def _harmless(trace: Trace | None) -> Trace | None:
    """Return the host's *trace*; where it raises, nothing changes of what is being sent."""
    if trace is None:
        return None

    def line(text: str) -> None:
        try:
            trace(text)
        except Exception as error:  # noqa: BLE001  (a host's listener decides nothing about the mail)
            _log.event("warning", "pillarbox.trace_failed", error=type(error).__name__)

    return line
