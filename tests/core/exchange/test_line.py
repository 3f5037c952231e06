"""One exchange over HTTP: one deadline, one answer, no more than that."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from pillarbox import SendDeferred, SettingsError
from pillarbox._exchange import line as lines
from pillarbox.exchange import Answer, Line, NoAnswer, Request
from tests.core.exchange.peer import Peer, answer

OK = answer("200 OK", b"hello")


@pytest.fixture
def line() -> Iterator[Line]:
    """A line that nobody has used."""
    made = Line()
    yield made
    made.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Known to nobody else."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, key_type=trustme.KeyType.ECDSA).configure_cert(made)
    return made


def get(line: Line, peer: Peer, path: str = "/x?y=1", seconds: float = 5.0) -> Answer:
    return line.exchange(Request(method="GET", url=peer.url + path), seconds)


def post(line: Line, peer: Peer, *pieces: bytes, seconds: float = 5.0) -> Answer:
    size = sum(map(len, pieces))
    return line.exchange(Request(method="POST", url=f"{peer.url}/x", body=pieces, size=size), seconds)


def test_an_exchange_of_another_thread_is_ended(line: Line) -> None:
    """At once, whatever its deadline is; the connection is closed."""
    said: list[NoAnswer] = []

    def ask(url: str) -> None:
        with pytest.raises(NoAnswer) as caught:
            line.exchange(Request(method="GET", url=url), 60.0)
        said.append(caught.value)

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and says nothing
        thread = threading.Thread(target=ask, args=[f"http://127.0.0.1:{silent.getsockname()[1]}"])
        thread.start()
        client, _ = silent.accept()
        with client:
            client.recv(4096)
            line.abort()
            thread.join(5)
    assert not thread.is_alive()
    assert "connection" in said[0].how
    assert line.security == ""
    assert line._socket is None


@pytest.mark.parametrize("is_tls", [False, True])
def test_an_answer_that_takes_longer_than_a_look_is_whole(
    authority: trustme.CA, tmp_path: Path, is_tls: bool
) -> None:
    """The socket is looked at each second; nothing of what has come is lost by that."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    said = answer("200 OK", b"hello")

    def serve(listener: socket.socket) -> None:
        client, _ = listener.accept()
        if is_tls:
            client = context(authority, "localhost").wrap_socket(client, server_side=True)
        with client:
            client.recv(4096)
            for piece in (said[:20], said[20:-3], said[-3:]):
                time.sleep(1.2)
                client.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        scheme = "https" if is_tls else "http"
        url = f"{scheme}://localhost:{listener.getsockname()[1]}/"
        slow = Line(str(tmp_path / "ca.pem"))
        assert slow.exchange(Request(method="GET", url=url), 20.0).body == b"hello"
        slow.close()
        thread.join(5)


def test_a_request_and_its_answer(line: Line) -> None:
    """Host, path and query as they stand; the body as it is."""
    with Peer(answer("200 OK", b"hello", "X-A: b")) as peer:
        found = get(line, peer)
        assert (found.status, found.headers["x-a"], found.body) == (200, "b", b"hello")
        post(line, peer, b"one", b"two")
        assert peer.heard[0].startswith(f"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:{peer.port}\r\n".encode())
    assert b"Content-Length: 6\r\n" in peer.heard[1]
    assert peer.heard[1].endswith(b"\r\n\r\nonetwo")


def test_a_post_of_nothing_says_so(line: Line) -> None:
    """A server would wait for what does not come."""
    with Peer(OK) as peer:
        line.exchange(Request(method="POST", url=peer.url), 5)
    assert b"Content-Length: 0\r\n" in peer.heard[0]


def test_the_connection_is_kept(line: Line) -> None:
    """Until the server ends it; then there is another, and no error."""
    with Peer(OK, OK, answer("200 OK", b"", "Connection: close"), OK) as peer:
        for _ in range(4):
            assert get(line, peer).status == 200
    assert peer.connections == 2


def test_a_connection_that_was_cut_while_nobody_looked(line: Line) -> None:
    """It is found out before a request is written to it."""

    def leave(client: socket.socket, _: bytes) -> None:
        client.sendall(OK)

    with Peer(leave, OK) as peer:
        get(line, peer)
        while not line._socket.is_readable():
            time.sleep(0.001)
        assert get(line, peer).status == 200


def test_an_old_connection_is_not_trusted(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is between may have forgotten it."""
    with Peer(OK) as peer:
        get(line, peer)
        monkeypatch.setattr(lines, "IDLE", 0.0)
        get(line, peer)
        line.close()
    assert len(peer.heard) == 2
    assert peer.connections <= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
def test_a_connection_is_its_processes_own(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child makes another."""
    with Peer(OK) as peer:
        get(line, peer)
        monkeypatch.setattr(lines.os, "getpid", lambda: -1)
        assert not line._is_usable(lines.urlsplit(peer.url))


def drip(client: socket.socket, _: bytes) -> None:
    """Say one octet at a time, for ever."""
    with contextlib.suppress(OSError):
        while True:
            client.sendall(b"H")
            time.sleep(0.02)


def hang(client: socket.socket, _: bytes) -> None:
    """Say nothing."""
    client.recv(1)


def cut(client: socket.socket, _: bytes) -> None:
    """Leave."""


def reset(client: socket.socket, _: bytes) -> None:
    """Break off."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def says(octets: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda client, _: client.sendall(octets)


@pytest.mark.parametrize(
    "say",
    [
        drip,
        hang,
        cut,
        reset,
        says(b"HTTP/1.1 202"),
        says(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhell"),
        says(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        says(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
        says(b"SMTP/1.0 220 hello\r\n\r\n"),
        says(b"HTTP/1.1 abc Accepted\r\n\r\n"),
        says(b"HTTP/1.1 202 Accepted\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"),
        says(b"HTTP/1.1 202 Accepted\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n"),
        says(b"HTTP/1.1 202 Accepted\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
        says(b"\x00" * 100),
    ],
    ids=range(14),
)
def test_no_complete_answer_is_none(line: Line, say: Callable[[socket.socket, bytes], None]) -> None:
    """However it fails, within the time."""
    with Peer(say, OK) as peer:
        began = time.monotonic()
        with pytest.raises(NoAnswer):
            get(line, peer, seconds=0.3)
        assert time.monotonic() - began < 3
        assert get(line, peer).status == 200, "the next exchange has a connection of its own"


def test_an_answer_that_does_not_end(line: Line) -> None:
    """It is bounded before it is read."""

    def flood(client: socket.socket, _: bytes) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                client.sendall(b"x" * 65_536)

    with Peer(flood, OK) as peer, pytest.raises(NoAnswer, match="too long"):
        get(line, peer)


def test_a_redirect_is_an_answer(line: Line) -> None:
    """Nobody follows it (rule 36)."""
    with Peer(OK) as elsewhere, Peer(answer("302 Found", b"", f"Location: {elsewhere.url}")) as peer:
        assert get(line, peer).status == 302
    assert elsewhere.heard == []


def test_a_refusal_before_the_request_is_over_is_heard(line: Line) -> None:
    """A server that takes no more says so and closes; that is no lost answer."""

    def refuse(client: socket.socket, _: bytes) -> None:
        client.sendall(answer("413 Too Large", b"", "Connection: close"))

    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        import threading

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(100)
                refuse(client, b"")
                client.shutdown(socket.SHUT_WR)
                while client.recv(65_536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        pieces = [b"x" * 65_536] * 64
        found = line.exchange(Request(method="POST", url=url, body=pieces, size=64 * 65_536), 5)
        line.close()
        thread.join()
    assert found.status == 413


def test_a_server_that_takes_nothing_more(line: Line) -> None:
    """Sending has the same deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        pieces = (b"x" * 65_536 for _ in range(10_000))
        with pytest.raises(NoAnswer, match="in time"):
            line.exchange(Request(method="POST", url=url, body=pieces, size=10_000 * 65_536), 0.3)


def test_nobody_is_there(line: Line) -> None:
    """Nothing was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SendDeferred, match="can't be reached"):
        line.exchange(Request(method="GET", url=f"http://127.0.0.1:{port}/"), 5)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "é", "\x00"])
def test_no_header_gets_another_in(line: Line, value: str) -> None:
    """It is refused before a connection is made."""
    for request in (
        Request(method="GET", url="http://127.0.0.1:1/", headers={"X-A": value}),
        Request(method="GET", url=f"http://127.0.0.1:1/{value}"),
    ):
        with pytest.raises(ValueError, match="can't stand"):
            request.head()


def test_encrypted_and_verified(authority: trustme.CA, tmp_path) -> None:
    """By the authorities in the file, whatever the environment says."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    line = Line(str(tmp_path / "ca.pem"))
    with Peer(OK, tls=context(authority, "127.0.0.1")) as peer:
        assert get(line, peer).status == 200
        assert "certificate verified" in line.security
        line.close()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_names_no_authority(
    authority: trustme.CA, tmp_path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """What other libraries read there is not read here."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    with (
        Peer(OK, tls=context(authority, "127.0.0.1")) as peer,
        pytest.raises(SendDeferred, match="not trusted"),
    ):
        get(Line(), peer)


def test_a_certificate_for_another_name(authority: trustme.CA, tmp_path) -> None:
    """It is refused, and nothing is asked."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Peer(OK, tls=context(authority, "other.example")) as peer, pytest.raises(SendDeferred) as caught:
        get(Line(str(tmp_path / "ca.pem")), peer)
    assert caught.value.stage == "tls"
    assert peer.heard == []


def test_a_server_without_tls() -> None:
    """It is refused too."""
    with Peer(OK) as peer, pytest.raises(SendDeferred) as caught:
        Line().exchange(Request(method="GET", url=peer.url.replace("http", "https")), 0.3)
    assert caught.value.stage == "tls"


def test_a_ca_file_that_is_none(tmp_path) -> None:
    """The deployer is told."""
    (tmp_path / "ca.pem").write_text("no PEM")
    with pytest.raises(SettingsError, match="CA file"):
        Line(str(tmp_path / "ca.pem")).exchange(Request(method="GET", url="https://127.0.0.1:1"), 5)
