"""A small authoritative name server on loopback, by UDP and TCP, that tells what it is given, or misbehaves."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Mapping

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

LONGEST_UDP = 1232


class NameServer:
    """Answers for *zone*: name -> lines such as `MX 10 mx.acme.example.`; a name that is not there is NXDOMAIN.

    Args:
        zone: What it knows.
        slow: Seconds before each answer.
        silent: Never answers.
        garbage: Answers octets that are no message.
        refuses: Answers REFUSED.

    Attributes:
        asked: The names and kinds that were asked for, in order.
        by_tcp: How many of them by TCP.
    """

    def __init__(
        self,
        zone: Mapping[str, list[str]] | None = None,
        *,
        slow=0.0,
        silent=False,
        garbage=False,
        refuses=False,
    ) -> None:
        self.zone = {name.rstrip(".").lower(): lines for name, lines in (zone or {}).items()}
        self.slow, self.silent, self.garbage, self.refuses = slow, silent, garbage, refuses
        self.asked: list[tuple[str, str]] = []
        self.by_tcp = 0
        self._tcp, self._udp = _at_one_port()
        self._tcp.owner = self
        self.port = self._udp.getsockname()[1]

    def __enter__(self) -> NameServer:
        self._threads = [
            threading.Thread(target=self._serve_udp, daemon=True),
            threading.Thread(target=self._tcp.serve_forever, args=(0.05,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.shutdown()
        self._tcp.server_close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        for thread in self._threads:
            thread.join(5)
        self._udp.close()

    def _serve_udp(self) -> None:
        while True:
            octets, who = self._udp.recvfrom(65535)
            if not octets:
                return
            threading.Thread(target=self._answer_udp, args=(octets, who), daemon=True).start()

    def _answer_udp(self, octets: bytes, who: tuple[str, int]) -> None:
        told = self.answer(octets)
        if told is None:
            return
        if len(told) > LONGEST_UDP:
            cut = dns.message.make_response(dns.message.from_wire(octets))
            cut.flags |= dns.flags.TC
            told = cut.to_wire()
        with contextlib.suppress(OSError):
            self._udp.sendto(told, who)

    def answer(self, octets: bytes) -> bytes | None:
        """Return the answer to a question; None for silence."""
        question = dns.message.from_wire(octets)
        name, kind = question.question[0].name, question.question[0].rdtype
        self.asked.append((name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(kind)))
        time.sleep(self.slow)
        if self.silent:
            return None
        if self.garbage:
            return octets[:2] + b"\xff" * 40
        return self._told(question, name, dns.rdatatype.to_text(kind))

    def _told(self, question: dns.message.Message, name, kind: str) -> bytes:
        response = dns.message.make_response(question)
        response.flags |= dns.flags.AA
        if self.refuses:
            response.set_rcode(dns.rcode.REFUSED)
            return response.to_wire()
        lines = self.zone.get(name.to_text(omit_final_dot=True).lower())
        if lines is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        for line in lines or []:
            own, _, rest = line.partition(" ")
            if own in {kind, "CNAME"}:
                response.answer.append(dns.rrset.from_text(name, 60, "IN", own, rest))
        return response.to_wire(max_size=65535)


def _at_one_port() -> tuple[_Tcp, socket.socket]:
    """Return a listener and a socket at the same port, which has to be free for both."""
    for _ in range(50):
        tcp, udp = _Tcp(("127.0.0.1", 0), _Talk), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.server_address)
        except OSError:
            tcp.server_close()
            udp.close()
        else:
            return tcp, udp
    raise OSError("no port is free for both TCP and UDP")


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: NameServer

    def handle_error(self, request, client_address) -> None:
        """A client that leaves is no fault."""


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        size = int.from_bytes(self.rfile.read(2), "big")
        self.server.owner.by_tcp += 1
        told = self.server.owner.answer(self.rfile.read(size))
        if told is not None:
            self.wfile.write(len(told).to_bytes(2, "big") + told)
