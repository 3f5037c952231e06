"""The way to a server through a proxy: SOCKS5 and HTTP CONNECT as python-socks speaks them, with one deadline for all.

What the proxy says about the host is told at the stage `connect`, what is wrong with the proxy itself at `proxy`.
"""

from __future__ import annotations

import http
import socket
import time
from typing import Any

from python_socks import ProxyError, ProxyType
from python_socks.sync import Proxy as Client

from pillarbox import Network, SendDeferred, SendError, SignInNeeded

from .judgement import marked
from .proxies import Proxy

LARGEST_HEAD = 16 * 1024
"""Octets of an HTTP proxy's answer before the host's own octets begin; more is no answer."""
_KINDS = {"socks5": ProxyType.SOCKS5, "http": ProxyType.HTTP}
_NOTHING_LEFT = "nothing left"


class Tunnel:
    """Leads to hosts through one proxy; called as `Network.connect` calls a way.

    Args:
        proxy: Where it is.
        username: For the proxy; "" where it wants no sign-in.
        password: Likewise.
    """

    def __init__(self, proxy: Proxy, username: str = "", password: str = "") -> None:
        self._proxy = proxy
        self._username = username
        self._password = password

    def __call__(self, host: str, port: int, seconds: float) -> socket.socket:
        """Return a socket that leads to *host*, by name where it is one; all of it has so many *seconds*.

        Raises:
            SendDeferred: The proxy does not lead there (stage `connect`), or is not there itself (stage `proxy`).
            SignInNeeded: The proxy wants another sign-in, or one at all (stage `proxy`).
        """
        self._refuse_unsendable()
        give_up = time.monotonic() + seconds
        talk = Talk(self._reached(seconds), give_up, is_http=self._proxy.scheme == "http")
        try:
            self._client(talk).connect(dest_host=host, dest_port=port, timeout=seconds)
        except (ProxyError, OSError, ValueError) as error:
            talk.close()
            failure = self._told(error, talk, f"{host}:{port}")
        except BaseException:
            talk.close()
            raise
        else:
            return talk.released()
        raise failure

    def _client(self, talk: Talk) -> Client:
        return Client(
            _KINDS[self._proxy.scheme],
            self._proxy.host,
            self._proxy.port,
            self._username or None,
            self._password or None,
            rdns=True,
            forward=_Connected(talk),
        )

    def _reached(self, seconds: float) -> socket.socket:
        """Return a socket connected to the proxy, which a deployer named: so to any address."""
        try:
            return Network().connect(self._proxy.host, self._proxy.port, timeout=seconds)
        except SendDeferred as error:
            failure = error.detail.rstrip(".")
        raise _deferred(f"The proxy is not there: {failure}", "proxy-unreachable", _CURE_UNREACHABLE)

    def _refuse_unsendable(self) -> None:
        """Keep from asking the library to send what it can't; its words would hold the password.

        Raises:
            SignInNeeded: A user name or a password can't be sent to such a proxy.
        """
        is_socks = self._proxy.scheme == "socks5"
        given = (self._username, self._password)
        if is_socks and all(one.isascii() and len(one) <= 255 for one in given):
            return
        if not is_socks and ":" not in self._username and all(map(_is_latin, given)):
            return
        rule = "at most 255 ASCII characters" if is_socks else "Latin-1, and no colon in the user name"
        said = f"The user name or the password for {self._proxy} can't be sent; it takes {rule}"
        raise _sign_in(said, "proxy-sign-in-wrong", _CURE_SIGN_IN)

    def _told(self, error: Exception, talk: Talk, target: str) -> SendError:
        """Return what *error* means, by how far the exchange had got rather than by the library's words."""
        if self._proxy.scheme == "http":
            return self._told_by_http(error, talk, target)
        return self._told_by_socks(error, talk, target)

    def _told_by_http(self, error: Exception, talk: Talk, target: str) -> SendError:
        code = getattr(error, "error_code", None)
        if code is None:
            return self._broken(error, target, asked=True)
        said = f"{code} {_phrase(code)}".rstrip()
        if code in {407, 401}:  # tinyproxy says 401 to a sign-in that is wrong
            return self._unauthenticated(said)
        return self._closed_door(target, said, forbidden=code in {403, 405})

    def _told_by_socks(self, error: Exception, talk: Talk, target: str) -> SendError:
        code = getattr(error, "error_code", None)
        signs_in = talk.heard[1:2] == b"\x02"
        if code is not None:
            said = _SOCKS.get(int(code), f"it failed with the number {int(code)}")
            return self._closed_door(target, said, forbidden=int(code) == 2)
        if talk.heard[:2] == b"\x05\xff":
            return self._unauthenticated("it takes none of the sign-ins there are")
        if signs_in and talk.asked == 2 and len(talk.heard) >= 4 and talk.heard[2] == 1:
            return self._unauthenticated("it says so by SOCKS5")
        return self._broken(error, target, asked=talk.asked > (2 if signs_in else 1))

    def _unauthenticated(self, said: str) -> SignInNeeded:
        if not self._username:
            return _sign_in(
                f"{self._proxy} wants a sign-in of its own ({said})",
                "proxy-sign-in-needed",
                _CURE_NO_SIGN_IN,
            )
        return _sign_in(f"{self._proxy} refused the sign-in ({said})", "proxy-sign-in-refused", _CURE_SIGN_IN)

    def _closed_door(self, target: str, said: str, *, forbidden: bool) -> SendDeferred:
        if forbidden:
            return _deferred(
                f"{self._proxy} does not allow {target} ({said})",
                "connect-forbidden-by-proxy",
                _CURE_FORBIDDEN,
            )
        return _deferred(
            f"{self._proxy} can't reach {target} ({said})", "connect-failed-by-proxy", _CURE_TARGET
        )

    def _broken(self, error: Exception, target: str, *, asked: bool) -> SendDeferred:
        """Return what it means that the exchange broke; *asked*: for the target already."""
        if isinstance(error, ValueError) or (isinstance(error, ProxyError) and not _is_cut(error)):
            return _deferred(
                f"{self._proxy} answered what is not {self._proxy.scheme.upper()}",
                "proxy-garbage",
                _CURE_KIND,
            )
        how = "did not answer in time" if isinstance(error, TimeoutError) else "closed the connection"
        if asked:
            return _deferred(
                f"{self._proxy} {how} when it was asked for {target}", "connect-failed-by-proxy", _CURE_TARGET
            )
        code = "proxy-silent" if isinstance(error, TimeoutError) else "proxy-closed"
        return _deferred(f"{self._proxy} {how}", code, _CURE_KIND)


class Talk:
    """A socket as python-socks uses one: with a deadline for all of it, and no octet read that is the host's.

    A mail server speaks first, so its greeting may lie behind the proxy's answer already.

    Attributes:
        asked: How many times something was written.
        heard: What was read, as far as it tells how far the exchange had got.
    """

    def __init__(self, sock: socket.socket, give_up: float, *, is_http: bool) -> None:
        self._socket = sock
        self._give_up = give_up
        self._is_http = is_http
        self.asked: int = 0
        self.heard: bytes = b""

    def sendall(self, data: bytes) -> None:
        """Write all of *data*."""
        self._limit()
        self.asked += 1
        self._socket.sendall(data)

    def recv(self, most: int) -> bytes:
        """Return what comes, at most so many octets; of an HTTP proxy the head of its answer."""
        data = self._head() if self._is_http else self._some(most)
        self.heard += data[: 64 - len(self.heard)]
        return data

    def close(self) -> None:
        """Close the connection to the proxy."""
        self._socket.close()

    def released(self) -> socket.socket:
        """Return the socket, which leads to the host now."""
        return self._socket

    def _some(self, most: int) -> bytes:
        self._limit()
        return self._socket.recv(most)

    def _head(self) -> bytes:
        """Return the head of an HTTP answer to its empty line, octet by octet.

        Raises:
            ConnectionError: It ended before.
            ValueError: It is not HTTP, or too long.
        """
        head = bytearray()
        while not head.endswith((b"\r\n\r\n", b"\n\n")):
            octet = self._some(1)
            if not octet:
                raise ConnectionResetError
            head += octet
            if len(head) > LARGEST_HEAD or head[:7] != b"HTTP/1."[: len(head)]:
                raise ValueError("not HTTP")
        return bytes(head)

    def _limit(self) -> None:
        seconds = self._give_up - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        self._socket.settimeout(seconds)


class _Connected(Client):
    """What python-socks connects by: the connection that there is already."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def connect(self, *_: Any, **__: Any) -> Any:
        return self._talk


def _is_cut(error: ProxyError) -> bool:
    return type(error.args[0]).__name__ == "IncompleteReadError"


def _is_latin(text: str) -> bool:
    return all(ord(one) < 256 for one in text)


def _phrase(code: int) -> str:
    """Return the standard's words for *code*; the proxy's own might say back what it was told."""
    try:
        return http.HTTPStatus(code).phrase
    except ValueError:
        return ""


def _deferred(said: str, finding: str, cure: str) -> SendDeferred:
    stage = finding.partition("-")[0]
    return marked(SendDeferred(f"{said}; {_NOTHING_LEFT}.", stage=stage, cure=cure), finding)


def _sign_in(said: str, finding: str, cure: str) -> SignInNeeded:
    return marked(SignInNeeded(f"{said}; {_NOTHING_LEFT}.", stage="proxy", cure=cure), finding)


_SOCKS = {
    1: "it failed and does not say why",
    2: "its rules forbid it",
    3: "the network can't be reached",
    4: "the host can't be reached",
    5: "the connection was refused",
    6: "it took too long",
    7: "it does not connect to hosts",
    8: "it does not take such addresses",
}
"""What the numbers of a SOCKS5 answer mean (RFC 1928 6)."""
_CURE_UNREACHABLE = "Check the setting proxy, and whether the proxy runs."
_CURE_KIND = "Check that the proxy's kind and port belong together: SOCKS5 usually 1080, HTTP 3128 or 8080."
_CURE_SIGN_IN = "Check proxy_username and proxy_password."
_CURE_NO_SIGN_IN = "Set proxy_username and proxy_password."
_CURE_FORBIDDEN = "Have the proxy allow this host and port; many allow port 443 alone until they are told."
_CURE_TARGET = "Check the server and the port; the name is looked up by the proxy."
