"""Where the wrapping key is: the operating system's keychain, an owner-only file, or an environment variable."""

from __future__ import annotations

import abc
import base64
import binascii
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import attrs

from pillarbox import SettingsError, Unavailable
from pillarbox.settings import create_owner_only, secret_from_file

KEY_OCTETS = 32
"""AES-256."""
LOST_KEY = (
    "Restore the key that the vault was made with. If it is lost, move the vault's file away, make a new one"
    " (pillarbox vault init) and enter its secrets again."
)
"""What helps against another key, or none."""


class KeySource(abc.ABC):
    """Gives the one key that wraps the vault's own keys."""

    kind: ClassVar[str]

    @property
    @abc.abstractmethod
    def where(self) -> str:
        """What is kept with the vault so that the key is found again; not a secret."""

    @abc.abstractmethod
    def read(self) -> bytes:
        """Return the key, 32 octets.

        Raises:
            Unavailable: The place can't be reached, or holds no key.
        """

    @abc.abstractmethod
    def create(self) -> bytes:
        """Make a key where there is none yet, and return it.

        Raises:
            SettingsError: There is one.
            Unavailable: The place can't be reached.
        """


@attrs.frozen
class EnvironmentKey(KeySource):
    """The key stands in an environment variable, as base64; whoever deploys puts it there."""

    name: str = "PILLARBOX_VAULT_KEY"
    kind = "env"

    @property
    def where(self) -> str:
        """The variable's name."""
        return self.name

    def read(self) -> bytes:
        """See `KeySource`."""
        text = os.environ.get(self.name, "")
        if not text:
            raise Unavailable(f"The vault's key is expected in {self.name}, which is not set.", cure=LOST_KEY)
        return _decoded(text, self.name)

    def create(self) -> bytes:
        """Return the key that the variable already holds: a process can't set its deployer's environment."""
        if os.environ.get(self.name):
            return self.read()
        command = "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"
        raise Unavailable(f"{self.name} is not set.", cure=f"Set it to 32 random octets in base64: {command}")


@attrs.frozen
class FileKey(KeySource):
    """The key stands in a file that only its owner can read."""

    path: Path = attrs.field(converter=Path)
    kind = "file"

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self.path)

    def read(self) -> bytes:
        """See `KeySource`."""
        try:
            return _decoded(secret_from_file(str(self.path)), str(self.path))
        except SettingsError as error:
            problem = error.detail
        raise Unavailable(f"The vault's key can't be read. {problem}", cure=LOST_KEY)

    def create(self) -> bytes:
        """See `KeySource`."""
        key = os.urandom(KEY_OCTETS)
        try:
            descriptor = create_owner_only(self.path)
        except FileExistsError:
            raise SettingsError(f"{self.path} exists already.", cure="Choose another file.") from None
        except OSError as error:
            raise Unavailable(f"{self.path} can't be written: {error.strerror}.") from None
        try:
            _written(descriptor, base64.b64encode(key) + b"\n")
        except OSError as error:
            self.path.unlink(missing_ok=True)
            raise Unavailable(f"{self.path} can't be written: {error.strerror}.") from None
        return key


@attrs.frozen
class KeychainKey(KeySource):
    """The key is kept by the operating system's keychain, through keyring.

    Only the key goes there: Windows takes some 1,280 characters, which no token cache fits into.
    """

    name: str
    service: str = "pillarbox"
    kind = "keychain"

    @property
    def where(self) -> str:
        """The entry's name."""
        return self.name

    def read(self) -> bytes:
        """See `KeySource`."""
        text = self._asked()
        if text is None:
            raise Unavailable(f"The keychain holds no key {self.name}.", cure=LOST_KEY)
        return _decoded(text, "the keychain")

    def create(self) -> bytes:
        """See `KeySource`."""
        if self._asked() is not None:
            raise SettingsError(
                f"The keychain holds a key {self.name} already.", cure="Choose another vault file."
            )
        key = base64.b64encode(os.urandom(KEY_OCTETS)).decode()
        with _keychain_in_words():
            import keyring

            keyring.set_password(self.service, self.name, key)
        if self._asked() != key:  # keyring's null backend takes everything and keeps nothing
            raise Unavailable("The keychain did not keep the key.", cure=_IN_A_FILE)
        return _decoded(key, "the keychain")

    def _asked(self) -> str | None:
        with _keychain_in_words():
            import keyring

            return keyring.get_password(self.service, self.name)


_IN_A_FILE = "On a server keep the key in a file: pillarbox vault init --key-file PATH"


@contextlib.contextmanager
def _keychain_in_words() -> Iterator[None]:
    """Say that the keychain fails: its backends, and the choice of one, raise whatever they like."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        problem = type(error).__name__
    else:
        return
    raise Unavailable(f"The keychain can't be used here ({problem}).", cure=_IN_A_FILE)


def _written(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_OCTETS:
        raise Unavailable(f"What {where} holds is not a key of {KEY_OCTETS} octets in base64.", cure=LOST_KEY)
    return key


SOURCES: dict[str, type[KeySource]] = {
    source.kind: source for source in (EnvironmentKey, FileKey, KeychainKey)
}
