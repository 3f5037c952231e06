"""The way through the proxy that the environment or the system names (HTTPS_PROXY, NO_PROXY), by CONNECT (RFC 9110, 9.3.6)."""

from __future__ import annotations

import base64
import socket
import urllib.request
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from .._errors import SendDeferred
from .._network import is_loopback

Way = Callable[[str, int, float], socket.socket]
_LONGEST_HEAD = 16_384
_CURE = "Check HTTPS_PROXY, or name the host in NO_PROXY."


def way_to(host: str, scheme: str) -> Way | None:
    """Return what leads to *host* through a proxy, or None where none is named for it; this machine needs none."""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    known = urllib.request.getproxies()
    named = known.get(scheme) or known.get("all") or ""
    if not named:
        return None
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    return lambda host, port, seconds: _tunnel(proxy, host, port, seconds)


def _tunnel(proxy: SplitResult, host: str, port: int, seconds: float) -> socket.socket:
    if proxy.scheme != "http" or not proxy.hostname:
        raise SendDeferred(f"A proxy by {proxy.scheme!r:.20} is not understood.", stage="proxy", cure=_CURE)
    try:
        connected = socket.create_connection((proxy.hostname, proxy.port or 80), timeout=seconds)
    except OSError:
        raise SendDeferred(
            f"The proxy {proxy.hostname} can't be reached.", stage="proxy", cure=_CURE
        ) from None
    try:
        connected.sendall(_asking(proxy, host, port))
        status = _status(connected)
    except OSError:
        status = b""
    if status != b"200":
        connected.close()
        said = status.decode("ascii", "replace") or "nothing"
        raise SendDeferred(f"The proxy {proxy.hostname} answered {said}.", stage="proxy", cure=_CURE)
    return connected


def _asking(proxy: SplitResult, host: str, port: int) -> bytes:
    to = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {to} HTTP/1.1", f"Host: {to}"]
    if proxy.username is not None:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def _status(connected: socket.socket) -> bytes:
    """Return the status of the proxy's answer, having read its header and no octet more: what follows is TLS."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        octet = connected.recv(1)
        if not octet:
            return b""
        head += octet
    words = head.split(b" ", 2)
    return words[1][:3] if len(words) > 1 and words[0].startswith(b"HTTP/1.") else b""
