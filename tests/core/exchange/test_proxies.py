"""The way through the proxy that the environment names."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from pillarbox import SendDeferred
from pillarbox._exchange import proxies


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def proxy(says: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Give the port of a proxy that answers *says*, and what it hears."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.settimeout(5)
                heard.append(client.recv(4096))
                client.sendall(says)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(5)


def test_without_one_there_is_none() -> None:
    """The connection is direct."""
    assert proxies.way_to("graph.microsoft.com", "https") is None


def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what NO_PROXY names."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "graph.microsoft.com")
    assert proxies.way_to("127.0.0.1", "https") is None
    assert proxies.way_to("localhost", "https") is None
    assert proxies.way_to("graph.microsoft.com", "https") is None
    assert proxies.way_to("login.microsoftonline.com", "https") is not None


def test_it_is_asked_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with its own user name; what follows its answer is the server's."""
    with proxy(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nTLS") as (port, heard):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass%20word@127.0.0.1:{port}")
        way = proxies.way_to("graph.microsoft.com", "https")
        assert way is not None
        with way("graph.microsoft.com", 443, 5) as connected:
            connected.settimeout(5)
            assert connected.recv(3) == b"TLS"
    assert heard[0].startswith(
        b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: graph.microsoft.com:443\r\n"
    )
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n" in heard[0]


@pytest.mark.parametrize("says", [b"HTTP/1.1 407 Sign in\r\n\r\n", b"", b"SSH-2.0\r\n\r\n", b"x" * 20_000])
def test_a_proxy_that_does_not_lead_there(says: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent."""
    with proxy(says) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
        way = proxies.way_to("graph.microsoft.com", "https")
        assert way is not None
        with pytest.raises(SendDeferred) as caught:
            way("graph.microsoft.com", 443, 5)
    assert caught.value.stage == "proxy"


def test_a_proxy_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, not tried."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    way = proxies.way_to("graph.microsoft.com", "https")
    assert way is not None
    with pytest.raises(SendDeferred, match="not understood"):
        way("graph.microsoft.com", 443, 5)
