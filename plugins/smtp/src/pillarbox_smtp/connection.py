"""A connection driven through the steps of the protocol, blocking, with one deadline for each exchange."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pillarbox import SendDeferred, quotation

from . import tls
from .certificates import Certificate
from .identity import Identity
from .judgement import Broken, How, marked
from .protocol import Ask, Steps
from .replies import Garbage, Reply, ReplyReader
from .waiting import waiter

T = TypeVar("T")
BLOCK_OCTETS = 256 * 1024
"""Content is written in blocks of about this size, so that there are few system calls."""
SLOWEST = 8 * 1024
"""Octets a second that content has to make on the whole, beside taking some within every `timeout`."""
MOST_UNASKED = 8
"""Replies that nobody asked for, after which no more are kept."""
_SHORTEST_SECRET = 4
_AGAIN = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """One connection to a server. It closes itself when an exchange breaks.

    Args:
        sock: Connected.
        timeout: Seconds for one exchange, however slowly it trickles in.
        final_timeout: Seconds for the answer to the end of the content.
        trace: Takes lines of the conversation; sign-ins are redacted and content is counted only.

    Attributes:
        last_used: When the last exchange ended, by the monotonic clock.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        timeout: float,
        final_timeout: float,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._timeout = timeout
        self._final_timeout = final_timeout
        self._trace = trace
        self._reader = ReplyReader()
        self._spoilt: Garbage | None = None
        self._owed = 0
        self._secrets: tuple[bytes, ...] = ()
        self._busy = False
        self._waiter = waiter(sock)
        self.last_used: float = time.monotonic()

    @property
    def peer(self) -> str:
        """The numeric address that is really connected; "" when it is not any more."""
        try:
            return str(self._socket.getpeername()[0])
        except OSError:
            return ""

    @property
    def local(self) -> str:
        """The numeric address that it is connected from."""
        return str(self._socket.getsockname()[0])

    @property
    def encrypted(self) -> ssl.SSLSocket | None:
        """The socket, where it is under TLS."""
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    @property
    def certificate(self) -> Certificate | None:
        """What the server's certificate says of itself, where it can be read."""
        return tls.certificate_of(self._socket) if isinstance(self._socket, ssl.SSLSocket) else None

    @property
    def is_busy(self) -> bool:
        """Whether it is closed, or in the middle of an exchange that something broke off."""
        return self._busy

    @property
    def in_step(self) -> bool:
        """Whether all replies were taken and nothing is half said, so that a command may follow now."""
        return not (self._busy or self._spoilt or len(self._reader) or self._reader.pending)

    def hide(self, *secrets: str) -> None:
        """Blank *secrets*, also in base64, out of all that the server says from now on."""
        long = [one.encode() for one in secrets if len(one) >= _SHORTEST_SECRET]
        in_base64 = [base64.b64encode(one).rstrip(b"=") for one in long]
        self._secrets = tuple(dict.fromkeys((*self._secrets, *long, *in_base64)))

    def run(self, steps: Steps[T]) -> T:
        """Drive *steps* to their end and return what they return.

        Raises:
            PillarboxError: What the steps raise. Any other error, a signal's for instance, leaves it out of step.
        """
        try:
            ask = next(steps)
            while True:
                try:
                    replies = self._exchange(ask)
                except Broken as broken:
                    self.drop()
                    ask = steps.throw(broken)
                else:
                    ask = steps.send(replies)
        except StopIteration as done:
            value: T = done.value
            return value

    def encrypt(self, server: str, trust: tls.Trust, identity: Identity | None = None) -> None:
        """Begin TLS, showing *identity* to a server that asks for it.

        Raises:
            SendDeferred: Octets came in clear behind the answer to STARTTLS, or the handshake failed.
            SettingsError: The CA file can't be used, or a file of the identity.
        """
        if not self.in_step:
            self.drop()
            detail = f"{server} sent something in clear behind its answer to STARTTLS; nothing left."
            cure = "Somebody on the way may be putting words into the server's mouth. Try encryption = tls (port 465)."
            raise marked(SendDeferred(detail, stage="tls", cure=cure), "tls-injected")
        self._socket = tls.encrypt(self._socket, server, trust, seconds=self._timeout, identity=identity)
        self._socket.setblocking(False)
        self._waiter = waiter(self._socket)
        self._note(f"-- {self._socket.version()}, {(self._socket.cipher() or ('',))[0]}")

    def look(self, server: str) -> Certificate | None:
        """Return the certificate that the server shows, trusted or not, in the place of `encrypt`; and close."""
        return tls.look(self._socket, server, seconds=self._timeout)

    def rest(self) -> list[Reply]:
        """Return the complete replies that came and were not taken yet, up to a 421; also from one that has ended."""
        return self._taken(len(self._reader))

    def is_quiet(self) -> bool:
        """Whether the server has said nothing and has not closed since the last exchange; asks it nothing."""
        if not self.in_step:
            return False
        try:
            self._absorb()
        except Broken:
            return False
        return self.in_step

    def quit(self) -> None:
        """Take leave without waiting for an answer, and close."""
        if self.in_step:
            try:
                self._socket.send(b"QUIT\r\n")
                self._note("C: QUIT")
            except (OSError, ValueError) as gone:
                self._note(f"-- {type(gone).__name__}")
        self.drop()

    def drop(self) -> None:
        """Close at once, whatever is half said."""
        self._busy = True
        self._socket.close()

    def _exchange(self, ask: Ask) -> list[Reply]:
        """Write and read what *ask* says.

        Raises:
            Broken: Not all replies came.
        """
        fits = not (self._busy or self._spoilt) if ask.overlaps else self.in_step
        if ask.data and not fits:
            raise Broken(How.GARBAGE, str(self._spoilt or "a reply that nothing asked for"))
        self._busy = True
        give_up = time.monotonic() + self._timeout
        if ask.data:
            self._write(ask, give_up)
        seconds = self._final_timeout if ask.final else self._timeout
        replies = self._read(ask, time.monotonic() + seconds if ask.final else give_up, seconds)
        self._busy = False
        self.last_used = time.monotonic()
        return replies

    def _write(self, ask: Ask, give_up: float) -> None:
        """Write all of *ask*, reading what comes meanwhile, so that both sides can't wait for each other."""
        self._owed += ask.replies + ask.ahead
        if ask.secret:
            self.hide(*ask.hides, *_responses(ask.data[0]))
        if self._trace is not None:
            self._show_written(ask)
        written, started = 0, time.monotonic()
        for block in blocks(ask.data):
            if written:
                self._notice_end(written)
            slowest = started + self._final_timeout + (written + len(block)) / SLOWEST
            self._send(block, written, slowest if ask.content else give_up)
            written += len(block)

    def _notice_end(self, written: int) -> None:
        """Take in what the server said between two blocks, so that no more is written to one that has closed.

        Raises:
            Broken: It has; the *written* octets were all that left.
        """
        try:
            self._absorb()
        except Broken as broken:
            raise Broken(broken.how, broken.said, self._taken(1), written) from None

    def _send(self, block: bytes, before: int, latest: float) -> None:
        """Write *block* until the moment *latest*, some of it within every `timeout`.

        Raises:
            Broken: With the octets written, *before* included, and a reply that came nevertheless.
        """
        left = memoryview(block)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except _AGAIN as wants:
                self._until_writable(wants, latest, before + len(block) - len(left))
            except (OSError, ValueError) as error:
                raise self._cut_off(_how(error), "", before + len(block) - len(left)) from None

    def _until_writable(self, wants: Exception, latest: float, written: int) -> None:
        for_writing = not isinstance(wants, ssl.SSLWantReadError)
        readable = self._waiter(min(latest, time.monotonic() + self._timeout), for_writing)
        if readable is None:
            raise self._cut_off(How.STALLED, f"for {self._timeout:g} s", written)
        if readable and for_writing:
            self._notice_end(written)

    def _cut_off(self, how: How, said: str, written: int) -> Broken:
        """Return what it means that writing failed, with the reply or the alert that the server may have left behind."""
        alert = ""
        try:
            self._absorb()
        except Broken as broken:
            alert = broken.alert
        return Broken(how, said, self._taken(1), written, alert)

    def _read(self, ask: Ask, give_up: float, seconds: float) -> list[Reply]:
        replies: list[Reply] = []
        while True:
            replies += self._taken(ask.replies - len(replies))
            if len(replies) == ask.replies or (replies and replies[-1].code == 421):
                break
            if self._spoilt is not None:
                raise self._unread(How.GARBAGE, str(self._spoilt), replies, ask)
            try:
                self._receive(give_up, seconds)
            except Broken as broken:
                raise self._unread(broken.how, broken.said, replies, ask, broken.alert) from None
        if self._trace is not None:
            self._show_read(ask, replies)
        return replies

    def _unread(self, how: How, said: str, replies: list[Reply], ask: Ask, alert: str = "") -> Broken:
        if self._trace is not None:
            self._show_read(ask, replies)
        return Broken(how, said, replies, sum(map(len, ask.data)), alert)

    def _taken(self, most: int) -> list[Reply]:
        """Return the complete replies that have come, in order, up to *most* or to a 421."""
        taken: list[Reply] = []
        while len(self._reader) and len(taken) < most and not (taken and taken[-1].code == 421):
            reply = self._reader.take()
            self._owed -= 1
            taken.append(reply.without(self._secrets) if self._secrets else reply)
        return taken

    def _receive(self, give_up: float, seconds: float) -> None:
        """Wait for octets and take them in.

        Raises:
            Broken: None came in time, or the connection ended.
        """
        wrapped = self.encrypted
        if wrapped is None or not wrapped.pending():
            if self._waiter(give_up, False) is None:
                raise Broken(How.SILENT, f"within {seconds:g} s")
        elif time.monotonic() > give_up:
            raise Broken(How.SILENT, f"within {seconds:g} s")
        self._absorb()

    def _absorb(self) -> None:
        """Take in what has come, without waiting.

        Raises:
            Broken: The connection has ended.
        """
        try:
            data = self._socket.recv(8192)
        except _AGAIN:
            return
        except (OSError, ValueError) as error:
            raise Broken(_how(error), alert=tls.alert(error)) from None
        if not data:
            raise Broken(How.CLOSED)
        if self._spoilt is not None or len(self._reader) > max(0, self._owed) + MOST_UNASKED:
            return
        try:
            self._reader.feed(data)
        except Garbage as garbage:
            self._spoilt = garbage

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace(line)

    def _show_written(self, ask: Ask) -> None:
        if ask.secret:
            self._note(_redacted(ask.data[0]))
            return
        behind = ask.before + ask.content
        self._show_commands(ask.data[: ask.before])
        if ask.content:
            self._note(f"C: [{sum(map(len, ask.data[ask.before : behind])):,} octets of content]")
        self._show_commands(ask.data[behind:])

    def _show_commands(self, pieces: Sequence[bytes]) -> None:
        for command in b"".join(pieces).splitlines():
            self._note("C: " + command.decode("utf-8", "replace"))

    def _show_read(self, ask: Ask, replies: Sequence[Reply]) -> None:
        for reply in replies:
            lines = [b"[redacted]"] if ask.secret and reply.code == 334 else reply.lines
            for number, line in enumerate(lines, 1):
                mark = " " if number == len(lines) else "-"
                self._note(f"S: {reply.code}{mark}{quotation(line)}")


def blocks(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """Give *pieces* joined to blocks of about `BLOCK_OCTETS`; a piece that is large already is not copied."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        if size and size + len(piece) > BLOCK_OCTETS:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting, size = [], 0
        waiting.append(piece)
        size += len(piece)
    if waiting:
        yield waiting[0] if len(waiting) == 1 else b"".join(waiting)


def _responses(command: bytes) -> list[str]:
    """Return what a line of a sign-in says of the credential: all of it but AUTH and the mechanism's name."""
    words = command.decode("ascii", "replace").split()
    return words[2:] if words[:1] == ["AUTH"] else words


def _redacted(command: bytes) -> str:
    """Return what a transcript shows of a line of a sign-in: that there was one, and the mechanism's name."""
    verb, _, rest = command.decode("ascii").strip().partition(" ")
    if verb != "AUTH":
        return "C: [redacted]"
    mechanism, _, secret = rest.partition(" ")
    return f"C: AUTH {mechanism}{' [redacted]' if secret else ''}"


def _how(error: Exception) -> How:
    """Return how a connection ended, by the error of the socket."""
    ended = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, BrokenPipeError))
    return How.CLOSED if ended else How.RESET
