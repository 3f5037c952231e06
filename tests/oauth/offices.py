"""A deployment that signs its accounts in at the provider: a settings file, a sealed vault, and the mailer that opens both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from pillarbox import Actor, Connection, Credentials, Grant, Mailer, Pending, Prompt, Refused, Role
from pillarbox_vault import FileKey, open_vault
from tests.oauth.browser import ALICE, Browser, Page
from tests.oauth.clients import WEB
from tests.oauth.mounts import Mount
from tests.oauth.provider import Provider

ADMIN: Final = Actor("root", Role.ADMINISTRATOR)
DEPLOYER: Final = Actor("root", Role.DEPLOYER)
BOB: Final = "bob@contoso.test"
AS_BOB: Final = Actor("bob", Role.OWNER)
METHODS: Final = ("m365", "gmail")
SEND: Final = {"m365": "Mail.Send", "gmail": "https://www.googleapis.com/auth/gmail.send"}
"""The scope that a connection which may only send can't do without, as it is asked for ..."""
CONFIRM: Final = {"m365": "Mail.ReadWrite", "gmail": "https://www.googleapis.com/auth/gmail.compose"}
"""... and one that may look as well."""


@attrs.frozen
class Office:
    """A company that is Alice's address, and Bob who has an account of his own; both sign in by one method.

    Attributes:
        provider: Where they sign in.
        method: `m365` or `gmail`.
        file: The settings file.
        mailer: Opened by it.
    """

    provider: Provider
    method: str
    file: Path
    mailer: Mailer

    @property
    def mount(self) -> Mount:
        """The method's side of the provider."""
        return {"m365": self.provider.entra, "gmail": self.provider.google}[self.method]

    def by_redirect(
        self,
        browser: Browser,
        user: str | None = None,
        *,
        by: Actor = ADMIN,
        grant: Grant = Grant.CONFIRM,
        **said: Any,
    ) -> Connection | Pending | Refused:
        """Sign in as for a host on the web, and return what came of it; *said* is for the browser."""
        prompt, page = self.redirected(browser, user, by=by, grant=grant, **said)
        del prompt
        return self.mailer.finish_connect(parameters(page), by=by)

    def redirected(
        self,
        browser: Browser,
        user: str | None = None,
        *,
        by: Actor = ADMIN,
        grant: Grant = Grant.CONFIRM,
        redirect_uri: str = WEB,
        **said: Any,
    ) -> tuple[Prompt, Page]:
        """Do the same until the browser is redirected; return what the host was given, and where it ended."""
        prompt = self.mailer.connect(user, by=by, grant=grant, redirect_uri=redirect_uri)
        assert prompt.url is not None
        account = {None: ALICE, "bob": BOB}[user]
        return prompt, browser.sign_in(prompt.url, **{"account": account, **said})

    def credentials(self, user: str | None = None) -> Credentials:
        """Return what a transport of the account is given."""
        return credentials(self.mailer, user)

    def token(self, user: str | None = None) -> str:
        """Return an access token of the account, as a transport gets it."""
        return self.credentials(user).token()

    def another_token(self, user: str | None = None) -> str:
        """Return the token that follows when the interface has refused the one that is held."""
        found = self.credentials(user)
        found.refuse(found.token())
        return found.token()

    @property
    def connected(self) -> list[str]:
        """Whose sign-ins lie in the vault; what is still under way goes by itself."""
        assert self.mailer.vault is not None
        return [name for name in self.mailer.vault.names() if name.endswith("/sign-in")]

    def kept(self, user: str | None = None) -> dict[str, Any]:
        """Return what is sealed of a sign-in, as the connector wrote it."""
        stored = self.credentials(user).stored()
        assert stored is not None
        values: dict[str, Any] = json.loads(stored.secret)
        return values


def credentials(mailer: Mailer, user: str | None = None) -> Credentials:
    """Return what a transport of the account is given."""
    return mailer._credentials(mailer._to_connect(user, None)[1])


def parameters(page: Page) -> dict[str, str]:
    """Return the parameters of a redirect."""
    return dict(parse_qsl(urlsplit(page.url).query, keep_blank_values=True))


def registration(provider: Provider, method: str, client: str, folder: Path) -> dict[str, Any]:
    """Return what `[apps.<method>]` says for one of the provider's apps; what is secret lies in files of *folder*."""
    given, ca_file = provider.clients[client], str(provider.ca_file)
    app: dict[str, Any]
    if method == "m365":
        entra = provider.entra
        app = {"client_id": given.id, "tenant": entra.tenant, "authority": entra.base, "ca_file": ca_file}
        if given.key:
            app["certificate"] = {"file": str(given.key_file(folder))}
    else:
        google = provider.google
        app = {
            "ca_file": ca_file,
            "issuer": google.issuer,
            "auth_uri": google.auth_uri,
            "certs_uri": google.certs_uri,
        }
        app |= {"token_uri": google.token_uri, "revoke_uri": google.revoke_uri}
        app |= (
            {"service_account": {"file": str(given.key_file(folder))}}
            if given.key
            else {"client_id": given.id}
        )
    if given.secret:
        app["client_secret"] = {"file": str(_owner_only(folder / f"{client}.secret", given.secret))}
    return app


def opened(
    provider: Provider,
    method: str,
    folder: Path,
    client: str = "",
    *,
    app: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    api: str = "",
    smtp: Mapping[str, Any] | None = None,
) -> Office:
    """Return an office in *folder*.

    Args:
        provider: Where it signs in.
        method: By which method.
        folder: Where its files are.
        client: Which of the provider's apps it is; by default one with a secret, for pages on the web.
        app: What `[apps.<method>]` says besides.
        settings: What `[company.<method>]` says.
        api: Where the provider's interface for mail is.
        smtp: The settings of an SMTP server, which the company's mail goes to with the provider's tokens.
    """
    web = {"m365": "web", "gmail": "googleWeb"}[method]
    known = {**registration(provider, method, client or web, folder), **(app or {})}
    if api:
        known[{"m365": "graph", "gmail": "api"}[method]] = api
    file = folder / "pillarbox.toml"
    ways = (
        {method: settings or {}} if smtp is None else {"smtp": {**smtp, "sign_in": method, "username": ALICE}}
    )
    file.write_text(_toml(method, known, ways))
    open_vault(folder / "pillarbox.vault.sqlite3").create_key(FileKey(folder / "vault.key"))
    return Office(provider, method, file, Mailer.open(file))


def _toml(method: str, app: Mapping[str, Any], ways: Mapping[str, Mapping[str, Any]]) -> str:
    ((way, settings),) = ways.items()
    tables = {
        "company": {"address": ALICE, "name": "Contoso", "method": way},
        f"company.{way}": settings,
        "users.bob": {"address": BOB, "name": "Bob", "settings": "personal", "method": method},
        f"apps.{method}": app,
    }
    lines = [
        (f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items()))
        for name, table in tables.items()
    ]
    return "\n".join("\n".join(table) for table in lines) + "\n"


def _value(value: Any) -> str:
    """Return *value* as TOML writes it; strings, numbers and lists are as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


def _owner_only(file: Path, content: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(content)
    return file
