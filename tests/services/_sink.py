"""The last hop of each server: takes every mail over LMTP or SMTP and records envelope and exact bytes."""

from __future__ import annotations

import email
import email.policy
import re
import socketserver
import threading
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

UNKNOWN: Final = "nobody.here@"
"""The local part of an address that is refused here, behind a server that has accepted the mail: it bounces."""
_EXTENSIONS: Final = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "SIZE 0")
_PATH: Final = re.compile(r'[^<]*<((?:"(?:[^"\\]|\\.)*"|[^">])*)>(.*)', re.DOTALL)
_TRACE: Final = re.compile(rb"\A(?:Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+", re.IGNORECASE)


@attrs.frozen
class ReceivedMail:
    """One mail as the server handed it on: the bytes with CRLF line ends, and the envelope around them.

    `recipients` are in the server's order (Postfix sorts them). `mail_parameters` is what followed the path
    of MAIL ("SIZE=310 BODY=8BITMIME"); `recipient_parameters` the same for each RCPT, in step with
    `recipients`.
    """

    content: bytes
    envelope_sender: str
    recipients: tuple[str, ...]
    mail_parameters: str = ""
    recipient_parameters: tuple[str, ...] = ()

    @property
    def sent(self) -> bytes:
        """The bytes as the client sent them: without the Received fields that the server put on top."""
        return _TRACE.sub(b"", self.content)

    @property
    def message(self) -> EmailMessage:
        """The bytes as the standard library reads them."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


class Sink:
    """Listens on a free port of 127.0.0.1 from its creation until `close`; keeps what it gets in memory."""

    def __init__(self) -> None:
        self._server = _SinkServer(("127.0.0.1", 0), _Conversation)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that the server under test hands its mail on to."""
        return self._server.server_address[1]

    def mails(self) -> list[ReceivedMail]:
        """Everything recorded since the start or the last `clear`, oldest first."""
        with self._server.lock:
            return list(self._server.mails)

    def clear(self) -> None:
        """Forgets what was recorded."""
        with self._server.lock:
            self._server.mails.clear()

    def close(self) -> None:
        """Stops listening. The server under test has to be stopped before."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _SinkServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 50
    server_address: tuple[str, int]

    def __init__(self, address: tuple[str, int], handler: type[_Conversation]) -> None:
        self.mails: list[ReceivedMail] = []
        self.lock = threading.Lock()
        super().__init__(address, handler)

    def record(self, mail: ReceivedMail) -> None:
        with self.lock:
            self.mails.append(mail)


class _Conversation(socketserver.StreamRequestHandler):
    """One connection. LHLO makes it LMTP (RFC 2033): one answer for each recipient after the final dot."""

    server: _SinkServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.lmtp = False
        self._reset()
        self._say("220 sink.acme.example")
        while line := self.rfile.readline():
            verb, _, rest = line.decode("utf-8", "surrogateescape").strip().partition(" ")
            if not self._obey(verb.upper(), rest):
                return

    def _obey(self, verb: str, rest: str) -> bool:
        match verb:
            case "LHLO" | "EHLO":
                self.lmtp = verb == "LHLO"
                self._say("250-sink.acme.example", *(f"250-{name}" for name in _EXTENSIONS), "250 HELP")
            case "MAIL":
                self.sender, self.parameters = _path(rest)
                self._say("250 2.1.0 Ok")
            case "RCPT" if _path(rest)[0].startswith(UNKNOWN):
                self._say(f"550 5.1.1 <{_path(rest)[0]}>: no such user here")
            case "RCPT":
                self.recipients.append(_path(rest))
                self._say("250 2.1.5 Ok")
            case "DATA":
                self._say("354 Go on")
                self._take(b"".join(self._content_lines()))
            case "RSET" | "NOOP":
                self._reset()
                self._say("250 2.0.0 Ok")
            case "QUIT":
                self._say("221 2.0.0 Bye")
            case _:
                self._say("502 5.5.1 Not here")
        return verb != "QUIT"

    def _take(self, content: bytes) -> None:
        addresses = tuple(address for address, _ in self.recipients)
        parameters = tuple(parameters for _, parameters in self.recipients)
        self.server.record(ReceivedMail(content, self.sender, addresses, self.parameters, parameters))
        self._say(*["250 2.0.0 Recorded"] * (len(addresses) if self.lmtp else 1))
        self._reset()

    def _content_lines(self) -> Iterator[bytes]:
        whole = True
        while (line := self.rfile.readline()) and not (whole and line == b".\r\n"):
            yield line[1:] if whole and line.startswith(b".") else line
            whole = line.endswith(b"\r\n")

    def _reset(self) -> None:
        self.sender, self.parameters = "", ""
        self.recipients: list[tuple[str, str]] = []

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def _path(rest: str) -> tuple[str, str]:
    """Address and parameters of what follows MAIL or RCPT: `FROM:<a@b.example> SIZE=5`."""
    found = _PATH.fullmatch(rest)
    if found is None:
        raise ValueError(f"the sink can't read the path in {rest!r}")
    return found[1], found[2].strip()
