"""A change of method that is only thought of: whose, to which, and what is known that it would touch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from .._accounts import Transports, account_of, sign_in_of
from .._connectors import Connection
from .._errors import InvalidSettings, PillarboxError
from .._outbox import Entry, Event
from .._resolution import resolve
from .._route import Finding, Route
from .._schema import FormField, form
from .._settings import Account, Choice, Company, User, plain_settings
from .._transports import Transport

LATER = "later.invalid"
"""Stands for what has still to be set; it leads nowhere (RFC 2606)."""
ROUNDS = 3
"""How often is filled in what is lacking: one field may make another one required."""


@attrs.frozen(kw_only=True)
class Change:
    """A change that is only thought of.

    Attributes:
        company: As it is.
        user: Whose own account is meant; None for the company's.
        to: The method.
        users: Who writes by the account: those who are From company, or the one.
        personal: How many users have an account of their own.
        transports: What is installed.
        connections: What sign-ins learned, by owner.
        register: Raises what is wrong with the registration of a connector.
        granted: Gives what is found of what a sign-in was granted, for an account.
        sent: What the account's owner sent, the newest first, without bytes.
        open: What waits of it.
        history: Gives what happened to an entry.
    """

    company: Company
    user: User | None = None
    to: str
    users: tuple[User, ...] = ()
    personal: int = 0
    transports: Transports
    connections: Mapping[str, Connection] = attrs.field(factory=dict)
    register: Callable[[str], object] = lambda _: None
    granted: Callable[[Account, Connection], Iterable[Finding]] = lambda *_: ()
    sent: Sequence[Entry] = ()
    open: Sequence[Entry] = ()
    history: Callable[[str], Sequence[Event]] = lambda _: ()

    @property
    def record(self) -> Company | User:
        """Whose account is changed."""
        return self.company if self.user is None else self.user

    @property
    def is_in_use(self) -> bool:
        """Whether the record's own method counts now."""
        return self.user is None or self.user.choice is Choice.PERSONAL

    @property
    def writers(self) -> tuple[User | None, ...]:
        """Who writes by the account; None is mail that nobody in particular writes."""
        return (None, *self.users) if self.user is None else (self.user,)

    def before(self, writer: User | None) -> Route | PillarboxError:
        """Return the route of *writer*'s mail as it is, or why there is none."""
        return self._route(self.company, writer)

    def after(self, writer: User | None) -> Route | PillarboxError:
        """Return the route of *writer*'s mail as it would be, or why there is none."""
        if self.user is not None:
            return self._route(self.company, self._changed(self.user))
        return self._route(self._changed(self.company), writer)

    def _route(self, company: Company, writer: User | None) -> Route | PillarboxError:
        try:
            return resolve(company, writer, transports=self.transports, connections=self.connections)
        except PillarboxError as error:
            return error

    def _changed(self, record: Any) -> Any:
        choice = {"choice": Choice.PERSONAL, "disabled": False} if isinstance(record, User) else {}
        methods = {**record.methods, self.to: self.table}
        return attrs.evolve(record, method=self.to, methods=methods, **choice)

    @functools.cached_property
    def lacking(self) -> InvalidSettings | None:
        """What has still to be set for the method; None where nothing has."""
        return self._problems(plain_settings(self.record.methods.get(self.to, {})))

    def _problems(self, table: Mapping[str, Any]) -> InvalidSettings | None:
        bare = attrs.evolve(self.record, method=self.to, methods={self.to: table})
        try:
            account_of(bare, self.company, self.transports)
        except InvalidSettings as error:
            return error
        except PillarboxError:  # it is about addresses, and told with them
            return None
        return None

    @functools.cached_property
    def table(self) -> Mapping[str, Any]:
        """The settings of the method; what is lacking is filled in, so that the rest can be thought through."""
        table = dict(plain_settings(self.record.methods.get(self.to, {})))
        fields = {field.name: field for field in form(self.transports[self.to].settings_class())}
        for _ in range(ROUNDS):
            problems = self._problems(table)
            for problem in problems.problems if problems is not None else ():
                place, _, told = problem.partition(" ")
                field = fields.get(place.rpartition(".")[2])
                if field is not None and told.lstrip().startswith("is required"):
                    table[field.name] = self._stand_in(field)
        return table

    def _stand_in(self, field: FormField) -> Any:
        if field.name == "username":
            return self.record.address
        return {"env": "LATER"} if field.kind == "secret" else LATER

    @property
    def account(self) -> Account | None:
        """The account as it would be; None where it can't be made."""
        route = next((one for one in map(self.after, self.writers) if isinstance(one, Route)), None)
        return None if route is None else route.account

    @property
    def now(self) -> Account | None:
        """The account as it is; None where there is none."""
        route = next((one for one in map(self.before, self.writers) if isinstance(one, Route)), None)
        return None if route is None else route.account

    def connection(self, account: Account) -> Connection | None:
        """Return what the sign-in of *account* learned, where it is one for that account."""
        transport: type[Transport] = self.transports[account.method]
        learned = self.connections.get(account.owner)
        if learned is None or (learned.connector, learned.purpose) != sign_in_of(account, transport):
            return None
        return learned
