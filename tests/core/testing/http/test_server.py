"""The loopback server under the fakes, as sockets and http.client meet it."""

from __future__ import annotations

import contextlib
import gc
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Iterator

import pytest
import trustme

from pillarbox.testing._http.server import BODY_OCTETS, HttpServer
from pillarbox.testing._http.values import Call, Ending, Reply
from tests import systems

AUTHORITY = trustme.CA()


def echo(call: Call) -> Reply | Ending:
    """Say what was heard, or nothing where the path asks for that."""
    if call.path in {"/cut", "/hang"}:
        return Ending[call.path[1:].upper()]
    if call.path == "/empty":
        return Reply(204)
    return Reply.json({"method": call.method, "body": len(call.body), "headers": dict(call.headers)})


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    server = HttpServer(echo, Reply, tls=tls)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with serving() as one:
        yield one


@contextlib.contextmanager
def line(server: HttpServer) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as one:
        yield one


def said(connection: http.client.HTTPConnection, *asked: object, **more: object) -> tuple[int, bytes]:
    connection.request(*asked, **more)  # type: ignore[arg-type]
    answer = connection.getresponse()
    return answer.status, answer.read()


def wire(server: HttpServer, octets: bytes) -> bytes:
    """Send *octets*, nothing more, and return all that comes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(octets)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_a_connection_serves_many_requests(server: HttpServer):
    with line(server) as one:
        assert said(one, "GET", "/")[0] == 200
        assert said(one, "DELETE", "/empty") == (204, b"")
        assert b'"body": 4' in said(one, "POST", "/", b"four")[1]


def test_a_body_may_come_in_chunks(server: HttpServer):
    with line(server) as one:
        assert b'"body": 5' in said(one, "PUT", "/", iter([b"ab", b"cde"]), encode_chunked=True)[1]
        assert b'"body": 0' in said(one, "GET", "/")[1]


def test_repeated_headers_are_joined(server: HttpServer):
    assert b'"x-a": "1, 2"' in wire(server, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\n", 411),
        (b"PUT / HTTP/1.1\r\nContent-Length: many\r\n", 400),
        (b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n", 413),
        (b"BREW / HTTP/1.1\r\n", 501),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200, 431),
        (b"nonsense\r\n", 400),
    ],
)
def test_what_cannot_be_read_is_refused(server: HttpServer, head: bytes, status: int):
    answer = wire(server, head + b"\r\n")
    assert f" {status} ".encode() in answer.partition(b"\r\n")[0] or (
        status == 400 and b"Error code: 400" in answer
    )


@pytest.mark.parametrize("chunks", [b"5\r\nab", b"xyz\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b""])
def test_chunks_that_are_none_end_the_connection(server: HttpServer, chunks: bytes):
    """Nothing is answered as if it were a request."""
    answer = wire(server, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert b"200" not in answer


def test_a_body_that_breaks_off_is_no_request(server: HttpServer):
    assert wire(server, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nfive5") == b""


def test_a_body_beyond_the_bound_is_refused(server: HttpServer):
    """After it was read, so that the client hears it."""
    with line(server) as one:
        assert said(one, "POST", "/", bytes(BODY_OCTETS + 1))[0] == 413


def test_a_connection_can_be_cut(server: HttpServer):
    with line(server) as one, pytest.raises(http.client.RemoteDisconnected):
        said(one, "POST", "/cut", b"x")


@systems.wakes
def test_silence_lasts_until_the_server_stops():
    """Or until the client leaves; no thread stays behind."""
    before = threading.active_count()
    with serving() as server, line(server) as one:
        one.request("GET", "/hang")
        with line(server) as impatient:
            impatient.timeout = 0.05
            with pytest.raises(TimeoutError):
                said(impatient, "GET", "/hang")
        server.stop()
        with pytest.raises(http.client.RemoteDisconnected):
            one.getresponse()
    assert threading.active_count() == before


def test_tls_is_spoken():
    with serving(server_context()) as server:
        assert server.url == f"https://localhost:{server.port}"
        one = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=client_context())
        with contextlib.closing(one):
            assert said(one, "GET", "/")[0] == 200


@systems.wakes
@pytest.mark.parametrize("octets", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello"])
def test_a_client_without_tls_harms_nobody(octets: bytes):
    """Nor does one that says nothing while the server stops."""
    before = threading.active_count()
    with serving(server_context()) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(octets)
            server.stop()
        assert threading.active_count() == before


def test_a_client_that_resets_the_line_leaves_nothing_open(capfd: pytest.CaptureFixture[str]):
    """Before hands are shaken; the standard library's wrapped sockets would be leaked."""
    with serving(server_context()) as server:
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_much_goes_through_tls_both_ways():
    with serving(server_context()) as server:
        one = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=client_context())
        with contextlib.closing(one):
            assert b'"body": 3000000' in said(one, "POST", "/", b"x" * 3_000_000)[1]
            one.request("GET", "/", headers={f"X-{number}": "y" * 60_000 for number in range(20)})
            assert len(one.getresponse().read()) > 1_200_000


def test_nothing_is_printed(server: HttpServer, capfd: pytest.CaptureFixture[str]):
    with line(server) as one:
        said(one, "GET", "/")
    wire(server, b"nonsense\r\n\r\n")
    assert capfd.readouterr() == ("", "")
