"""One exchange over HTTP is bounded in time and size, goes nowhere else, and trusts whom it was told to."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pillarbox import SendDeferred, SettingsError
from pillarbox_gmail.exchange import LARGEST_ANSWER, Broken, Pieces
from pillarbox_gmail.wire import Wire
from tests.plugins.gmail.raw import OK, Raw, Say


@contextlib.contextmanager
def served(say: Say, timeout: float = 20.0, **given) -> Iterator[tuple[Raw, Wire]]:
    ca_file = given.pop("ca_file", "")
    with Raw(say, **given) as server:
        wire = Wire(ca_file, timeout)
        try:
            yield server, wire
        finally:
            wire.close()


def saying(answer: bytes) -> Say:
    return lambda client, _: client.sendall(answer)


def test_an_answer_is_told_whole() -> None:
    """Status, headers, body; the body where it is a JSON object."""
    with served(saying(b'HTTP/1.1 403 No\r\nX-Y: z\r\nContent-Length: 9\r\n\r\n{"a": 42}')) as (server, wire):
        answer = wire.ask("GET", f"{server.url}/x")
    assert (answer.status, answer.headers["x-y"], answer.told) == (403, "z", {"a": 42})


@pytest.mark.parametrize("body", [b"[]", b"x", b"\xff", b"", b"[" * 9_000, b"1"])
def test_what_is_no_json_object_tells_nothing(body: bytes) -> None:
    """However deep it is."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with served(saying(answer)) as (server, wire):
        assert wire.ask("GET", server.url).told is None


def drip(client: socket.socket, octets: bytes, over) -> bool:
    """Say *octets* one by one, for ever so slowly."""
    for octet in octets:
        client.sendall(bytes([octet]))
        if over.wait(0.1):
            return True
    return True


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 60_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b" " * 60_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 9_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000,
    ],
    ids=["header", "body", "chunks", "continue"],
)
def test_whoever_trickles_has_no_more_time(octets: bytes) -> None:
    """The limit is for all of it, not for each octet."""
    with served(lambda client, _: drip(client, octets, server_over[0]), timeout=2.0) as (server, wire):
        server_over = [server.over]
        with pytest.raises(Broken, match="in time"):
            wire.ask("GET", server.url)


def test_whoever_takes_nothing_has_no_more_time() -> None:
    """Nor does one who reads on slowly: the message stands in the line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire("", 2.0)
        body = Pieces(80_000_000, lambda: (b"x" * 1_000_000 for _ in range(80)))
        with pytest.raises(Broken, match="in time"):
            wire.ask("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", body=body)
        wire.close()


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"250 2.0.0 ok\r\n",
        b"\x00\xff" * 40 + b"\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * (LARGEST_ANSWER + 70_000),
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 400 Bad Request",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Le",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nX: y",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b'HTTP/1.1 400 Bad Request\r\n\r\n{"error": {}}',
    ],
    ids=[
        "short",
        "no end",
        "no chunk",
        "smtp",
        "octets",
        "nothing",
        "gzip",
        "long",
        "many headers",
        *(f"cut header {number}" for number in range(6)),
        "no length",
        "no length, a body",
    ],
)
def test_what_is_no_answer_is_broken(octets: bytes) -> None:
    """The request went out; nobody knows what became of it."""

    def say(client: socket.socket, _: bytes) -> bool:
        client.sendall(octets)
        return True

    with served(say) as (server, wire), pytest.raises(Broken):
        wire.ask("POST", server.url, body=b"x")


def test_a_redirect_is_an_answer_and_leads_nowhere() -> None:
    """The token would go with it (rule 36)."""
    with (
        Raw(saying(OK)) as elsewhere,
        served(
            saying(f"HTTP/1.1 307 X\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode())
        ) as (
            server,
            wire,
        ),
    ):
        assert wire.ask("POST", server.url, body=b"x", headers={"Authorization": "Bearer t"}).status == 307
        assert elsewhere.requests == []


def test_nothing_is_repeated() -> None:
    """Not at a 503 that asks for it, nor at a line that breaks."""
    with served(saying(b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")) as (server, wire):
        assert wire.ask("GET", server.url).status == 503
        assert len(server.requests) == 1
    with served(lambda *_: True) as (server, wire):
        with pytest.raises(Broken, match="the line broke"):
            wire.ask("GET", server.url)
        assert len(server.requests) == 1


def test_nobody_there_is_no_hand_over() -> None:
    """No connection came about, so nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    wire = Wire("", 5.0)
    for call in (lambda url: wire.ask("POST", url, body=b"x"), wire.prepare):
        with pytest.raises(SendDeferred) as caught:
            call(f"http://127.0.0.1:{port}/")
        assert caught.value.stage == "connect"


def test_a_connection_is_kept_and_one_that_was_closed_is_not_used() -> None:
    """So that no submission is lost in a line that is gone."""
    count = []

    def say(client: socket.socket, request: bytes) -> bool:
        count.append(client.getpeername())  # first: whoever has the answer looks at it at once
        client.sendall(OK)
        return b"/last" in request

    with served(say) as (server, wire):
        for path in ("/a", "/b", "/last"):
            wire.ask("GET", server.url + path)
        for thread in server._threads:
            thread.join(10)
        wire.prepare(server.url)
        wire.ask("GET", f"{server.url}/c")
        assert len(set(count[:3])) == 1
        assert count[3] != count[0]


def test_a_prepared_connection_is_the_one_that_is_used() -> None:
    """Made before the hand-over, used for what is handed over."""
    with served(saying(OK)) as (server, wire):
        wire.prepare(server.url)
        wire.prepare(server.url)
        wire.ask("GET", server.url)
        assert len(server._threads) == 1


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A netrc for the host would take the token's place; cookies would go along with it."""
    (tmp_path / ".netrc").write_text("machine localhost login mallory password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with served(saying(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")) as (
        server,
        wire,
    ):
        for _ in range(2):
            wire.ask("GET", server.url, headers={"Authorization": "Bearer t"})
        assert all(b"Authorization: Bearer t\r\n" in one for one in server.requests)
        assert b"cookie" not in server.requests[1].lower()


def test_a_trace_shows_no_secret() -> None:
    """No header, no body, no query."""
    lines: list[str] = []
    with Raw(saying(OK)) as server:
        wire = Wire("", 20.0, lines.append)
        wire.ask(
            "POST", f"{server.url}/p?upload_id=hush", body=b"hush", headers={"Authorization": "Bearer hush"}
        )
        wire.close()
    assert lines == [f"> POST localhost:{server.port}/p (4 octets)", "< 200 (2 octets)"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def test_the_private_authority_is_trusted(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever bundle the environment names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    with served(saying(OK), tls=server_tls(authority, "localhost"), ca_file=ca_file) as (server, wire):
        assert wire.ask("GET", server.url).status == 200
        assert wire.ask("GET", server.url).status == 200


def test_nobody_else_s_is(authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the environment, nor another name than the server's; and nothing was sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    monkeypatch.setenv("CURL_CA_BUNDLE", ca_file)
    strange = trustme.CA(key_type=trustme.KeyType.ECDSA)
    for tls, trusted in (
        (server_tls(authority, "localhost"), ""),
        (server_tls(authority, "elsewhere.example"), ca_file),
        (server_tls(strange, "localhost"), ca_file),
    ):
        with served(saying(OK), tls=tls, ca_file=trusted) as (server, wire):
            with pytest.raises(SendDeferred, match="not trusted") as caught:
                wire.ask("POST", server.url, body=b"secret")
            assert (caught.value.stage, server.requests) == ("tls", [])


def test_a_file_without_authorities_is_told(tmp_path: Path) -> None:
    """And so is one that is not there."""
    (tmp_path / "empty.pem").write_text("nothing")
    for path in (tmp_path / "empty.pem", tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match="no certificates"):
            Wire(str(path), 5.0).ask("GET", "https://localhost:1/")
