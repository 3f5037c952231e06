"""What this side shows of itself under TLS: a client certificate, with the key that proves it is ours."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import attrs

from pillarbox import SettingsError
from pillarbox.settings import owner_only

from .certificates import Certificate
from .judgement import marked

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
LARGEST_FILE = 256 * 1024
"""Octets of a certificate's file; more is something else."""


@attrs.frozen
class Identity:
    """A client certificate and its key, in the deployer's files.

    Attributes:
        certificate_file: PEM: our certificate first, then what leads to its authority.
        key_file: PEM, readable by its owner only; "" where the key is in the certificate's file.
        password: Of a key that is encrypted, or "".
    """

    certificate_file: str
    key_file: str = ""
    password: str = attrs.field(default="", repr=False)

    def certificate(self) -> Certificate:
        """Return what our certificate says of itself.

        Raises:
            SettingsError: The file can't be read, or holds none.
        """
        try:
            with Path(self.certificate_file).open("rb") as file:
                text = file.read(LARGEST_FILE).decode("ascii", "replace")
            return Certificate.read(ssl.PEM_cert_to_DER_cert(_first(text)))
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or "it holds no certificate"
        said = f"The client certificate {self.certificate_file} can't be used: {problem}."
        raise marked(SettingsError(said, cure=_CURE_FILE), "tls-client-file")

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when one of the files is replaced; of one that is not there, nothing."""
        return tuple(_stamp(path) for path in {self.certificate_file, self.key_file or self.certificate_file})

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let *context* show our certificate to servers that ask for one.

        The key's file is opened once, checked on that descriptor (rule 40), and read by it where the system can.

        Raises:
            SettingsError: A file can't be read, the key is another's, or it can be read by others.
        """
        self.certificate()
        key_file = self.key_file or self.certificate_file
        asked: list[str] = []

        def password() -> str:
            asked.append(key_file)
            return self.password

        try:
            with owner_only(key_file) as descriptor:
                context.load_cert_chain(self.certificate_file, _by(descriptor, key_file), password)
        except SettingsError as error:
            failure = marked(SettingsError(error.detail, cure=error.cure or _CURE_FILE), "tls-client-key")
        except (OSError, ValueError) as error:
            failure = self._told(error, key_file, encrypted=bool(asked))
        else:
            return
        raise failure

    def _told(self, error: Exception, key_file: str, *, encrypted: bool) -> SettingsError:
        if encrypted and not self.password:
            said = f"The key in {key_file} is encrypted, and no password is set for it."
            return marked(SettingsError(said, cure="Set client_key_password."), "tls-client-key-password")
        if encrypted:
            said = f"The password for the key in {key_file} does not open it."
            return marked(SettingsError(said, cure="Check client_key_password."), "tls-client-key-password")
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            said = f"The key in {key_file} does not belong to the client certificate {self.certificate_file}."
            return marked(SettingsError(said, cure=_CURE_PAIR), "tls-client-key")
        said = f"The file {key_file} holds no key that can be used."
        return marked(SettingsError(said, cure=_CURE_FILE), "tls-client-key")


def _first(text: str) -> str:
    """Return the first certificate in the *text* of a PEM file.

    Raises:
        ValueError: There is none.
    """
    start = text.index(_BEGIN)
    return text[start : text.index(_END, start) + len(_END)]


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _by(descriptor: int, path: str) -> str:
    """Return a name of the file that is open as *descriptor*; where the system has none, its *path*."""
    named = f"/dev/fd/{descriptor}"
    return named if os.name != "nt" and Path(named).exists() else path


_CURE_FILE = (
    "Name a readable PEM file in client_certificate, and the key's in client_key where it has its own."
)
_CURE_PAIR = "Name the key that the certificate was made for in client_key."
