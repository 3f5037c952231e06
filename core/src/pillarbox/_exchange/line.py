"""HTTP/1.1 over one connection: each exchange in one deadline, each answer bounded, no redirect followed (RFC 9112)."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlsplit

import attrs

from .._errors import SendDeferred, SettingsError
from .._network import Network
from . import proxies
from .timed import Timed

LONGEST_ANSWER = 4 * 1024 * 1024
"""Octets of an answer's body, unless the request says otherwise; a longer one is no answer."""
IDLE = 20.0
"""Seconds after which a connection that was kept is not trusted any more: what is between may have forgotten it."""


class NoAnswer(Exception):
    """No complete answer came to a request that was begun: what it asked for may have been done.

    Attributes:
        how: What happened instead, the rest of a sentence that begins with who was asked.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@attrs.frozen
class Answer:
    """One complete answer.

    Attributes:
        status: The code.
        headers: By their names in lower case.
        body: Its octets.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body):,} octets>")


@attrs.frozen(kw_only=True)
class Request:
    """One request.

    Attributes:
        method, url: What is asked for.
        headers: Beside those that say how the body travels.
        body: Its pieces, read once; None for a request without one.
        size: Octets of the body.
        longest: The most octets of the answer's body.
    """

    method: str
    url: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: Iterable[bytes] | None = attrs.field(default=None, repr=False)
    size: int = 0
    longest: int = LONGEST_ANSWER

    def head(self) -> bytes:
        """Return what goes before the body.

        Raises:
            ValueError: A value would end its line.
        """
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"Host": parts.netloc, "Accept-Encoding": "identity", **self.headers}
        if self.body is not None or self.method in {"POST", "PUT", "PATCH"}:
            fields["Content-Length"] = str(self.size)
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if not all(line.isascii() and line.isprintable() for line in (*lines, self.url)) or " " in self.url:
            raise ValueError("a header or an address holds what can't stand there")
        return "\r\n".join([*lines, "", ""]).encode()


class Line:
    """A connection to one server, made when it is first needed and again when it was closed; for one thread at a time.

    Args:
        ca_file: A PEM file of the authorities to trust instead of the system's, or "".
        named: What a person calls the setting of that file, for the cures.
    """

    def __init__(self, ca_file: str = "", *, named: str = "ca_file") -> None:
        self._ca_file, self._named = ca_file, named
        self._socket: Timed | None = None
        self._to: tuple[str, str] = ("", "")
        self._used_at = 0.0
        self._process = os.getpid()
        self._context: ssl.SSLContext | None = None

    def exchange(self, request: Request, seconds: float) -> Answer:
        """Return the answer to *request*, all of it within *seconds*.

        Raises:
            SendDeferred: The server can't be reached; nothing was asked.
            SettingsError: The CA file can't be used.
            NoAnswer: It was asked, and no complete answer came.
        """
        head, give_up = request.head(), time.monotonic() + seconds
        line = self._connected(urlsplit(request.url), give_up)
        line.give_up = give_up
        try:
            answer, is_over = _exchanged(line, head, request)
        except BaseException:
            self.close()
            raise
        self._used_at = time.monotonic()
        if is_over:
            self.close()
        return answer

    def open(self, url: str, seconds: float) -> None:
        """Have a connection to the server of *url*.

        Raises:
            SendDeferred, SettingsError: As `exchange`.
        """
        self._connected(urlsplit(url), time.monotonic() + seconds)

    @property
    def security(self) -> str:
        """How the connection is protected, or "" where there is none, or it is in clear."""
        return "" if self._socket is None else self._socket.security

    def abort(self) -> None:
        """Let the exchange of another thread end now, without an answer."""
        line = self._socket
        if line is not None:
            line.abort()

    def close(self) -> None:
        """Let the connection go."""
        line, self._socket = self._socket, None
        if line is not None:
            line.close()

    def _connected(self, parts: SplitResult, give_up: float) -> Timed:
        if self._socket is not None and self._is_usable(parts):
            return self._socket
        self.close()
        self._process, self._to = os.getpid(), (parts.scheme, parts.netloc)
        self._socket = Timed(self._opened(parts, give_up))
        self._used_at = time.monotonic()
        return self._socket

    def _is_usable(self, parts: SplitResult) -> bool:
        is_ours = self._process == os.getpid() and self._to == (parts.scheme, parts.netloc)
        fresh = time.monotonic() - self._used_at < IDLE
        return is_ours and fresh and self._socket is not None and not self._socket.is_readable()

    def _opened(self, parts: SplitResult, give_up: float) -> socket.socket:
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        context = self._tls() if is_tls else None
        through = proxies.way_to(host, parts.scheme)
        seconds = max(give_up - time.monotonic(), 0.001)
        plain = Network().connect(host, port, timeout=seconds, through=through)
        if context is None:
            return plain
        return _secured(plain, context, host, give_up, self._named)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            try:
                self._context = ssl.create_default_context(cafile=self._ca_file or None)
            except (OSError, ValueError):
                raise SettingsError(
                    f"The CA file {self._ca_file} can't be used.",
                    cure=f"Name a readable PEM file in {self._named}.",
                ) from None
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._context


def _secured(
    plain: socket.socket, context: ssl.SSLContext, host: str, give_up: float, named: str
) -> socket.socket:
    try:
        plain.settimeout(max(give_up - time.monotonic(), 0.001))
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        said = f"its certificate is not trusted: {error.verify_message}"
    except (OSError, ValueError) as error:
        said = f"TLS failed with {type(error).__name__}"
    plain.close()
    raise SendDeferred(
        f"{host} can't be used: {said}.",
        stage="tls",
        cure=f"Check the clock, and {named} where a proxy of your own opens TLS.",
    )


def _exchanged(line: Timed, head: bytes, request: Request) -> tuple[Answer, bool]:
    """Return the answer, and whether the connection is over with it."""
    broken = _sent(line, head, request)
    response = http.client.HTTPResponse(line, method=request.method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read(request.longest + 1)
    except TimeoutError:
        raise NoAnswer("did not answer in full in time") from None
    except OSError as error:
        raise NoAnswer(f"broke the connection off ({type(broken or error).__name__})") from None
    except (http.client.HTTPException, ValueError):
        raise NoAnswer("closed the connection, or sent what is no answer") from None
    if len(body) > request.longest or response.length:
        raise NoAnswer("sent an answer that is too long, or not all of it")
    headers = {name.lower(): value for name, value in response.getheaders()}
    if body and headers.get("content-encoding", "identity").lower() != "identity":
        raise NoAnswer("sent an answer in an encoding that was not asked for")
    return Answer(response.status, headers, body), response.will_close or broken is not None


def _sent(line: Timed, head: bytes, request: Request) -> OSError | None:
    """Send *request* and return what broke it off: a server that refuses early closes behind its answer."""
    try:
        pieces = iter(request.body or ())
        line.sendall(head + next(pieces, b""))
        for piece in pieces:
            line.sendall(piece)
    except TimeoutError:
        raise NoAnswer("did not take the request in time") from None
    except OSError as error:
        return error
    return None


def text_of(answer: Answer) -> str:
    """Return the body as text."""
    return answer.body.decode("utf-8", "replace")
