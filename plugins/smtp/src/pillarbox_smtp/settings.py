"""What a person or a deployer sets for an SMTP account, and what is doubtful about it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import attrs

from pillarbox import InvalidSettings
from pillarbox.settings import EnvelopeSender, FromPolicy, Role, Secret, between, setting

from .fields import HOST, Encryption, fingerprint, host, is_address, is_fingerprint, is_host, is_plain
from .proxies import Proxy
from .saved_copy import SavedCopy, saved_copy_problems

MECHANISMS = ("SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "EXTERNAL")
"""The SASL mechanisms there are."""
WITH_PASSWORD = ("SCRAM-SHA-256", "PLAIN", "LOGIN")
"""Those tried with a password, in this order, unless `sasl` names others. The first that is offered is used."""
WITH_TOKEN = ("XOAUTH2", "OAUTHBEARER")
"""Those tried with the token of a connected account."""
WITH_CERTIFICATE = ("EXTERNAL",)
"""Those tried where a client certificate stands in the place of a password."""


def _mechanisms(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(name).strip().upper() for name in value)


def _are_mechanisms(names: tuple[str, ...]) -> None:
    strange = [name for name in names if name not in MECHANISMS]
    if strange:
        raise ValueError(f"must be from {', '.join(MECHANISMS)}; {strange[0]!r:.40} is none of them")


def _is_local_hostname(value: str) -> None:
    if value and not (re.fullmatch(r"\[[0-9A-Za-z:.]+\]", value) or HOST.fullmatch(value.lower())):
        raise ValueError(f"must be this machine's name or an address in brackets, not {value!r:.80}")


def _stripped(value: str) -> str:
    return value.strip() if isinstance(value, str) else value


def _is_proxy(value: str) -> None:
    if value:
        Proxy.read(value)


@attrs.frozen(kw_only=True)
class SmtpSettings:
    """The settings of an SMTP account.

    Without authentication neither a user name nor a password is kept: what is given of them is dropped here, so
    that it is not written back, and never sent.
    """

    server: str = setting(
        label="Server",
        help="The name of the outgoing mail server, as your provider gives it.",
        binds=True,
        converter=host,
        check=is_host,
    )
    encryption: Encryption = setting(
        Encryption.STARTTLS,
        label="Encryption",
        help="STARTTLS begins in clear and turns encryption on before anything is said; TLS is encrypted from the"
        " first octet. What you choose is required. Choosing sets the port.",
        binds=True,
    )
    port: int = setting(
        label="Port",
        help="Set by the encryption: none 25, STARTTLS 587, TLS 465. Change it only if your provider says so.",
        binds=True,
        check=between(1, 65535),
        default=attrs.Factory(lambda self: self.encryption.port, takes_self=True),
    )
    authenticate: bool = setting(
        True,
        label="Authentication required",
        help="Whether the server wants you to sign in. Nearly every server does.",
    )
    username: str = setting(
        "",
        label="Username",
        help="Who signs in: your own address, unless the username differs.",
        binds=True,
        check=is_plain,
    )
    password: Secret | None = setting(
        None,
        label="Password",
        help="It is kept in the vault, never in the settings, and sent encrypted only.",
    )
    sign_in: str = setting(
        "",
        label="Sign in with",
        help="The connector whose token is used in the place of a password, such as m365 or gmail.",
        binds=True,
        advanced=True,
        check=is_plain,
    )
    username_differs: bool = setting(
        False,
        label="Username differs from the address",
        help="For relays that give you an API user, or servers that want DOMAIN\\user.",
        advanced=True,
    )
    sasl: tuple[str, ...] = setting(
        (),
        label="Sign-in mechanisms",
        help="Which may be used, the preferred first. Empty: SCRAM-SHA-256, PLAIN, LOGIN; with a connector"
        " XOAUTH2, OAUTHBEARER. CRAM-MD5 is used only when it is named.",
        advanced=True,
        converter=_mechanisms,
        check=_are_mechanisms,
    )
    from_policy: FromPolicy | None = setting(
        None,
        label="Address shown",
        help="For a company's account: user shows each user's own address, account always shows this account's.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    envelope_sender: EnvelopeSender = setting(
        EnvelopeSender.USER,
        label="Bounces go to",
        help="For a company's account: user sends them to the user who wrote, account to this account's mailbox.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
    )
    ca_file: str = setting(
        "",
        label="Private CA file",
        help="A PEM file of the certificate authorities to trust instead of the system's.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
        check=is_plain,
    )
    fingerprint: str = setting(
        "",
        label="Certificate fingerprint",
        help="The SHA-256 of the server's certificate (DER) in hexadecimal, with or without colons. Only exactly"
        " this certificate is accepted then, whoever issued it and whenever it expires.",
        set_by=Role.DEPLOYER,
        binds=True,
        advanced=True,
        converter=fingerprint,
        check=is_fingerprint,
    )
    client_certificate: str = setting(
        "",
        label="Client certificate",
        help="A PEM file with the certificate that this side shows to the server, and what leads to its authority."
        " With authentication and without a password it is what signs in (EXTERNAL).",
        set_by=Role.DEPLOYER,
        advanced=True,
        check=is_plain,
    )
    client_key: str = setting(
        "",
        label="Key of the client certificate",
        help="A PEM file that only its owner can read. Empty: the key is in the certificate's file.",
        set_by=Role.DEPLOYER,
        advanced=True,
        check=is_plain,
    )
    client_key_password: Secret | None = setting(
        None,
        label="Password of the key",
        help="For a key that is kept encrypted.",
        set_by=Role.DEPLOYER,
        goes_to=("client_certificate", "client_key"),
        advanced=True,
    )
    proxy: str = setting(
        "",
        label="Proxy",
        help="A proxy that leads to the server: socks5://HOST:PORT, or http://HOST:PORT for one that knows CONNECT.",
        set_by=Role.DEPLOYER,
        advanced=True,
        converter=_stripped,
        check=_is_proxy,
    )
    proxy_username: str = setting(
        "",
        label="Username for the proxy",
        help="Where the proxy wants a sign-in of its own.",
        set_by=Role.DEPLOYER,
        advanced=True,
        check=is_plain,
    )
    proxy_password: Secret | None = setting(
        None,
        label="Password for the proxy",
        help="It goes to the proxy in clear, as both kinds of proxy ask for it.",
        set_by=Role.DEPLOYER,
        goes_to=("proxy", "proxy_username"),
        advanced=True,
    )
    saved_copy: SavedCopy | None = setting(
        None,
        label="Sent copy",
        help="The mailbox that a copy of each sent message is filed in by IMAP, where the server files none.",
        advanced=True,
    )
    bounces: str = setting(
        "",
        label="Folder of bounces",
        help="A folder of the mailbox of saved_copy, INBOX mostly, in which notifications of undelivered mail arrive. They are"
        " read by `pillarbox outbox reports --poll`. Empty: they are not read.",
        advanced=True,
        converter=_stripped,
        check=is_plain,
    )
    connections: int = setting(
        2,
        label="Connections at once",
        help="How many connections this account may hold open to the server.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(1, 50),
    )
    timeout: float = setting(
        30.0,
        label="Time limit",
        help="Seconds for one exchange with the server, however slowly it trickles in.",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 600),
    )
    final_timeout: float = setting(
        600.0,
        label="Time limit for the final answer",
        help="Seconds for the answer to the end of the message. A short limit sends messages twice"
        " (RFC 5321 4.5.3.2.6 asks for 600).",
        set_by=Role.ADMINISTRATOR,
        advanced=True,
        check=between(0.1, 3600),
    )
    chunking_window: int = setting(
        0,
        label="Messages on the way at once",
        help="For bulk to a server that offers CHUNKING: how many messages may be sent before the first is answered."
        " As many may be in doubt when the line breaks. 0 waits for each.",
        set_by=Role.DEPLOYER,
        advanced=True,
        check=between(0, 100),
    )
    local_hostname: str = setting(
        "",
        label="This machine's name",
        help="What EHLO says. Empty: the address that the connection comes from, in brackets (RFC 5321 4.1.3).",
        set_by=Role.DEPLOYER,
        advanced=True,
        check=_is_local_hostname,
    )

    def __attrs_post_init__(self) -> None:
        if not self.authenticate:
            _drop_credentials(self)
        if problems := [
            *_sign_in_problems(self),
            *_certificate_problems(self),
            *_proxy_problems(self),
            *saved_copy_problems(self),
        ]:
            raise ValueError(problems[0]) if len(problems) == 1 else InvalidSettings(problems, where="smtp")

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms that may be used, the preferred first."""
        without = WITH_PASSWORD if self.password else WITH_CERTIFICATE
        return self.sasl or (WITH_TOKEN if self.sign_in else without)

    @property
    def is_loopback(self) -> bool:
        """Whether the server is named as this machine itself; what a proxy calls so is another."""
        if self.proxy:
            return False
        if is_address(self.server):
            return ipaddress.ip_address(self.server).is_loopback
        return self.server == "localhost" or self.server.endswith(".localhost")


def _sign_in_problems(settings: SmtpSettings) -> Iterator[str]:
    """Give `field: sentence` for all that keeps an account with authentication from signing in (rule 16)."""
    if not settings.authenticate:
        return
    if not settings.username:
        yield "username: is required, because authentication is"
    if not (settings.password or settings.sign_in or settings.client_certificate):
        yield "password: is required, because authentication is (or sign_in, a connector's name)"
    if settings.password and settings.sign_in:
        yield "sign_in: can't stand beside a password; remove one of them"
    needs = {name: _needed(name) for name in settings.sasl}
    strange = [name for name, (field, _) in needs.items() if not getattr(settings, field)]
    if strange:
        yield f"sasl: {strange[0]} needs {needs[strange[0]][1]}, which this account doesn't sign in with"


def _needed(mechanism: str) -> tuple[str, str]:
    """Return the setting that *mechanism* signs in with, and what it is called."""
    if mechanism in WITH_TOKEN:
        return "sign_in", "a connector (sign_in)"
    if mechanism in WITH_CERTIFICATE:
        return "client_certificate", "a client certificate (client_certificate)"
    return "password", "a password"


def _certificate_problems(settings: SmtpSettings) -> Iterator[str]:
    """Give `field: sentence` for all that keeps a client certificate from being shown."""
    if settings.client_certificate and settings.encryption is Encryption.NONE:
        yield "client_certificate: is shown under encryption only; set encryption = starttls or tls"
    for name in ("client_key", "client_key_password"):
        if getattr(settings, name) and not settings.client_certificate:
            yield f"{name}: needs a client_certificate"


def _proxy_problems(settings: SmtpSettings) -> Iterator[str]:
    """Give `field: sentence` for a half of a sign-in, and for one without a proxy."""
    for name, other in (("proxy_username", "proxy_password"), ("proxy_password", "proxy_username")):
        if getattr(settings, name) and not settings.proxy:
            yield f"{name}: needs a proxy"
        elif getattr(settings, name) and not getattr(settings, other):
            yield f"{other}: is required beside {name}"


def _drop_credentials(settings: SmtpSettings) -> None:
    for name, nothing in (
        ("username", ""),
        ("password", None),
        ("sign_in", ""),
        ("username_differs", False),
        ("sasl", ()),
    ):
        object.__setattr__(settings, name, nothing)


def warnings(settings: SmtpSettings) -> tuple[str, ...]:
    """Return what is doubtful about valid *settings*, each a sentence with its cure."""
    pair = (settings.port, settings.encryption)
    found = []
    if pair == (465, Encryption.STARTTLS):
        found.append("Port 465 usually speaks TLS from the first octet: set encryption = tls, or port 587.")
    if pair == (587, Encryption.TLS):
        found.append(
            "Port 587 usually begins in clear with STARTTLS: set encryption = starttls, or port 465."
        )
    if settings.encryption is Encryption.NONE and not settings.is_loopback:
        found.append(
            f"Mail goes to {settings.server} in clear, for anybody on the way to read: {_secure(settings)}."
        )
    return tuple(found)


def _secure(settings: SmtpSettings) -> str:
    if settings.authenticate:
        return "and a password is not sent like that; set encryption = starttls or tls"
    return "set encryption = starttls or tls where the server offers it"
