"""What a mailer does to advise: which method fits an address, and what a change of method would bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ._errors import SettingsError
from ._outbox import Entry, Search
from ._outbox.entry import ENDED
from ._settings import NONE, Account, Choice, Company, User

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._advice import Change
    from ._connect.registered import Registered
    from ._connectors import Connection
    from ._directory import Directory
    from ._network import IPNetwork
    from ._outbox import Outbox
    from ._plugins import Plugins
    from ._route import Finding, Suggestions

MOST_SENT = 10_000
"""The most messages of the past that a change is held against, the newest first."""


class Advising:
    """The part of a `Mailer` that advises; it changes nothing."""

    directory: Directory
    history: Outbox | None
    _private: Sequence[IPNetwork]

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

        @property
        def existing_queue(self) -> Outbox | None: ...

        def _connections(self, company: Company) -> Mapping[str, Connection]: ...

        def _registered(self, name: str) -> Registered: ...

        def _grant_findings(self, account: Account, connection: Connection) -> Iterator[Finding]: ...

    def suggest(self, address: str, *, timeout: float = 10.0, offline: bool = False) -> Suggestions:
        """Return which methods fit *address*, the best first, by what is installed and allowed here.

        See `pillarbox.suggest`, which needs no settings.

        Raises:
            MessageError: It is not an address.
        """
        from ._suggestion import suggest

        networks = map(str, self._private)
        return suggest(
            address, plugins=self.plugins, private_networks=networks, timeout=timeout, offline=offline
        )

    def advise(self, to: str, user: str | None = None, *, company: str | None = None) -> Iterator[Finding]:
        """Yield what would break, or be other, if the company sent by the method *to*; nothing is changed, nobody asked.

        It is told from the settings, from what sign-ins learned, and from the newest 10,000 messages of the outbox.
        A finding that fails has to be mended before the change; one that warns is what people will notice.

        Args:
            to: The method.
            user: Whose account is changed in the place of the company's; it becomes Personal.
            company: Which, where the directory knows several.

        Raises:
            SettingsError: There is no such user, or *to* is none.
        """
        from ._advice import advise

        yield from advise(self._change(to, user, company))

    def _change(self, to: str, user: str | None, company: str | None) -> Change:
        from ._advice import Change

        if to == NONE:
            raise SettingsError("With the method None nothing is sent.", cure="Name a method to change to.")
        found, who = self.directory.look_up(user, company)
        users = list(_everybody(self.directory))
        outbox, record = self.existing_queue or self.history, who or found
        sent = [] if outbox is None else _sent(outbox, record, found)
        return Change(
            company=found,
            user=who,
            to=to,
            users=tuple(one for one in users if one.choice is Choice.FROM_COMPANY),
            personal=sum(one.choice is Choice.PERSONAL for one in users),
            transports=self.plugins,
            connections=self._connections(found),
            register=self._registered,
            granted=self._grant_findings,
            sent=sent,
            open=tuple(entry for entry in sent if entry.state not in ENDED),
            history=(lambda _: ()) if outbox is None else outbox.history,
        )


def _everybody(directory: Directory) -> Iterator[User]:
    """Give all users, page by page."""
    after = ""
    while page := directory.users(after, 1_000):
        yield from page
        after = page[-1].id


def _sent(outbox: Outbox, record: Company | User, company: Company) -> tuple[Entry, ...]:
    """Return what the account of *record* carries and carried: or, where it has had none, what it would carry."""
    entries = outbox.list(Search(company=company.id, limit=MOST_SENT))
    if isinstance(record, Company):
        return tuple(entry for entry in entries if entry.owner == record.owner)
    return tuple(entry for entry in entries if entry.owner == record.owner or entry.user == record.id)
