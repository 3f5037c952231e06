"""Dovecot: IMAP with a Sent folder, a submission server, and the judge of sign-ins for Postfix."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import imaplib
import json
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.services._server import LOGINS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.services._authority import Authority


class Dovecot(Server):
    """Dovecot on four ports: submission with STARTTLS and with implicit TLS, IMAP likewise.

    PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 and OAUTHBEARER everywhere. The port for STARTTLS also takes sign-ins
    in clear, so it is `plain_port` too. Submission demands AUTH, minds no envelope sender, and refuses nobody;
    what it accepts is in `inbox`. `imap_port` offers STARTTLS, `imaps_port` is TLS from the first byte.
    """

    name = "Dovecot"
    program = Path("/usr/sbin/dovecot")
    port_names = ("starttls_port", "tls_port", "imap_port", "imaps_port")
    imap_port: int
    imaps_port: int

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority)
        self.plain_port = self.starttls_port
        self._token_key = secrets.token_bytes(32)

    @property
    def sasl_socket(self) -> Path:
        """Where another server asks Dovecot about a sign-in."""
        return self.folder / "run" / "sasl"

    def configure(self) -> list[str]:
        """The configuration, the passwords and the key of the tokens."""
        lines = (f"{address}:{{PLAIN}}{password}::::::\n" for address, password in LOGINS.items())
        (self.folder / "passwords").write_text("".join(lines))
        self._write_token_key()
        mail = self.folder / "mail"
        mail.mkdir()
        shutil.chown(mail, "nobody", "nogroup")
        self.write("oauth2.conf", "dovecot-oauth2.conf")
        config = self.write("dovecot.conf", "dovecot.conf")
        return [str(self.program), "-F", "-c", str(config)]

    def settled(self) -> bool:
        """Always: submission answers the final dot after the next hop did."""
        return True

    def clear(self) -> None:
        """Empties the inboxes of submission, and every IMAP folder."""
        super().clear()
        for address in LOGINS:
            if self._has_mail(address):
                self._empty_folders(address)

    def folder_of(self, address: str, name: str = "INBOX") -> list[bytes]:
        """The mails in an IMAP folder of this address, oldest first, with CRLF line ends."""
        with self._imap(address) as imap:
            imap.select(name, readonly=True)
            _, numbers = imap.search(None, "ALL")
            return [_fetched(imap, number) for number in numbers[0].split()]

    def token(self, address: str, *, lifetime_s: float = 3600) -> str:
        """An access token (a signed JWT, RFC 7519) for XOAUTH2 and OAUTHBEARER; negative: one that expired."""
        now = int(time.time())
        claims = {
            "iss": "https://login.acme.example",
            "sub": address,
            "email": address,
            "iat": now - 7200,
            "exp": now + int(lifetime_s),
        }
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = hmac.digest(self._token_key, signed.encode(), hashlib.sha256)
        return f"{signed}.{_base64url(signature)}"

    def _has_mail(self, address: str) -> bool:
        mails = self.folder / "mail" / address / "Maildir"
        return any(file.parent.name in {"cur", "new"} for file in mails.glob("**/*") if file.is_file())

    def _empty_folders(self, address: str) -> None:
        with self._imap(address) as imap:
            _, folders = imap.list()
            for folder in folders:
                assert isinstance(folder, bytes), f"IMAP LIST answered {folder!r}"
                if b"\\Noselect" in folder:
                    continue
                _, [count] = imap.select(folder.rpartition(b" ")[2].decode())
                if count != b"0":
                    imap.store("1:*", "+FLAGS.SILENT", "\\Deleted")
                    imap.expunge()

    @contextlib.contextmanager
    def _imap(self, address: str) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4(self.host, self.imap_port, timeout=10) as imap:
            imap.login(address, LOGINS[address])
            yield imap

    def _write_token_key(self) -> None:
        folder = self.folder / "keys" / "default" / "HS256"
        folder.mkdir(parents=True)
        (folder / "default").write_bytes(base64.b64encode(self._token_key))


class CertifyingDovecot(Dovecot):
    """Dovecot that signs clients in by their certificate (EXTERNAL), whose common name is who they are."""

    name = "Dovecot with client certificates"

    def configure(self) -> list[str]:
        """The usual configuration, with what it says of certificates behind it."""
        command = super().configure()
        more = self.write("certificates.conf", "dovecot-certificates.conf").read_text()
        with (self.folder / "dovecot.conf").open("a") as config:
            config.write(more)
        return command


def _fetched(imap: imaplib.IMAP4, number: bytes) -> bytes:
    _, answer = imap.fetch(number.decode(), "(BODY.PEEK[])")
    literal = answer[0]
    assert isinstance(literal, tuple), f"IMAP FETCH answered without the mail: {answer!r}"
    return literal[1]


def _part(content: Mapping[str, object]) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
