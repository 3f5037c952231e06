"""A session of requests that connects as it is told, trusts whom it is told, and repeats nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from pillarbox import SettingsError

Connect = Callable[[str, int], socket.socket]
Told = Callable[[socket.socket], None]


def session(ca_file: str, connect: Connect, connected: Told) -> requests.Session:
    """Return a session that reads nothing of the environment, netrc and proxies neither, and keeps no cookies.

    Args:
        ca_file: The authorities to trust; "" for the system's.
        connect: Returns a socket to a host and a port.
        connected: Hears of each connection that is ready for a request, encrypted where it has to be.

    Raises:
        SettingsError: The file can't be used.
    """
    made = requests.Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _Adapter(_context(ca_file), connect, connected)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _context(ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError):  # an error of SSL is an OSError
        raise SettingsError(
            f"The file {ca_file!r:.200} holds no certificates that can be read.", cure="Set ca_file anew."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext, connect: Connect, connected: Told) -> None:
        self._context = context
        self._pools = _pools(connect, connected)
        super().__init__(
            pool_connections=1, pool_maxsize=1, max_retries=Retry(0, redirect=0, raise_on_redirect=False)
        )

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        made = super().proxy_manager_for(proxy, **named, ssl_context=self._context)
        made.pool_classes_by_scheme = self._pools
        return made

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Return where the request goes, and nothing of certificates: the context knows whom to trust."""
        return super().build_connection_pool_key_attributes(request, True, None)[0], {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: requests would add the authorities of its own bundle to the context's."""


def _pools(connect: Connect, connected: Told) -> dict[str, Any]:
    """Return the pools whose connections are made by *connect*, by scheme."""

    class Plain(HTTPConnection):
        response_class = _Whole

        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 80)

        def connect(self) -> None:
            super().connect()
            connected(self.sock)

    class Encrypted(HTTPSConnection):
        response_class = _Whole

        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 443)

        def connect(self) -> None:
            super().connect()
            connected(self.sock)  # type: ignore[arg-type,unused-ignore]

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


class _Lines:
    """Gives the lines of a header, and keeps the last.

    Attributes:
        last: What was read last; nothing where the line ended.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last: bytes = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self._file.readline(limit)
        return self.last

    def close(self) -> None:
        self._file.close()


class _Whole(http.client.HTTPResponse):
    """An answer whose header has an end: the library takes one that was cut for a whole one (RFC 9112, section 8)."""

    def begin(self) -> None:
        """Read the header.

        Raises:
            IncompleteRead: The line ended before it did.
        """
        file: Any = self.fp
        lines: Any = _Lines(file)
        self.fp = lines
        try:
            super().begin()
        finally:
            if self.fp is not None:  # else it was closed
                self.fp = file
        if not lines.last:
            raise http.client.IncompleteRead(b"")
