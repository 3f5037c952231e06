"""The redirect of a sign-in on this computer: a listener on the loopback interface (RFC 8252, section 7.3)."""

from __future__ import annotations

import errno
import html
import http.server
import queue
import secrets
import socket
import socketserver
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from .._connectors import Connection, Pending, Refused
from .callback import of_path

Answer = Connection | Pending | Refused
PASTED = "http://localhost:1"
"""Where a redirect goes that a person copies from the address bar: browsers refuse that port, so nobody receives it."""
_IDLE = 10.0
"""Seconds for a browser to say what it wants: some open connections and never do."""
_MOST = 32
"""Connections at once; whoever comes on top of them is let go."""
_LOOK = 0.5
"""Seconds of one wait: Windows lets nobody interrupt a longer one."""
_PATIENCE = 120.0
"""Seconds for the program to finish the sign-in while the browser waits for its page."""


def browse(url: str) -> None:
    """Open *url* in the person's browser, without waiting for it: some that run in a terminal end with the person's visit."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True, name="pillarbox-browser").start()


class Redirect:
    """One redirect that came.

    Attributes:
        given: Its parameters.
    """

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given
        self._page: queue.Queue[str] = queue.Queue()
        self._was_shown = threading.Event()

    def show(self, text: str) -> None:
        """Give the browser a page that says *text*, and wait a little until it has it."""
        self._page.put(_page(text))
        self._was_shown.wait(_IDLE)

    def page(self) -> str | None:
        """Return the page to show, or None where the program does not finish."""
        try:
            return self._page.get(timeout=_PATIENCE)
        except queue.Empty:
            return None

    def was_shown(self) -> None:
        """Say that the browser has its page, or is gone."""
        self._was_shown.set()


class Listener:
    """Waits on a port of its own for one redirect, and shows the person what came of it.

    Only a GET of the one redirect that is expected is let through, and once: another program on this computer, or a page
    in the browser, can knock as often as it likes.
    """

    def __init__(self) -> None:
        self._came: queue.Queue[Redirect] = queue.Queue()
        self._state = ""
        self._guard = threading.Lock()
        self._servers = _servers(_handler(self._take))
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

    def expect(self, state: str) -> None:
        """Let the redirect with *state* through from now on; say so before the browser is sent on its way."""
        with self._guard:
            self._state = state

    def wait(self, finish: Callable[[Mapping[str, str]], Answer], timeout: float) -> Answer:
        """Return what *finish* says of the redirect, or that none came in *timeout* seconds."""
        redirect = self._next(timeout)
        if redirect is None:
            self.expect("")
            return Pending()
        try:
            answer = finish(redirect.given)
        except BaseException:
            redirect.show("That did not work. The program that asked for it says why.")
            raise
        redirect.show(sentence(answer))
        return answer

    def _next(self, timeout: float) -> Redirect | None:
        """Return the redirect that comes in *timeout* seconds; looked for in short waits, which Ctrl-C ends everywhere."""
        give_up = time.monotonic() + timeout
        while True:
            left = give_up - time.monotonic()
            try:
                return self._came.get(timeout=max(0.0, min(left, _LOOK)))
            except queue.Empty:
                if left <= _LOOK:
                    return None

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

    def _take(self, given: dict[str, str]) -> Redirect | None:
        """Return the redirect of *given*, or None where it is not the one."""
        with self._guard:
            is_it = bool(self._state) and _same(given.get("state", ""), self._state)
            if not is_it:
                return None
            self._state = ""
        redirect = Redirect(given)
        self._came.put(redirect)
        return redirect


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _handler(
    take: Callable[[dict[str, str]], Redirect | None],
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = _IDLE
        server_version, sys_version = "pillarbox", ""

        def do_GET(self) -> None:
            redirect = take(of_path(self.path)) if self._is_for_us() else None
            if redirect is None:
                self._say(404, _page("There is nothing here."))
                return
            try:
                page = redirect.page()
                self._say(200 if page else 504, page or _page("The program that asked does not answer."))
            finally:
                redirect.was_shown()

        def _is_for_us(self) -> bool:
            """Whether the browser asked for this computer by its own name, not by one that was pointed here."""
            port = self.connection.getsockname()[1]
            names = {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}
            return self.headers.get_all("Host", []) in [[name] for name in names]

        def _say(self, code: int, page: str) -> None:
            content = page.encode()
            self.send_response(code)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Say nothing: the path holds the code."""

    return Handler


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, *given: Any) -> None:
        self._room = threading.BoundedSemaphore(_MOST)
        super().__init__(*given)

    def server_bind(self) -> None:
        """Bind without looking the address up, which may take long where no server of names answers."""
        if sys.platform == "win32":  # pragma: no cover - run under Windows only
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes away is none of ours."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _servers(handler: type[http.server.BaseHTTPRequestHandler]) -> list[_Server]:
    """Return servers on both loopback addresses where there are two: a browser may take `localhost` for either.

    A port that another program has on one of them is given up, since that program would get what is meant for us.
    """
    for _ in range(_TRIES):
        first = _Server(("127.0.0.1", 0), handler)
        try:
            return [first, _Server6(("::1", int(first.server_address[1])), handler)]
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return [first]  # there is no other
        first.server_close()
    raise OSError(errno.EADDRINUSE, "no port is free on both loopback addresses")


_TRIES = 20
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}


def sentence(answer: Answer) -> str:
    """Return what came of a sign-in, for the person in front of the browser."""
    if isinstance(answer, Connection):
        return f"Connected as {answer.address}. You can close this window."
    if isinstance(answer, Refused):
        return f"Not connected: {answer}"
    return "Not finished yet."


def _page(text: str) -> str:
    said = html.escape(text)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>pillarbox</title>'
        "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}</style>"
        f"<p>{said}</p></html>\n"
    )
