"""The registration with Microsoft Entra, once for a deployment: `[apps.m365]`."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

import attrs

from pillarbox.exchange import is_loopback
from pillarbox.settings import Role, Secret, setting

SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})
"""Names under which anybody's tenant may sign in."""
_TENANT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HOSTS = ("smtp.office365.com", "outlook.office365.com")
"""The only servers that a token for SMTP or IMAP is shown to."""
CA_FILE = "ca_file in [apps.m365]"
"""What a person calls the setting of the authorities that are trusted."""


def is_guid(value: str) -> bool:
    """Whether *value* is a GUID, as Entra names applications and tenants."""
    return _GUID.fullmatch(value) is not None


def _base(value: str) -> str:
    return value.strip().rstrip("/") if isinstance(value, str) else value


def _is_base(value: str) -> None:
    parts = _split(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("must begin with https://; http:// is for this machine itself")
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"must be an address without a user name, ? and #, not {value!r:.80}")


def _split(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(
            f"must be an address such as https://graph.microsoft.com, not {value!r:.80}"
        ) from None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"must be an address such as https://graph.microsoft.com, not {value!r:.80}")
    return parts


def _is_client_id(value: str) -> None:
    if not re.fullmatch(r"[!-~]{1,100}", value):
        raise ValueError("must be the Application (client) ID that Entra shows for the registration")


def _is_tenant(value: str) -> None:
    if not _TENANT.fullmatch(value):
        raise ValueError("must be the Directory (tenant) ID that Entra shows, or a domain of the tenant")


def _stripped(value: str) -> str:
    return value.strip() if isinstance(value, str) else value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one.strip().lower().rstrip(".") for one in value)


@attrs.frozen(kw_only=True)
class M365App:
    """The registration. All of it is the deployer's; what a sign-in is bound to says where a secret or a token goes."""

    client_id: str = setting(
        label="Application (client) ID",
        help="As the overview of the registration shows it.",
        set_by=Role.DEPLOYER,
        binds=True,
        converter=_stripped,
        check=_is_client_id,
    )
    tenant: str = setting(
        label="Directory (tenant) ID",
        help="Of your own tenant, or a domain of it. common, organizations and consumers let strangers sign in and are refused for"
        " a company's account.",
        set_by=Role.DEPLOYER,
        binds=True,
        converter=_stripped,
        check=_is_tenant,
    )
    client_secret: Secret | None = setting(
        None,
        label="Client secret",
        help="Its value, not its ID. Needed for pages on a web server and for mode = app, unless there is a certificate.",
        set_by=Role.DEPLOYER,
    )
    certificate: Secret | None = setting(
        None,
        label="Certificate",
        help='{ file = "PATH" } of a PEM file with the key and the certificate that was uploaded to the registration.',
        set_by=Role.DEPLOYER,
    )
    authority: str = setting(
        "https://login.microsoftonline.com",
        label="Authority",
        help="Where people sign in; another for a national cloud.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
        converter=_base,
        check=_is_base,
    )
    graph: str = setting(
        "https://graph.microsoft.com",
        label="Microsoft Graph",
        help="Where mail is submitted; another for a national cloud.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
        converter=_base,
        check=_is_base,
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
        HOSTS,
        label="Servers for SMTP and IMAP",
        help="The only servers that a token for SMTP or IMAP is shown to.",
        set_by=Role.DEPLOYER,
        advanced=True,
        converter=_hosts,
    )

    def __attrs_post_init__(self) -> None:
        if self.client_secret and self.certificate:
            raise ValueError("certificate: can't stand beside a client_secret; remove one of them")

    @property
    def is_confidential(self) -> bool:
        """Whether the application can prove who it is."""
        return self.client_secret is not None or self.certificate is not None

    @property
    def is_shared(self) -> bool:
        """Whether anybody's tenant may sign in."""
        return self.tenant.lower() in SHARED_TENANTS
