"""Mailer: the one object a host holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from ._accounts import method_settings
from ._batch import deliver_many
from ._composition import compose
from ._delivery import deliver
from ._directory import Directory, MemoryDirectory
from ._errors import OutcomeUnknown, PillarboxError, SendDeferred, SettingsError, Unavailable
from ._lanes import Lane, Lanes
from ._mail import Receipt, Submission
from ._message import Message
from ._network import Network
from ._plugins import Plugins
from ._resolution import AccountName, resolve
from ._route import Attempt, Finding, Route
from ._schema import Role, destination
from ._settings import Account, Actor, Company, User, plain_settings, secrets_of
from ._transports import Connection, Journal, Transport
from ._vault import SIGN_IN, VAULT_CURE, AccountCredentials, Credentials, Vault

if TYPE_CHECKING:
    from ._outbox import Outbox

Trace = Callable[[str], None]


class Mailer:
    """Sends a host's mail by the right account. One for a process; safe between threads and across a fork.

    Args:
        directory: Who the company and its users are.
        vault: Where their secrets are; without one, only environment and file references can be followed.
        outbox: Where submissions are kept; without one, an attempt's journal is in memory.
        plugins: What is installed; by default whatever is.
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
        plugins: Plugins | None = None,
        private_networks: Iterable[str] = (),
        apps: Mapping[str, Any] | None = None,
    ) -> None:
        self.directory = directory
        self.vault = vault
        self.outbox = outbox
        self._plugins = plugins
        self._private = Network(private=tuple(private_networks)).private
        self._apps = dict(apps or {})
        self._lanes = Lanes()
        self._routes: dict[tuple[str | None, str | None, str | None], tuple[Company, User | None, Route]] = {}

    @classmethod
    def open(cls, path: str | Path = "pillarbox.toml") -> Mailer:
        """Return a mailer for the settings file at *path*, with the vault that is installed, if one is.

        Raises:
            SettingsError: The file can't be used (on first use, when it is read).
        """
        from ._toml import TomlDirectory

        directory = TomlDirectory(path)
        return cls(
            directory,
            vault=directory.plugins.vault(Path(path)),
            plugins=directory.plugins,
            private_networks=directory.deployment.private_networks,
            apps=directory.apps,
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None, prefix: str = "PILLARBOX_") -> Mailer:
        """Return a mailer for a company that environment variables describe (see `MemoryDirectory.from_environ`)."""
        return cls(MemoryDirectory.from_environ(environ, prefix))

    @property
    def plugins(self) -> Plugins:
        """What is installed and allowed."""
        if self._plugins is None:
            self._plugins = Plugins()
        return self._plugins

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
            deadline: Seconds after which this returns in any case.
            trace: Takes lines of the conversation, redacted.

        Raises:
            SettingsError, Unavailable, MessageError: Nothing left.
            SendRejected, SendDeferred, SignInNeeded: Nothing left. A passed deadline before the hand-over is deferred.
            OutcomeUnknown: Handed over, and no answer came (in time).
        """
        return self._send(message, Journal(), user, company, account, deadline, trace)

    def _send(
        self,
        message: Message,
        journal: Journal,
        user: str | None,
        company: str | None,
        account: AccountName | None,
        deadline: float | None,
        trace: Trace | None,
    ) -> Receipt:
        route = self.explain(user, company=company, account=account)
        submission = compose(message, route)
        if self.outbox is not None:
            return self._through_outbox(self.outbox, submission, route, deadline, trace)
        return self._within(
            deadline, journal, lambda: self._deliver(submission, route.account, journal, trace)
        )

    def _deliver(
        self, submission: Submission, account: Account, journal: Journal, trace: Trace | None
    ) -> Receipt:
        with self._transport(account, trace) as transport:
            return deliver(submission, journal, transport, self._told)

    def _within(self, deadline: float | None, journal: Journal, attempt: Callable[[], Receipt]) -> Receipt:
        """Run *attempt*, for *deadline* seconds at most: then it is called off, or goes on unwatched if handed over."""
        if deadline is None:
            return attempt()
        watched = _Watched(attempt)
        if watched.wait(deadline):
            return watched.result()
        if journal.call_off():
            raise SendDeferred("The deadline passed before the hand-over; nothing left.", stage="deadline")
        if watched.wait(0):
            return watched.result()
        raise OutcomeUnknown(
            "The deadline passed after the hand-over; whether the message left is not known yet.",
            stage="deadline",
        )

    def _through_outbox(
        self,
        outbox: Outbox,
        submission: Submission,
        route: Route,
        deadline: float | None,
        trace: Trace | None,
    ) -> Receipt:
        """Send with the outbox's journal. An error that the caller hears of ends the entry; only the unknown stays."""
        entry = outbox.put(entry_of(submission, route), claimed_by="send")
        journal = outbox.journal(entry)

        def attempt() -> Receipt:
            try:
                receipt = self._deliver(submission, route.account, journal, trace)
            except PillarboxError as error:
                outbox.settle(entry.key, error)
                if not isinstance(error, OutcomeUnknown):
                    outbox.cancel(entry.key, "the caller of send was told")
                raise
            outbox.settle(entry.key, receipt)
            return receipt

        return self._within(deadline, journal, attempt)

    def send_many(
        self,
        messages: Iterable[Message],
        *,
        user: str | None = None,
        company: str | None = None,
        account: AccountName | None = None,
    ) -> list[Receipt | PillarboxError]:
        """Send several messages of one writer over one connection; one answer for each, in order.

        A message that fails does not stop the others; a refused sign-in, or a server that can't be reached, is the
        answer for those behind it too.

        Raises:
            SettingsError, Unavailable: There is no account to send by; nothing left.
        """
        route = self.explain(user, company=company, account=account)
        attempts = (self._composed(message, route) for message in messages)
        with self._transport(route.account) as transport:
            return list(deliver_many(attempts, transport, self._told))

    def _composed(self, message: Message, route: Route) -> tuple[Submission, Journal] | PillarboxError:
        try:
            return compose(message, route), Journal()
        except PillarboxError as error:
            return error

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
        if self.vault is None:
            raise Unavailable("There is no vault to keep it in.", cure=VAULT_CURE)
        cls = self.plugins[record.method]
        settings = method_settings(record, cls)
        reference = secrets_of(settings).get(field)
        if reference is None or not reference.vault:
            raise SettingsError(f"The {field} of {record} does not refer to the vault.")
        found, _ = self.directory.look_up(None, company)
        name = _prefix(found.id, record.owner) + reference.vault
        row = self.vault.rows.load(name)
        bound = {"method": record.method, **destination(settings)}
        self.vault.save(name, value.encode(), bound, version=row.version if row else 0)

    def set_secret(self, record: Company | User, field: str, value: str, *, by: Actor) -> None:
        """Seal *value* as the secret *field* of *record*'s method, and save the settings that refer to it.

        Raises:
            Unavailable, SettingsError: As `keep_secret` and `Directory.save`.
        """
        table = {**plain_settings(record.methods.get(record.method, {})), field: {"vault": record.method}}
        changed = attrs.evolve(record, methods={**record.methods, record.method: table})
        self.keep_secret(changed, field, value)
        if plain_settings(record.methods.get(record.method, {})) != table:
            self.directory.save(changed, version=record.version, by=by)

    def rename_user(self, old: str, new: str, *, by: Actor, company: str | None = None) -> None:
        """Give the user *old* the id *new*; what the vault holds for them is sealed again under it.

        Raises:
            SettingsError: There is no user *old*, or there is a user *new*.
        """
        found, user = self.directory.look_up(old, company)
        if user is None or any(one.id == new for one in self.directory.users(search=new, limit=1_000_000)):
            raise SettingsError(f"There is a user {new} already.")
        renamed = attrs.evolve(user, id=new)
        self.directory.save(renamed, version="", by=by)
        self._move_secrets(_prefix(found.id, user.owner), _prefix(found.id, renamed.owner))
        self.directory.remove(old, by=by)

    def _move_secrets(self, old: str, new: str) -> None:
        """Seal what lies under *old* again under *new*, bound to the same destination."""
        vault = self.vault
        for name in vault.names(old) if vault is not None else ():
            row = vault.rows.load(name) if vault is not None else None
            if vault is not None and row is not None:
                bound = row.readable.get("destination", {})
                stored = vault.load(name, bound)
                if stored is not None:
                    vault.save(
                        new + name.removeprefix(old), stored.secret, bound, connection=stored.connection
                    )
                vault.delete(name)

    def remove_user(self, user: str, *, by: Actor, company: str | None = None) -> None:
        """Forget the user and destroy what the vault holds for them; the history stays (rule 7).

        Raises:
            SettingsError: There is none.
        """
        found, who = self.directory.look_up(user, company)
        if who is None:
            raise SettingsError("Name the user to remove.")
        self.directory.remove(user, by=by)
        for name in self.vault.names(_prefix(found.id, who.owner)) if self.vault else ():
            self.vault.delete(name)  # type: ignore[union-attr]

    def _transport(self, account: Account, trace: Trace | None = None) -> Any:
        """Return a context manager that gives a transport for *account*: a kept one, or its own where it is traced."""
        if trace is not None:
            return self._make(account, trace)
        lane = self._lanes.of(account, lambda: self._lane(account))
        return lane.borrow()

    def _lane(self, account: Account) -> Lane:
        limits = self.plugins[account.method].limits(account.settings)
        return Lane(account, limits.concurrency, lambda: self._make(account, None))

    def _make(self, account: Account, trace: Trace | None) -> Transport:
        cls = self.plugins[account.method]
        cls.require_platform()
        made = cls(account.settings, self._credentials(account, cls), trace=trace)
        made.account = account
        made.network = Network(trusted=account.typed_by is Role.DEPLOYER, private=self._private)
        return made

    def _credentials(self, account: Account, cls: type[Transport]) -> AccountCredentials:
        return AccountCredentials(
            prefix=_prefix(account.company, account.owner),
            secrets=secrets_of(account.settings),
            destination={"method": account.method, **destination(account.settings)},
            vault=self.vault,
            refresh=self._refresh(self._connector_of(account)),
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
        return {} if self.vault is None else _Connections(self.vault, company.id)

    @property
    def _told(self) -> Callable[[Attempt], None] | None:
        return self.plugins.tell_attempt

    def close(self) -> None:
        """Let the kept connections go. The mailer can be used again."""
        self._lanes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _prefix(company: str, owner: str) -> str:
    return f"{company}/{owner}/"


class _Connections(Mapping[str, Connection]):
    """What the sign-ins of one company's accounts learned, read from the vault when it is asked for."""

    def __init__(self, vault: Vault, company: str) -> None:
        self._vault = vault
        self._company = company

    def __getitem__(self, owner: str) -> Connection:
        learned = self._vault.connection(_prefix(self._company, owner) + SIGN_IN)
        if not learned:
            raise KeyError(owner)
        return Connection(**learned)

    def __iter__(self) -> Iterator[str]:
        start = f"{self._company}/"
        names = self._vault.names(start)
        return (
            name.removeprefix(start).removesuffix(f"/{SIGN_IN}") for name in names if name.endswith(SIGN_IN)
        )

    def __len__(self) -> int:
        return len(list(iter(self)))


class _Watched:
    """An attempt in a thread of its own, which may be left to itself."""

    def __init__(self, attempt: Callable[[], Receipt]) -> None:
        self._attempt = attempt
        self._outcome: Receipt | BaseException | None = None
        self._over = threading.Event()
        threading.Thread(target=self._run, name="pillarbox-send", daemon=True).start()

    def _run(self) -> None:
        try:
            self._outcome = self._attempt()
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            self._outcome = error
        finally:
            self._over.set()

    def wait(self, seconds: float) -> bool:
        return self._over.wait(max(0.0, seconds))

    def result(self) -> Receipt:
        if isinstance(self._outcome, Receipt):
            return self._outcome
        raise self._outcome or RuntimeError("the attempt has no outcome")


def entry_of(submission: Submission, route: Route) -> Any:
    """Return the outbox entry of *submission*, its identity frozen (rule 27)."""
    from ._outbox import Entry

    account = route.account
    return Entry(
        submission=submission,
        account=account.key,
        owner=account.owner,
        company=account.company,
        method=account.method,
        mailbox=account.mailbox,
        user=route.user,
    )
