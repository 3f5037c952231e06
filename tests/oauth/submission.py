"""A mail server whose tokens are the provider's: Dovecot, which asks there about each one (RFC 7662)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pillarbox import Mailer
from pillarbox_vault import FileKey, open_vault
from tests.oauth.browser import ALICE
from tests.oauth.offices import Office, registration
from tests.services.servers import Dovecot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.oauth.provider import Provider
    from tests.services.servers import Authority

SMTP_SCOPE: Final = {"m365": "https://outlook.office.com/SMTP.Send", "gmail": "https://mail.google.com/"}
"""Without which the server takes no token for submission ..."""
IMAP_SCOPE: Final = {
    "m365": "https://outlook.office.com/IMAP.AccessAsUser.All",
    "gmail": "https://mail.google.com/",
}
"""... and none for IMAP."""
_PROVIDERS: Final = {"m365": "entra", "gmail": "google"}


class AskingDovecot(Dovecot):
    """Dovecot that asks one of the providers about a token, at each sign-in anew."""

    name = "Dovecot that asks about tokens"

    def __init__(self, authority: Authority, provider: Provider, connector: str) -> None:
        super().__init__(authority)
        self._provider, self._connector = provider, connector

    def configure(self) -> list[str]:
        """The usual configuration, with another judge of tokens."""
        command = super().configure()
        ca_file = self.folder / "provider.pem"  # the servers' own users can read what is in here
        ca_file.write_bytes(self._provider.ca_file.read_bytes())
        uri: str = getattr(self._provider, _PROVIDERS[self._connector]).introspection_uri
        self._write("oauth2.conf", uri, ca_file, SMTP_SCOPE[self._connector])
        self._write("oauth2-imap.conf", uri, ca_file, IMAP_SCOPE[self._connector])
        config = self.folder / "dovecot.conf"
        text = config.read_text()
        config.write_text(
            re.sub(r"passdb \{\n  driver = oauth2\n.*?\n\}\n", self._by_protocol, text, flags=re.DOTALL)
        )
        return command

    def _write(self, name: str, uri: str, ca_file: Path, scope: str) -> None:
        client = self._provider.clients["mailServer"]
        said = {
            "introspection_mode": "post",
            "introspection_url": uri.replace("://", f"://{client.id}:{client.secret}@"),
            "tls_ca_cert_file": ca_file,
            "username_attribute": "address",
            "active_attribute": "active",
            "active_value": "true",
            "scope": scope,
        }
        (self.folder / name).write_text("".join(f"{key} = {value}\n" for key, value in said.items()))

    def _by_protocol(self, judge: re.Match[str]) -> str:
        """Return the block of the *judge* of tokens, and another beside it that IMAP asks."""
        other = judge[0].replace("oauth2.conf", "oauth2-imap.conf")
        return f"protocol !imap {{\n{judge[0]}}}\nprotocol imap {{\n{other}}}\n"

    def copies(self, address: str) -> list[bytes]:
        """What lies in the Sent folder of this address, with CRLF line ends; needs no sign-in."""
        folder = self.folder / "mail" / address / "Maildir" / ".Sent"
        files = [file for name in ("new", "cur") for file in sorted(folder.glob(f"{name}/*"))]
        return [file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for file in files]


def opened(
    provider: Provider, connector: str, server: AskingDovecot, ca_file: Path, folder: Path, **given: Any
) -> Office:
    """Return an office in *folder* whose company sends by SMTP through *server*, and signs in with *connector*.

    What is *given* stands in its settings as well. `hosts` goes to the registration: the servers that may see a token.
    """
    web = {"m365": "web", "gmail": "googleWeb"}[connector]
    app = registration(provider, connector, web, folder) | {"hosts": given.pop("hosts", ["localhost"])}
    smtp = {
        "server": "localhost",
        "port": server.starttls_port,
        "username": ALICE,
        "sign_in": connector,
        "ca_file": str(ca_file),
        "timeout": 20.0,
        **given,
    }
    company = {"address": ALICE, "name": "Contoso", "method": "smtp"}
    file = folder / "pillarbox.toml"
    file.write_text(_toml({"company": company, "company.smtp": smtp, f"apps.{connector}": app}))
    open_vault(folder / "pillarbox.vault.sqlite3").create_key(FileKey(folder / "vault.key"))
    return Office(provider, connector, file, Mailer.open(file))


def _toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"[{name}]\n" + "".join(map(_line, table.items())) for name, table in tables.items()]
    return "\n".join(lines)


def _line(item: tuple[str, Any]) -> str:
    return f"{item[0]} = {_value(item[1])}\n"


def _value(value: Any) -> str:
    """Return *value* as TOML writes it; strings, numbers and lists are as in JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)
