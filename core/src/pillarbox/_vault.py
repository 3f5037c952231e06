"""Secrets, bound to where they may go: references, vault rows, and the view a transport gets of its own."""

from __future__ import annotations

import abc
import base64
import contextlib
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import attrs

from ._errors import QUOTATION_OCTETS, Changed, SettingsError, SignInNeeded, Unavailable, quotation
from ._owner_only import BINARY, cure, is_open_to_others, is_strangers
from ._schema import SIGN_IN, Secret

UNDER_WAY = "signing in/"
"""What the names of sign-ins start with that nobody has finished yet: no company's id holds a space."""
NEVER = "This account was never connected."
CONNECT, AGAIN = "Connect it.", "Connect it again."
"""The cures of an account that lacks a sign-in; a mailer says by which command."""
LARGEST_SECRET_FILE = 64 * 1024
"""Octets; a larger file is not a secret (rule 40)."""


@attrs.frozen
class Row:
    """What a vault keeps under one name.

    Attributes:
        name: `<company>/<owner>/<entry>`.
        version: Grows by one with each save; 0 for a row that does not exist yet.
        sealed: The secret half: only the sealer can read it.
        readable: The half that may be shown: what a sign-in learned, and what the secret is bound to.
            It is authenticated together with the sealed half.
    """

    name: str
    version: int
    sealed: bytes = attrs.field(repr=False)
    readable: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def associated(self) -> bytes:
        """What the sealed half is bound to: the row's name and its readable half."""
        return associated(self.name, self.readable)

    @property
    def is_under_way(self) -> bool:
        """Whether it is a sign-in that nobody has finished yet: it goes by itself, ten minutes after it was begun."""
        return self.name.startswith(UNDER_WAY)


def associated(name: str, readable: Mapping[str, Any]) -> bytes:
    """Return the octets that bind a sealed secret to its row's *name* and *readable* half."""
    return json.dumps([name, readable], sort_keys=True, separators=(",", ":")).encode()


@runtime_checkable
class Rows(Protocol):
    """Where a vault keeps its rows: memory, SQLite, the host's own database."""

    def load(self, name: str) -> Row | None:
        """Return the row, or None."""

    def save(self, name: str, sealed: bytes, readable: Mapping[str, Any], *, version: int) -> int:
        """Replace the row when its version is still *version* (0: it is new) and return the new one.

        Raises:
            Changed: It is not.
        """

    def delete(self, name: str) -> None:
        """Remove the row, if there is one."""

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that start with *prefix*, sorted."""

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold the row alone, across threads and processes, for the length of the block."""


class Sealer(Protocol):
    """Turns a secret into octets that tell nothing, and back, bound to *associated* octets."""

    def seal(self, secret: bytes, associated: bytes) -> bytes:
        """Return the sealed secret."""

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Return the secret.

        Raises:
            ValueError: Wrong key, other associated octets, or tampering.
        """


@attrs.frozen
class Stored:
    """A secret as it lies in the vault, opened.

    Attributes:
        secret: The secret half.
        connection: What the sign-in learned; {} for a plain password.
        version: The row's.
    """

    secret: bytes = attrs.field(repr=False)
    connection: Mapping[str, Any] = attrs.field(factory=dict)
    version: int = 0


class Vault:
    """Keeps each owner's secrets sealed, and releases one only to the destination it was stored for (rule 36)."""

    def __init__(self, rows: Rows, sealer: Sealer) -> None:
        self.rows = rows
        self.sealer = sealer

    def load(self, name: str, destination: Mapping[str, str]) -> Stored | None:
        """Return what is stored under *name*, or None.

        Raises:
            SignInNeeded: It was stored for another destination, or can't be opened.
        """
        row = self.rows.load(name)
        if row is None:
            return None
        if row.readable.get("destination") != dict(destination):
            raise SignInNeeded(
                "The stored secret belongs to another server or registration than the settings name now.",
                stage="sign-in",
                cure="Enter the password again, or connect again.",
            )
        return Stored(self._open(name, row), row.readable.get("connection", {}), row.version)

    def _open(self, name: str, row: Row) -> bytes:
        """Return the secret of *row*, which has to be the one that was sealed under *name*, wherever it lay since."""
        try:
            return self.sealer.open(row.sealed, associated(name, row.readable))
        except ValueError:
            error = SignInNeeded(
                "The stored secret can't be opened: the key is another, or the row was altered.",
                stage="sign-in",
                cure="Restore the vault's key, or enter the secret again.",
            )
        raise error

    def save(
        self,
        name: str,
        secret: bytes,
        destination: Mapping[str, str],
        *,
        connection: Mapping[str, Any] | None = None,
        version: int = 0,
    ) -> int:
        """Seal *secret* for *destination* and return the row's new version.

        Raises:
            Changed: The row's version is no longer *version*.
        """
        readable = {"destination": dict(destination), "connection": dict(connection or {})}
        sealed = self.sealer.seal(secret, associated(name, readable))
        return self.rows.save(name, sealed, readable, version=version)

    def connection(self, name: str) -> Mapping[str, Any] | None:
        """Return what the sign-in under *name* learned, without opening the secret; None where there is none."""
        row = self.rows.load(name)
        return None if row is None else row.readable.get("connection", {})

    def delete(self, name: str) -> None:
        """Destroy what is stored under *name*."""
        self.rows.delete(name)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names that start with *prefix*, sorted."""
        return self.rows.names(prefix)

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold *name* alone, across threads and processes, for the length of the block."""
        return self.rows.lock(name)


class MemoryRows:
    """Rows that die with the process; for tests."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def load(self, name: str) -> Row | None:
        """See `Rows`."""
        return self._rows.get(name)

    def save(self, name: str, sealed: bytes, readable: Mapping[str, Any], *, version: int) -> int:
        """See `Rows`."""
        with self._guard:
            row = self._rows.get(name)
            if (row.version if row else 0) != version:
                raise Changed(f"{name} was saved by another process meanwhile.", cure="Load it again.")
            self._rows[name] = Row(name, version + 1, sealed, json.loads(json.dumps(dict(readable))))
            return version + 1

    def delete(self, name: str) -> None:
        """See `Rows`."""
        with self._guard:
            self._rows.pop(name, None)

    def names(self, prefix: str = "") -> list[str]:
        """See `Rows`."""
        return sorted(name for name in self._rows if name.startswith(prefix))

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """See `Rows`."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            yield


class _MemorySealer:
    """Keeps secrets in this process alone, under random handles; still bound to their associated octets."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[bytes, bytes]] = {}

    def seal(self, secret: bytes, associated: bytes) -> bytes:
        handle = os.urandom(16)
        self._kept[handle] = (secret, associated)
        return handle

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        secret, bound = self._kept.get(sealed, (b"", b""))
        if bound != associated:
            raise ValueError("not sealed for this")
        return secret


class MemoryVault(Vault):
    """A vault that dies with the process; for tests."""

    def __init__(self) -> None:
        super().__init__(MemoryRows(), _MemorySealer())


class Credentials(abc.ABC):
    """A transport's view of its own account's secrets, and of no others.

    Attributes:
        refused: The token that the provider refused last, or "": a connector does not give it out again.
    """

    refused: str = ""

    @abc.abstractmethod
    def secret(self, name: str) -> str:
        """Return the secret of the settings field *name*.

        Raises:
            SignInNeeded: There is none, or it was stored for another destination.
            SettingsError: The reference can't be followed: an unset variable, an unsafe file.
            Unavailable: It lies in a vault and none is installed.
        """

    @abc.abstractmethod
    def token(self, purpose: str = "send", *, host: str = "") -> str:
        """Return an access token for *purpose*, from the account's connector; refreshed where it must be.

        Args:
            purpose: `send` for the provider's own interface, `smtp` for SMTP and IMAP.
            host: The server that it will be shown to, where a person's settings name that.

        Raises:
            SignInNeeded: A person has to connect again.
            SettingsError: It may not be shown to *host*.
        """

    def stored(self) -> Stored | None:
        """Return the account's stored sign-in as it is now, or None. Waits for nobody.

        Raises:
            SignInNeeded: It was stored for another destination, or can't be opened.
        """
        return self.update(lambda _: None)

    def refuse(self, token: str) -> None:
        """Say that the provider has refused *token*, so that the next `token` is another where there is one."""
        self.refused = token

    @abc.abstractmethod
    def update(
        self, change: Callable[[Stored | None], tuple[bytes, Mapping[str, Any]] | None]
    ) -> Stored | None:
        """Refresh the account's stored sign-in, alone among all threads and processes.

        *change* gets what is stored now (reloaded under the lock: another process may have refreshed it) and
        returns the new secret and connection, or None to leave it. Returns what is stored afterwards.
        """

    def redact(self, text: str) -> str:
        """Return *text* without any secret that this view has released."""
        return text


Refresh: TypeAlias = "Callable[[Credentials, str, str], str]"


class AccountCredentials(Credentials):
    """The credentials of one account: environment, files, and the owner's part of the vault.

    Args:
        prefix: The owner's part of the vault: `<company>/<owner>/`.
        secrets: The references in the account's settings, by field.
        destination: What a stored sign-in is bound to, and a secret of which `destinations` says nothing.
        vault: The deployment's vault, or None.
        refresh: Gets this view, a purpose and a host and returns a token (core wires the account's connector), or None.
        destinations: What the secrets are bound to, by field.
        typed: Secrets that stand nowhere yet, by field: they go before those that are kept.
    """

    def __init__(
        self,
        prefix: str,
        secrets: Mapping[str, Secret],
        destination: Mapping[str, str],
        vault: Vault | None = None,
        refresh: Refresh | None = None,
        destinations: Mapping[str, Mapping[str, str]] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> None:
        self._typed = dict(typed or {})
        self._prefix = prefix
        self._secrets = secrets
        self._destination = destination
        self._vault = vault
        self._refresh = refresh
        self._destinations = dict(destinations or {})
        self._released: set[str] = set()

    def secret(self, name: str) -> str:
        """See `Credentials`."""
        reference = self._secrets.get(name)
        if name in self._typed:
            self._released.add(self._typed[name])
            return self._typed[name]
        if reference is None:
            raise SignInNeeded(
                f"No {name} is set for this account.", stage="sign-in", cure=f"Set its {name}."
            )
        value = self._follow(reference, name)
        self._released.add(value)
        return value

    def _follow(self, reference: Secret, name: str) -> str:
        if reference.env:
            return from_environment(reference.env)
        if reference.file:
            return from_file(reference.file)
        bound = self._destinations.get(name, self._destination)
        stored = self._required_vault().load(self._prefix + reference.vault, bound)
        if stored is None:
            raise SignInNeeded(
                f"The vault holds no {name} for this account.",
                stage="sign-in",
                cure="Enter the password again.",
            )
        return _text(stored.secret, name)

    def _required_vault(self) -> Vault:
        if self._vault is None:
            raise Unavailable("The settings name a secret in the vault, and there is none.", cure=VAULT_CURE)
        return self._vault

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        """See `Credentials`."""
        if self._refresh is None:
            raise SignInNeeded(NEVER, stage="sign-in", cure=CONNECT)
        value = self._refresh(self, purpose, host)
        self._released.add(value)
        return value

    def stored(self) -> Stored | None:
        """See `Credentials`."""
        found = self._required_vault().load(self._prefix + SIGN_IN, self._destination)
        if found is not None:
            self._remember(found.secret)
        return found

    def update(
        self, change: Callable[[Stored | None], tuple[bytes, Mapping[str, Any]] | None]
    ) -> Stored | None:
        """See `Credentials`."""
        vault, name = self._required_vault(), self._prefix + SIGN_IN
        with vault.lock(name):
            stored = vault.load(name, self._destination)
            if stored is not None:
                self._remember(stored.secret)
            changed = change(stored)
            if changed is None:
                return stored
            secret, connection = changed
            self._remember(secret)
            return Stored(secret, connection, self._saved(vault, name, stored, secret, connection))

    def _saved(
        self, vault: Vault, name: str, stored: Stored | None, secret: bytes, connection: Mapping[str, Any]
    ) -> int:
        """Save over *stored*, also where it was meanwhile sealed by another key: a new refresh token must not get lost."""
        while True:
            version = stored.version if stored else 0
            try:
                return vault.save(name, secret, self._destination, connection=connection, version=version)
            except Changed:
                again = vault.load(name, self._destination)
                if again is None or stored is None or again.secret != stored.secret:
                    raise
                stored = again

    def _remember(self, secret: bytes) -> None:
        self._released.add(secret.decode("utf-8", "ignore"))

    def redact(self, text: str) -> str:
        """See `Credentials`."""
        for value in sorted(self._released, key=len, reverse=True):
            if len(value) >= 4:  # shorter ones would blank out innocent words, and are in any dictionary
                text = _without(text, value)
        return text


def _without(text: str, secret: str) -> str:
    """Return *text* without *secret*, also in base64, or as a quotation has it: its spaces and controls lost, its end cut."""
    in_base64 = base64.b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")
    for form in {secret, quotation(secret), in_base64}:
        text = text.replace(form, REDACTED) if len(form) >= 4 else text
    if len(text.encode("utf-8", "replace")) < QUOTATION_OCTETS - 4:
        return text
    cut = next((n for n in range(len(secret) - 1, 3, -1) if text.endswith(secret[:n])), 0)
    return text[: len(text) - cut] + REDACTED if cut else text


REDACTED = "[secret]"


def _text(secret: bytes, name: str) -> str:
    try:
        return secret.decode()
    except UnicodeDecodeError:
        raise SettingsError(f"The {name} in the vault is not text.", cure="Enter it again.") from None


VAULT_CURE = "Install one with: pip install pillarbox-vault"


def from_environment(name: str) -> str:
    """Return the secret in the environment variable *name*.

    Raises:
        SettingsError: It is not set, or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(
            f"The environment variable {name} is not set.", cure=f"Set {name}, or change the settings."
        )
    return value


def from_file(path: str) -> str:
    """Return the secret in the file at *path*, without its line end.

    The file is opened once and checked on that descriptor: regular, ours or root's, not readable by others,
    at most 64 KiB (rule 40).

    Raises:
        SettingsError: It is not such a file.
    """
    with owner_only(path) as descriptor:
        return _one_line(os.read(descriptor, LARGEST_SECRET_FILE), path)


@contextlib.contextmanager
def owner_only(path: str) -> Iterator[int]:
    """Give a descriptor of the file at *path*, checked: regular, ours or root's, not readable by others, at most 64 KiB.

    Raises:
        SettingsError: It is not such a file.
    """
    flags = os.O_RDONLY | BINARY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it has no such name"
        raise SettingsError(f"The secret's file {path} can't be opened: {said}.") from None
    try:
        status = os.fstat(descriptor)
        _check_owner_only(descriptor, status, path)
        if status.st_size > LARGEST_SECRET_FILE:
            raise SettingsError(f"The secret's file {path} is larger than {LARGEST_SECRET_FILE // 1024} KiB.")
        yield descriptor
    finally:
        os.close(descriptor)


def _one_line(content: bytes, path: str) -> str:
    try:
        value = content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SettingsError(f"The secret's file {path} is not UTF-8 text.") from None
    if not value:
        raise SettingsError(f"The secret's file {path} is empty.")
    return value


def _check_owner_only(descriptor: int, status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(f"The secret's file {path} is not a regular file.")
    if is_strangers(descriptor):
        raise SettingsError(
            f"The secret's file {path} belongs to another user.", cure="Make the sender its owner."
        )
    if is_open_to_others(descriptor):
        raise SettingsError(f"The secret's file {path} can be read by others.", cure=cure(path, "600"))
