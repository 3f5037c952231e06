"""One exchange over HTTP: bounded in time and size, never redirected, never repeated, the certificate always verified."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pillarbox import Network, SendDeferred

from .app import is_loopback
from .exchange import LARGEST_ANSWER, Answer, Broken, Pieces

if TYPE_CHECKING:
    import requests

IDLE = 30.0
"""Seconds for which a connection may rest; an older one may be gone without a word, so a new one is made."""
_TICK = 0.05
"""Seconds by which two clocks may differ about the same limit."""
_PIECE = 64 * 1024


class Wire:
    """Exchanges with one provider; for one thread at a time. The connection is kept between them.

    Args:
        ca_file: The authorities to trust; "" for the system's. What variables of the environment name is not read,
            but for proxies.
        timeout: Seconds for one exchange, looking up the name and connecting included.
        trace: Takes a line for each request and each answer, without secrets.
    """

    def __init__(
        self, ca_file: str = "", timeout: float = 60.0, trace: Callable[[str], None] | None = None
    ) -> None:
        self._ca_file = ca_file
        self._timeout = timeout
        self._trace = trace
        self._network = Network()  # the deployer says where the provider is
        self._session: requests.Session | None = None
        self._socket: socket.socket | None = None
        self._ready: socket.socket | None = None
        self._give_up = 0.0
        self._over = threading.Event()
        self._used_at = 0.0

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Pieces | None = None,
        seconds: float = 0.0,
    ) -> Answer:
        """Return the answer to one request, whatever its status.

        Args:
            method: Of HTTP.
            url: Where to; it holds no secret.
            headers: More of them.
            body: What is sent.
            seconds: More than the usual time.

        Raises:
            SendDeferred: No connection came about, so nothing was sent (stage `dns`, `connect` or `tls`).
            Broken: It began and got no valid answer.
            SettingsError: The private CA file can't be used.
        """
        self._refresh()
        self._say(f"> {method} {_shown(url)} ({len(body or b''):,} octets)")
        self._give_up = time.monotonic() + self._timeout + seconds
        self._over = threading.Event()
        watch = threading.Timer(self._timeout + seconds, self._cut, (self._over,))
        watch.daemon = True
        watch.start()
        try:
            answer = self._exchange(method, url, dict(headers or {}), body, self._timeout + seconds)
        except BaseException:
            self.close()
            raise
        finally:
            watch.cancel()
        self._used_at = time.monotonic()
        self._say(f"< {answer.status} ({len(answer.body):,} octets)")
        return answer

    def prepare(self, url: str) -> None:
        """See that there is a connection to *url*, so that the next request fails for no lack of one.

        Raises:
            SendDeferred: None came about.
        """
        self._refresh()
        if self._socket is None and self._ready is None and not _proxies(url):
            self._ready = self._connected(*_place(url), self._timeout)

    def close(self) -> None:
        """Let the connection go."""
        session, self._session, self._socket = self._session, None, None
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.close()
        if session is not None:
            session.close()

    def _refresh(self) -> None:
        """Drop a connection that the other side has closed, or that rested for too long to be trusted."""
        if self._socket is not None and (time.monotonic() - self._used_at > IDLE or _is_over(self._socket)):
            self.close()

    def _say(self, line: str) -> None:
        if self._trace is not None:
            self._trace(line)

    def _cut(self, over: threading.Event) -> None:
        """End the exchange that has no time left: whoever waits on its socket gets an end."""
        over.set()
        connected = self._socket
        if connected is not None and self._over is over:
            with contextlib.suppress(OSError):  # it has ended by itself
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | Pieces | None, seconds: float
    ) -> Answer:
        import requests
        import urllib3

        headers = {"Accept-Encoding": "identity", "User-Agent": "pillarbox-gmail", **headers}
        failure: Exception
        try:
            with self._opened().request(
                method,
                url,
                data=body,  # type: ignore[arg-type,unused-ignore]
                headers=headers,
                allow_redirects=False,
                stream=True,
                timeout=seconds,
                proxies=_proxies(url),
            ) as response:
                return self._read(response)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = Broken(self._how()) if self._socket is not None else _no_connection(error, url)
        raise failure

    def _read(self, response: requests.Response) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Broken("the answer came in an encoding that was not asked for")
        if response.status_code != 204 and not headers.keys() & {"content-length", "transfer-encoding"}:
            raise Broken("the answer does not say where it ends")  # and may have been cut anywhere
        body = bytearray()
        for piece in response.iter_content(_PIECE):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise Broken("the answer does not end")
        return Answer(response.status_code, headers, bytes(body))

    def _how(self) -> str:
        is_late = (
            self._over.is_set() or time.monotonic() > self._give_up - _TICK
        )  # the socket's own limit may be first
        return "no answer came in time" if is_late else "the line broke"

    def _connected(self, host: str, port: int, seconds: float) -> socket.socket:
        return self._network.connect(host, port, timeout=seconds)

    def _new_socket(self, host: str, port: int) -> socket.socket:
        self._socket = None
        seconds = max(0.1, self._give_up - time.monotonic())
        ready, self._ready = self._ready, None
        made = ready or self._connected(host, port, seconds)
        made.settimeout(seconds)
        return made

    def _connection_is(self, connected: socket.socket) -> None:
        """Know the connection that is ready; one that came too late for its exchange is none."""
        self._socket = connected
        if self._over.is_set():
            self._socket = None
            raise TimeoutError

    def _opened(self) -> requests.Session:
        if self._session is None:
            from .session import session

            self._session = session(self._ca_file, self._new_socket, self._connection_is)
        return self._session


def _no_connection(error: Exception, url: str) -> SendDeferred:
    """Return what it means that *error* came before there was a connection, so that nothing was sent."""
    host = urlsplit(url).hostname
    if "certificate verify failed" in str(error).lower():
        return SendDeferred(
            f"The certificate of {host} is not trusted here; nothing left.",
            stage="tls",
            cure="Name the authority in ca_file of [apps.gmail], or mend this machine's clock or certificates.",
        )
    return SendDeferred(
        f"No connection to {host} came about; nothing left.",
        stage="connect",
        cure="Check the network, the firewall and the proxy.",
    )


def _is_over(connected: socket.socket) -> bool:
    """Whether the other side has closed it, or said something that nobody asked for."""
    from urllib3.util import wait_for_read

    return connected.fileno() < 0 or wait_for_read(connected, timeout=0)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _proxies(url: str) -> dict[str, str]:
    """Return the proxies that the environment names for *url*; this machine itself is reached without."""
    if is_loopback(url):
        return {}
    from requests.utils import get_environ_proxies

    return get_environ_proxies(url)


def _shown(url: str) -> str:
    """Return *url* as a trace shows it: without a query, which may name an upload that others could go on with."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"
