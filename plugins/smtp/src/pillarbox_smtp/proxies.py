"""The proxy of an account, as its setting says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pillarbox import Credentials, SignInNeeded, Unavailable

if TYPE_CHECKING:
    from .settings import SmtpSettings
    from .tunnel import Tunnel

_SCHEMES = ("socks5", "http")
_EXAMPLE = "such as socks5://proxy.example:1080 or http://proxy.example:3128"


class Proxy(NamedTuple):
    """A proxy.

    Attributes:
        scheme: `socks5` (RFC 1928) or `http` (CONNECT, RFC 9110 9.3.6).
        host: A name, or a numeric address without brackets.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def read(cls, url: str) -> Proxy:
        """Return the proxy that *url* names.

        Raises:
            ValueError: With the rest of a sentence: it names none, or holds more than that.
        """
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ValueError(f"must be a proxy's address, {_EXAMPLE}") from None
        _refuse_more(parts.netloc, parts.path.strip("/") + parts.query + parts.fragment)
        if parts.scheme not in _SCHEMES:
            raise ValueError(f"must begin with socks5:// or http://, {_EXAMPLE}")
        if not host or not port or not (url.isascii() and url.isprintable()) or " " in url:
            raise ValueError(f"must name a host and a port, {_EXAMPLE}")
        return cls(parts.scheme, host, port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"

    @property
    def place(self) -> str:
        """Host and port, as a person reads them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _refuse_more(netloc: str, rest: str) -> None:
    """Refuse a URL that holds a sign-in, which would stand in the settings in clear, or a path."""
    if "@" in netloc:
        raise ValueError("can't hold a user name or a password; use proxy_username and proxy_password")
    if rest:
        raise ValueError(f"must end behind the port, {_EXAMPLE}")


def way(settings: SmtpSettings, credentials: Credentials | None) -> Tunnel | None:
    """Return the way through the proxy of *settings*, for `Network.connect`; None where there is none.

    Raises:
        Unavailable: The library that speaks to proxies is not installed.
        SignInNeeded, SettingsError: The password for the proxy can't be read.
    """
    if not settings.proxy:
        return None
    try:
        from .tunnel import Tunnel
    except ModuleNotFoundError as error:
        if error.name != "python_socks":
            raise
        raise Unavailable(
            "The account's proxy needs python-socks, which is not installed.", cure=_CURE
        ) from None
    password = _password(credentials) if settings.proxy_password else ""
    return Tunnel(Proxy.read(settings.proxy), settings.proxy_username, password)


_CURE = "Install it with: pip install 'pillarbox-smtp[proxy]'"


def _password(credentials: Credentials | None) -> str:
    if credentials is None:
        raise SignInNeeded(
            "No credentials were given for the proxy.", stage="proxy", cure="Set its password."
        )
    return credentials.secret("proxy_password")
