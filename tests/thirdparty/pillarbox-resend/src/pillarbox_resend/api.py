"""One exchange with the API: one deadline for all of it, and a bound for the answer.

It is imported when something is sent: a page that shows the method's form needs no network.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from pillarbox import Network, SendDeferred

from .answers import Answer, NoAnswer

LONGEST = 1024 * 1024
"""Octets of an answer; a longer one is none."""
LONGEST_WAIT = 86_400.0
"""Seconds; a server that asks for more is asked again by then."""


class Api:
    """A connection to the API at *url*, made once and used for one exchange."""

    def __init__(self, url: str, network: Network, timeout: float) -> None:
        self._parts = urlsplit(url)
        self._network = network
        self._give_up = time.monotonic() + timeout
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Reach the server: where this fails, nothing was asked.

        Raises:
            SendDeferred: It can't be reached, or its certificate is not to be trusted.
        """
        host, is_tls = self._parts.hostname or "", self._parts.scheme == "https"
        port = self._parts.port or (443 if is_tls else 80)
        left = max(0.1, self._give_up - time.monotonic())
        sock = self._network.connect(host, port, timeout=left)
        sock.settimeout(max(0.1, self._give_up - time.monotonic()))
        self._socket = sock
        if is_tls:
            self._secure(sock, host)

    def _secure(self, sock: socket.socket, host: str) -> None:
        try:
            context = ssl.create_default_context()
            # The handshake by itself, so that what is cut off when time is over is the wrapped socket.
            self._socket = wrapped = context.wrap_socket(
                sock, server_hostname=host, do_handshake_on_connect=False
            )
            with self._in_time(wrapped):
                wrapped.do_handshake()
        except (OSError, ValueError) as error:
            raise SendDeferred(f"No TLS with {host}: {error}.", stage="tls") from None

    @contextlib.contextmanager
    def _in_time(self, sock: socket.socket) -> Iterator[None]:
        """Cut the line when time is over: its own time-out counts each read alone, and a server that drips meets none."""
        watch = threading.Timer(max(0.0, self._give_up - time.monotonic()), _cut, [sock])
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def exchange(
        self, method: str, path: str, key: str, body: bytes = b"", kind: str = "", once: str = ""
    ) -> Answer:
        """Return the answer to one request; with *once* it is done once, however often it is asked for.

        Raises:
            NoAnswer: None came that is complete, in time and of the kind that the API gives.
        """
        assert self._socket is not None, "connect() goes before"
        connection = http.client.HTTPConnection(self._parts.netloc)
        connection.sock = sock = self._socket
        headers = {"Authorization": f"Bearer {key}", "Content-Type": kind, "Connection": "close"}
        headers["User-Agent"] = "pillarbox-resend"
        if once:
            headers["Idempotency-Key"] = once
        try:
            with self._in_time(sock):
                connection.request(method, self._parts.path + path, body, headers)
                with connection.getresponse() as response:
                    return _answer(response, response.read(LONGEST + 1))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(type(error).__name__) from None
        finally:
            connection.close()

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _answer(response: http.client.HTTPResponse, text: bytes) -> Answer:
    """Return *response* with what its body says.

    Raises:
        ValueError: It is too long, or no JSON object.
    """
    if len(text) > LONGEST:
        raise ValueError("too long")
    value = json.loads(text or b"{}")
    if not isinstance(value, dict):
        raise ValueError("no object")
    asked = response.headers.get("Retry-After", "")
    wait = min(float(asked), LONGEST_WAIT) if asked.isascii() and asked.isdigit() else None
    return Answer(response.status, value, wait)


def _cut(sock: socket.socket) -> None:
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of TLS would take its state from whoever reads
    except OSError:  # it is closed already
        return
