"""The registration with Google, once for a deployment: `[apps.gmail]`."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import attrs

from pillarbox import App, InvalidSettings, SettingsError
from pillarbox.settings import Role, Secret, setting

SEND = "https://www.googleapis.com/auth/gmail.send"
"""To send, and nothing else (Google calls it sensitive)."""
COMPOSE = "https://www.googleapis.com/auth/gmail.compose"
"""To send, and to read, make and delete drafts (restricted)."""
READONLY = "https://www.googleapis.com/auth/gmail.readonly"
"""To read the mailbox (restricted)."""
BASIC = "https://www.googleapis.com/auth/gmail.settings.basic"
"""To read and change settings, the list of aliases among them (restricted)."""
FULL = "https://mail.google.com/"
"""All of the mailbox; the only one that SMTP and IMAP take (restricted)."""


def is_loopback(url: str) -> bool:
    """Whether *url* leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_url(value: str) -> None:
    """Raise ValueError where *value* is no address of an interface that a secret may be sent to."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(f"must be a URL such as https://gmail.googleapis.com, not {value!r:.80}") from None
    strange = parts.username is not None or parts.query or parts.fragment or not value.isprintable()
    if parts.scheme not in {"https", "http"} or not parts.hostname or strange or " " in value:
        raise ValueError(f"must be a URL such as https://gmail.googleapis.com, not {value!r:.80}")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError(f"must begin with https://, since secrets are sent there; {value!r:.80} does not")


def _is_url_or_nothing(value: str) -> None:
    if value:
        _is_url(value)


def _url(default: str, label: str, text: str, *, binds: bool, may_be_empty: bool = False) -> Any:
    return setting(
        default,
        label=label,
        help=text,
        set_by=Role.DEPLOYER,
        binds=binds,
        advanced=True,
        converter=_bare,
        check=_is_url_or_nothing if may_be_empty else _is_url,
    )


def _bare(value: str) -> str:
    return value.strip().rstrip("/") if isinstance(value, str) else value


def _hosts(value: Any) -> tuple[str, ...]:
    return tuple(str(one).strip().rstrip(".").lower() for one in value)


@attrs.frozen(kw_only=True)
class GmailApp:
    """What `[apps.gmail]` holds: the OAuth client, or the service account, that Google gave the deployment."""

    client_id: str = setting(
        "",
        label="Client ID",
        help="Of the OAuth client, as the Google Cloud console shows it: it ends in .apps.googleusercontent.com.",
        set_by=Role.DEPLOYER,
        binds=True,
        converter=_bare,
    )
    client_secret: Secret | None = setting(
        None,
        label="Client secret",
        help="Of the OAuth client; Google gives one to desktop applications as well.",
        set_by=Role.DEPLOYER,
    )
    service_account: Secret | None = setting(
        None,
        label="Key of the service account",
        help="The JSON key file of a service account with domain-wide delegation, for accounts with mode = service.",
        set_by=Role.DEPLOYER,
    )
    service_domains: tuple[str, ...] = setting(
        (),
        label="Domains of the service account",
        help="The domains for whose mailboxes the service account may be used. Empty: any that its delegation reaches.",
        set_by=Role.DEPLOYER,
        advanced=True,
        converter=_hosts,
    )
    list_aliases: bool = setting(
        False,
        label="List aliases",
        help="Whether to ask, with send and confirm, for gmail.settings.basic too, so that the aliases of an account are"
        " known and from_policy = send_as has its proof.",
        set_by=Role.DEPLOYER,
    )
    look_in_sent: bool = setting(
        False,
        label="Look in Sent",
        help="Whether to ask, with send and confirm, for gmail.readonly too, so that a mail whose draft is gone is"
        " looked for in Sent and the Message-ID that Gmail gave it is known.",
        set_by=Role.DEPLOYER,
    )
    auth_uri: str = _url(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "Sign-in page",
        "Where a person signs in.",
        binds=False,
    )
    token_uri: str = _url(
        "https://oauth2.googleapis.com/token", "Token endpoint", "Where tokens are got.", binds=True
    )
    revoke_uri: str = _url(
        "https://oauth2.googleapis.com/revoke",
        "Revocation endpoint",
        "Where a sign-in is ended. Empty: nowhere.",
        binds=True,
        may_be_empty=True,
    )
    certs_uri: str = _url(
        "https://www.googleapis.com/oauth2/v1/certs",
        "Certificates",
        "Where the certificates are that an identity is verified with. A set of JWKs needs the distribution pyjwt.",
        binds=False,
    )
    issuer: str = _url(
        "https://accounts.google.com", "Issuer", "Who signs identities, as they name it.", binds=True
    )
    api: str = _url(
        "https://gmail.googleapis.com", "Gmail API", "The root of the interface, without a path.", binds=True
    )
    ca_file: str = setting(
        "",
        label="Private CA file",
        help="A PEM file of the certificate authorities to trust instead of the system's.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
    )
    hosts: tuple[str, ...] = setting(
        ("smtp.gmail.com", "imap.gmail.com"),
        label="Servers",
        help="The only servers that a token for SMTP and IMAP is shown to.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
        converter=_hosts,
    )

    def __attrs_post_init__(self) -> None:
        if not self.client_id and self.service_account is None:
            raise InvalidSettings(
                ["client_id: is required, unless only a service_account signs in"], where="apps.gmail"
            )

    @property
    def extra_scopes(self) -> tuple[str, ...]:
        """What is asked for beside the grant, and is no loss where it is refused."""
        asked = {BASIC: self.list_aliases, READONLY: self.look_in_sent}
        return tuple(scope for scope, wanted in asked.items() if wanted)


def registration(app: App | None) -> GmailApp:
    """Return what *app* holds; where there is no registration, where Google itself is.

    Raises:
        SettingsError: It is another connector's.
    """
    if app is None:
        return GmailApp(client_id="none")
    if not isinstance(app.settings, GmailApp):
        raise SettingsError("The registration is not one of Google's.", cure="Fill in [apps.gmail].")
    return app.settings
