"""What a mailer says of settings before they are saved: whether they could be, what they would lead to, which secrets they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from . import _secrets
from ._accounts import account_of
from ._directory import Directory, prepared
from ._errors import NoMethod, SettingsError
from ._settings import Actor, Company, User, secrets_of
from ._vault import Vault

if TYPE_CHECKING:
    from ._plugins import Plugins

R = TypeVar("R", bound=Company | User)


class Drafting:
    """The part of a `Mailer` that looks at settings which are not saved; it changes nothing."""

    directory: Directory
    vault: Vault | None

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

    def would_keep(self, record: R, *, by: Actor, company: str | None = None) -> R:
        """Return *record* as `Directory.save` would keep it now: settings structured, and with who typed them; nothing is kept.

        What a page shows of settings that are not saved begins here; see *as_if* of `explain` and `check`.

        Args:
            record: The company, or a user; also one that the directory does not know yet.
            by: Who would save it.
            company: Whose user, where the directory knows several.

        Raises:
            InvalidSettings, SettingsError: As `Directory.save`, but for `Changed`.
        """
        found, _ = self.directory.look_up(None, company)
        before = found if isinstance(record, Company) else self._known(record.id, company)
        version = before.version if before is not None else ""
        kept = prepared(before, record, version, by, found, self.plugins)
        assert isinstance(kept, type(record))
        return kept

    def lacking_secrets(self, record: Company | User, *, company: str | None = None) -> tuple[str, ...]:
        """Return the fields of *record*'s method whose secret the vault holds for other settings than these, or not at all.

        A secret that was typed for one server is not released to another (rule 36): it has to be typed again.

        Args:
            record: As it is saved, or as it would be.
            company: Whose user, where the directory knows several.

        Raises:
            SettingsError, Unavailable: The settings can't be used.
        """
        found, _ = self.directory.look_up(None, company)
        try:
            account = account_of(record, found, self.plugins)
        except NoMethod:
            return ()
        wanted = {name: one.vault for name, one in secrets_of(account.settings).items() if one.vault}
        start = _secrets.prefix(account.company, account.owner)
        bound = {name: _secrets.bound_to(account, name) for name in wanted}
        return tuple(
            name
            for name, row in wanted.items()
            if not _secrets.is_released(self.vault, start + row, bound[name])
        )

    def _known(self, user: str, company: str | None) -> User | None:
        try:
            return self.directory.look_up(user, company)[1]
        except SettingsError:
            return None

    def _as_if(
        self, user: str | None, company: str | None, as_if: Company | User | None
    ) -> tuple[Company, User | None]:
        """Return whose mail it is, with *as_if* in the place of the record that is kept."""
        if isinstance(as_if, User):
            if user is not None and user != as_if.id:
                raise SettingsError(
                    f"{as_if} is not {user}.", cure="Ask for the user whose settings these are."
                )
            return self.directory.look_up(None, company)[0], as_if
        found, who = self.directory.look_up(user, company)
        return (found if as_if is None else as_if), who
