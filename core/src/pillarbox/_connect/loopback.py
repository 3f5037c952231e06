"""The redirect of a sign-in on this computer: a listener on the loopback interface (RFC 8252, section 7.3)."""

from __future__ import annotations

import html
import http.server
import queue
import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from .._connectors import Connection, Pending, Refused

Answer = Connection | Pending | Refused
PASTED = "http://localhost:1"
"""Where a redirect goes that a person copies from the address bar: browsers refuse that port, so nobody receives it."""
_IDLE = 10.0
"""Seconds for a browser to say what it wants: some open connections and never do."""


def browse(url: str) -> None:
    """Open *url* in the person's browser."""
    webbrowser.open(url)


class Listener:
    """Waits on a port of its own for one redirect, and shows the person what came of it.

    Only a redirect with the right state is answered with anything but 404: another program on this computer, or a page
    in the browser, can knock as often as it likes.
    """

    def __init__(self) -> None:
        self._came: queue.Queue[tuple[dict[str, str], queue.Queue[str]]] = queue.Queue()
        self._state = ""
        self._guard = threading.Lock()
        self._servers = _servers(self._handler())
        self._threads = [
            threading.Thread(
                target=server.serve_forever, args=(0.05,), daemon=True, name="pillarbox-redirect"
            )
            for server in self._servers
        ]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._servers[0].server_address[1])

    @property
    def redirect_uri(self) -> str:
        """What the provider has to redirect to; any port is allowed to a native app."""
        return f"http://localhost:{self.port}"

    def wait(self, state: str, finish: Callable[[Mapping[str, str]], Answer], timeout: float) -> Answer:
        """Return what *finish* says of the redirect with *state*, or that none came in *timeout* seconds."""
        self._state = state
        try:
            given, shown = self._came.get(timeout=timeout)
        except queue.Empty:
            return Pending()
        try:
            answer = finish(given)
        except BaseException as error:
            shown.put(_page(f"That did not work: {type(error).__name__}. See the program that asked."))
            raise
        shown.put(_page(sentence(answer)))
        time.sleep(0.2)  # a moment for the browser to get it, before the port is closed
        return answer

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _take(self, given: dict[str, str]) -> queue.Queue[str] | None:
        """Return where the page for the redirect *given* will be, or None where it is not the one."""
        with self._guard:
            if not self._state or given.get("state") != self._state:
                return None
            self._state = ""
        shown: queue.Queue[str] = queue.Queue()
        self._came.put((given, shown))
        return shown

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        take = self._take

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = _IDLE
            server_version, sys_version = "pillarbox", ""

            def do_GET(self) -> None:
                shown = take(_query(self.path)) if self._is_for_us() else None
                if shown is None:
                    self._say(404, _page("There is nothing here."))
                    return
                try:
                    self._say(200, shown.get(timeout=120))
                except queue.Empty:
                    self._say(504, _page("The program that asked does not answer."))

            def _is_for_us(self) -> bool:
                """Whether the browser asked for this computer by its own name, not by one that was pointed here."""
                host = (self.headers.get("Host") or "").rpartition(":")[0]
                return host in {"localhost", "127.0.0.1", "[::1]"}

            def _say(self, code: int, page: str) -> None:
                content = page.encode()
                self.send_response(code)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing: the path holds the code."""

        return Handler


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes away is none of ours."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _servers(handler: type[http.server.BaseHTTPRequestHandler]) -> list[_Server]:
    """Return servers on both loopback addresses where there are two: a browser may take `localhost` for either."""
    first = _Server(("127.0.0.1", 0), handler)
    try:
        return [first, _Server6(("::1", int(first.server_address[1])), handler)]
    except OSError:
        return [first]


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


def _query(path: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(path).query, keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return {}
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else {}


def sentence(answer: Answer) -> str:
    """Return what came of a sign-in, for the person in front of the browser."""
    if isinstance(answer, Connection):
        return f"Connected as {answer.address}. You can close this window."
    if isinstance(answer, Refused):
        return f"Not connected: {in_words(answer)}"
    return "Not finished yet."


def in_words(refused: Refused) -> str:
    """Return why a sign-in came to nothing, and what to do: a sentence or two."""
    from .words import why

    return f"{why(refused)} {refused.cure}".strip()


def _page(text: str) -> str:
    said = html.escape(text)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>pillarbox</title>'
        "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}</style>"
        f"<p>{said}</p></html>\n"
    )
