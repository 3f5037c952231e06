"""The secrets of records: sealed for where they may go, and moved and destroyed with their users."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ._accounts import method_settings
from ._connectors import App, Connection
from ._errors import SettingsError, SignInNeeded, Unavailable
from ._leading import destination
from ._plugins import Plugins
from ._schema import SIGN_IN
from ._settings import Account, Company, User, secrets_of
from ._vault import VAULT_CURE, AccountCredentials, Refresh, Vault

AGENT = "agent/"
"""Under which the tokens of a user's desktop workers lie among what is the user's."""


def prefix(company: str, owner: str) -> str:
    """Return what the vault's names of this owner's rows start with."""
    return f"{company}/{owner}/"


def bound_to(account: Account, secret: str = "") -> dict[str, str]:
    """Return what the *secret* of a field of *account* is bound to (rule 36)."""
    return bound(account.method, account.settings, secret)


def sign_in_bound_to(account: Account, connector: str, app: App) -> dict[str, str]:
    """Return what a stored sign-in of *account* is bound to: where the account leads, and the registration (rule 36)."""
    settings = app.settings
    registration = destination(settings) if attrs.has(type(settings)) else {}
    ours = {f"apps.{connector}.{name}": value for name, value in registration.items()}
    return {**bound_to(account), **({"connector": connector} if connector else {}), **ours}


def bound(method: str, settings: Any, secret: str = "") -> dict[str, str]:
    """Return what a stored sign-in of these *settings*, or the *secret* of a field, is bound to."""
    return {"method": method, **destination(settings, secret)}


def credentials(
    account: Account,
    vault: Vault | None,
    refresh: Refresh | None,
    sign_in: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> AccountCredentials:
    """Return the view of *account*'s own secrets that its transport is given.

    Args:
        account: Whose.
        vault: Where they are.
        refresh: Gets a token of its connector.
        sign_in: What a stored sign-in is bound to.
        typed: Secrets that somebody has just typed, by field; they are tried in the place of those that are kept.
    """
    secrets = secrets_of(account.settings)
    return AccountCredentials(
        prefix=prefix(account.company, account.owner),
        secrets=secrets,
        destination=sign_in or bound_to(account),
        vault=vault,
        refresh=refresh,
        destinations={field: bound_to(account, field) for field in secrets},
        typed=typed,
    )


def required(vault: Vault | None) -> Vault:
    """Return *vault*, tried: nobody shall lose a secret to a vault that can't seal.

    Raises:
        Unavailable: There is none, or it has no key.
    """
    if vault is None:
        raise Unavailable("There is no vault to keep it in.", cure=VAULT_CURE)
    vault.sealer.seal(b"", b"")
    return vault


def seal(
    vault: Vault | None, plugins: Plugins, record: Company | User, field: str, value: str, company: str
) -> None:
    """Seal *value* as the secret that *field* of *record*'s method refers to, bound to the record's settings.

    Raises:
        Unavailable: There is no vault, or it has no key.
        SettingsError: The settings can't be used, or the field does not refer to the vault.
    """
    kept = required(vault)
    settings = method_settings(record, plugins[record.method])
    reference = secrets_of(settings).get(field)
    if reference is None or not reference.vault:
        raise SettingsError(f"The {field} of {record} does not refer to the vault.")
    name = prefix(company, record.owner) + reference.vault
    row = kept.rows.load(name)
    kept.save(name, value.encode(), bound(record.method, settings, field), version=row.version if row else 0)


def is_released(vault: Vault | None, name: str, where: Mapping[str, str]) -> bool:
    """Whether the vault holds a secret under *name* that may go *where*; it is not opened."""
    row = vault.rows.load(name) if vault is not None else None
    return row is not None and row.readable.get("destination") == dict(where)


def try_out(vault: Vault | None, start: str) -> None:
    """See that the vault can seal again what lies under names that start with *start*, if anything does.

    Raises:
        Unavailable: It has no key.
    """
    if vault is not None and vault.names(start):
        required(vault)


def move(vault: Vault | None, old: str, new: str) -> None:
    """Seal what lies under *old* again under *new*, bound to the same, and destroy the old.

    What lay under *new* was of an owner who is gone, and is destroyed first. What can't be opened any more is lost to
    its owner already, and is destroyed as well.
    """
    if vault is None:
        return
    destroy(vault, new)
    for name in vault.names(old):
        with _quiet(vault, name):
            with contextlib.suppress(SignInNeeded):
                _reseal(vault, name, new + name.removeprefix(old))
            vault.delete(name)


@contextlib.contextmanager
def _quiet(vault: Vault, name: str) -> Iterator[None]:
    """Let a refresh under way end first: what it gets is moved as well. One that does not end is not waited for."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(TimeoutError):
            held.enter_context(vault.lock(name))
        yield


def _reseal(vault: Vault, name: str, new: str) -> None:
    row = vault.rows.load(name)
    same = row.readable.get("destination", {}) if row else {}
    stored = vault.load(name, same)
    if stored is not None:
        vault.save(new, stored.secret, same, connection=stored.connection)


def destroy(vault: Vault | None, start: str) -> None:
    """Destroy all that lies under names that start with *start*."""
    for name in vault.names(start) if vault is not None else ():
        vault.delete(name)  # type: ignore[union-attr]


class Connections(Mapping[str, Connection]):
    """What the sign-ins of one company's accounts learned, read from the vault when it is asked for."""

    def __init__(self, vault: Vault, company: str) -> None:
        self._vault = vault
        self._company = company

    def __getitem__(self, owner: str) -> Connection:
        learned = self._vault.connection(prefix(self._company, owner) + SIGN_IN)
        if not learned:
            raise KeyError(owner)
        return connection_of(learned)

    def __iter__(self) -> Iterator[str]:
        start, end = f"{self._company}/", f"/{SIGN_IN}"
        names = (name.removeprefix(start) for name in self._vault.names(start) if name.endswith(end))
        return (name.removesuffix(end) for name in names)

    def __len__(self) -> int:
        return len(list(iter(self)))


def connection_of(learned: Mapping[str, Any]) -> Connection:
    """Return what a sign-in *learned*, as it was kept.

    Raises:
        SignInNeeded: It can't be read.
    """
    known = {field.name for field in attrs.fields(Connection)}
    try:
        return Connection(**{name: value for name, value in learned.items() if name in known})
    except TypeError:
        raise SignInNeeded(
            "What the last sign-in learned can't be read.", stage="sign-in", cure="Connect again."
        ) from None
