"""The worker at a user's own computer: what the company's outbox has for their mail program, sent from here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Self

import attrs

from .._delivery import Told
from .._directory import MemoryDirectory
from .._errors import InvalidSettings, OutboxError, quotation
from .._mailer import Mailer
from .._outbox import Entry, Only, OutboxSettings, Worker
from .._plugins import Plugins, asked
from .._settings import Account, Company
from .._transports import Limits, Transport
from . import wire
from .door import Door
from .outbox import AgentOutbox


@attrs.frozen(kw_only=True)
class Desk:
    """Whose desk it is, as the server says.

    Attributes:
        user: Their id.
        company: The company's.
        name: What to call them.
        rules: What `[outbox]` says there.
    """

    user: str
    company: str
    name: str
    rules: OutboxSettings = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class DeskStatus:
    """How the desk's mail stands.

    Attributes:
        waiting: How much waits, or is in doubt.
        held: How much waits for a person's word.
        exit_code: As the command `status` has it for these accounts.
        sentences: One for each account.
    """

    waiting: int
    held: int
    exit_code: int
    sentences: tuple[str, ...] = ()


class Agent:
    """Sends one user's mail from their own computer, for a server whose outbox it never sees.

    Args:
        url: The address of the door: what `pillarbox_web.agent_app` was mounted at.
        token: The user's, from their page.
        ca_file: A PEM file of the authorities to trust instead of the system's, or "".
        plugins: What is installed here.

    Raises:
        SettingsError: The address or the token can't be one.
    """

    def __init__(self, url: str, token: str, *, ca_file: str = "", plugins: Plugins | None = None) -> None:
        self._door = Door(url, token, ca_file=ca_file)
        self._outbox = AgentOutbox(self._door)
        self._mailer = Mailer(MemoryDirectory(Company(), plugins=plugins))
        self._worker: Worker | None = None

    @property
    def url(self) -> str:
        """The door's address."""
        return self._door.url

    def enter(self) -> Desk:
        """Tell the server that this worker takes over with its token, and return whose desk it is.

        Raises:
            SendDeferred: The server can't be asked now.
            PillarboxError: It does not let this worker in: says why.
        """
        said = self._outbox.introduce()
        try:
            return Desk(
                user=str(said["user"]),
                company=str(said["company"]),
                name=quotation(str(said["name"])),
                rules=wire.rules_of(said["outbox"]),
            )
        except (ValueError, TypeError, InvalidSettings):
            raise OutboxError(
                "The server says what this worker does not understand.", cure=wire.SAME_VERSION
            ) from None

    def worker(self, desk: Desk, *, methods: Iterable[str] | None = None) -> Worker:
        """Return the worker: `run` it, or `start` it in a thread. It stops when its token is not good any more.

        Args:
            desk: What `enter` returned.
            methods: Only the lanes of these methods; all by default.
        """
        only = Only(methods=None if methods is None else frozenset(methods), users=frozenset({desk.user}))
        worker = Worker(self._outbox, _DeskPost(self._outbox, self._mailer), desk.rules, only=only)
        self._outbox.on_end = worker.stop
        return worker

    def status(self) -> DeskStatus:
        """Return how the desk's mail stands, as the server knows it.

        Raises:
            PillarboxError: As `enter`.
        """
        try:
            return wire.unpacked(DeskStatus, self._door.call(wire.STATUS, {}))
        except ValueError:
            raise OutboxError(
                "The server says what this worker does not understand.", cure=wire.SAME_VERSION
            ) from None

    @property
    def ended(self) -> Exception | None:
        """Why the work is over, where the server said so; else None."""
        return self._outbox.ended

    def close(self) -> None:
        """Tell the server what is still to be told, and let it go."""
        self._outbox.close()
        self._mailer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _DeskPost:
    """See `Post`: accounts as the server says, transports as they are installed here."""

    def __init__(self, outbox: AgentOutbox, mailer: Mailer) -> None:
        self._outbox = outbox
        self._mailer = mailer
        self._accounts: dict[str, tuple[Any, Account]] = {}

    @property
    def told(self) -> Told | None:
        return self._mailer._told  # noqa: SLF001  (the half of a mailer that carries)

    def account(self, entry: Entry) -> Account:
        table = self._outbox.account(entry.account)
        known = self._accounts.get(entry.account)
        if known is not None and known[0] == table:
            return known[1]
        transport = self._mailer.plugins[entry.method]
        try:
            account = wire.account_of(table or {}, transport)
        except (ValueError, KeyError, TypeError):
            account = None
        if account is None or account.key != entry.account:
            raise OutboxError(
                f"The worker at this desk carries nothing by {entry.method}: it serves mail programs of its own computer."
            )
        self._accounts[entry.account] = (table, account)
        return account

    def limits(self, account: Account) -> Limits:
        found: Limits = asked(self._mailer.plugins[account.method], "limits", account.settings)
        return found

    def transport(self, account: Account) -> AbstractContextManager[Transport]:
        return self._mailer._transport(account)  # noqa: SLF001  (as above)
