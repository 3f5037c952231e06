"""Whatever octets a proxy says, a tunnel leads somewhere or is one of our own errors, and leaves no socket behind."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pillarbox import SendDeferred, SignInNeeded
from pillarbox_smtp.proxies import Proxy
from pillarbox_smtp.tunnel import Tunnel
from tests.plugins.smtp.proxying import PROXY_PASSWORD, USER

STARTS = {
    "socks5": (
        b"",
        b"\x05\x00",
        b"\x05\x02",
        b"\x05\x02\x01\x00",
        b"\x05\x00\x05\x00\x00",
        b"\x05\x00\x05\x00\x00\x03",
    ),
    "http": (b"", b"HTTP/1.1 ", b"HTTP/1.1 200", b"HTTP/1.1 407 x\r\n", b"HTTP/1.0 " + b"9" * 5000),
}
ENDS = (b"", b"\r\n\r\n", b"\n\n", b"\x00" * 300)


class Parrot:
    """Says the same to everybody who connects, and closes when they have said enough or gone.

    Attributes:
        says: What.
    """

    def __init__(self) -> None:
        self.says = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                with client, contextlib.suppress(OSError):
                    client.settimeout(2)
                    client.sendall(self.says)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(4096):
                        pass

    def close(self) -> None:
        """Stop."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def parrot() -> Iterator[Parrot]:
    """One that says what a test lets it say."""
    bird = Parrot()
    yield bird
    bird.close()


@pytest.mark.parametrize("kind", STARTS)
@pytest.mark.parametrize("signs_in", [True, False])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_octets(parrot: Parrot, kind: str, signs_in: bool, data: st.DataObject) -> None:
    """Each an answer, cut anywhere."""
    start = data.draw(st.sampled_from(STARTS[kind]))
    parrot.says = start + data.draw(st.binary(max_size=24)) + data.draw(st.sampled_from(ENDS))
    sign_in = (USER, PROXY_PASSWORD) if signs_in else ()
    tunnel = Tunnel(Proxy(kind, "127.0.0.1", parrot.port), *sign_in)
    try:
        tunnel("mail.example", 587, 5.0).close()
    except (SendDeferred, SignInNeeded) as error:
        assert error.stage in {"proxy", "connect"}
        assert error.cure
        assert PROXY_PASSWORD not in repr(error) + repr(vars(error))
