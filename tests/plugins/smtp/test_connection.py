"""The driver: blocks of a sensible size, one deadline for each exchange, and an end that loses nothing."""

from __future__ import annotations

import gc
import select
import socket
import struct
from collections.abc import Iterator

import pytest

from pillarbox import Journal, OutcomeUnknown, Receipt, SendDeferred
from pillarbox.testing.smtp_server import Drip, Raw, Reply, Slow, Usual
from pillarbox_smtp import connection as driver
from pillarbox_smtp import tls
from pillarbox_smtp.connection import BLOCK_OCTETS, Connection, blocks
from pillarbox_smtp.judgement import Broken, How
from pillarbox_smtp.protocol import Ask, Steps
from pillarbox_smtp.replies import Reply as Said
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import CONTENT, submission


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and the other end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours, timeout=0.3, final_timeout=0.3), theirs


def _asked(*asks: Ask) -> Steps[list[Said]]:
    replies: list[Said] = []
    for ask in asks:
        replies += yield ask
    return replies


def test_one_exchange(pair: tuple[Connection, socket.socket]) -> None:
    """What is asked is written, and its replies are returned."""
    connection, server = pair
    server.sendall(b"250 one\r\n250 two\r\n")
    assert [reply.text for reply in connection.run(_asked(Ask("x", (b"A\r\n", b"B\r\n"), replies=2)))] == [
        "one",
        "two",
    ]
    assert server.recv(100) == b"A\r\nB\r\n"
    assert connection.in_step


def test_reply_that_nothing_asked_for(pair: tuple[Connection, socket.socket]) -> None:
    """A reply too many is not taken for the next command's."""
    connection, server = pair
    server.sendall(b"250 one\r\n250 too many\r\n")
    connection.run(_asked(Ask("x", (b"A\r\n",))))
    assert not connection.in_step
    with pytest.raises(Broken) as caught:
        connection.run(_asked(Ask("x", (b"B\r\n",))))
    assert caught.value.how is How.GARBAGE
    assert server.recv(100) == b"A\r\n"


@pytest.mark.parametrize("said", [b"", b"250 half", b"250-more\r\n"])
def test_what_never_becomes_a_reply(pair: tuple[Connection, socket.socket], said: bytes) -> None:
    """Silence and half a reply end at the deadline."""
    connection, server = pair
    server.sendall(said)
    with pytest.raises(Broken) as caught:
        connection.run(_asked(Ask("x", (b"A\r\n",))))
    assert (caught.value.how, caught.value.said) == (How.SILENT, "within 0.3 s")


def test_replies_before_the_break(pair: tuple[Connection, socket.socket]) -> None:
    """What was answered before the line broke is told with it."""
    connection, server = pair
    server.sendall(b"250 one\r\n550 two\r\n")
    server.shutdown(socket.SHUT_WR)
    with pytest.raises(Broken) as caught:
        connection.run(_asked(Ask("x", (b"A\r\n",), replies=3)))
    assert ([reply.code for reply in caught.value.replies], caught.value.how) == ([250, 550], How.CLOSED)


def test_421_ends_an_exchange(pair: tuple[Connection, socket.socket]) -> None:
    """Behind a 421 no other reply is waited for."""
    connection, server = pair
    server.sendall(b"250 one\r\n421 bye\r\n")
    assert [reply.code for reply in connection.run(_asked(Ask("x", (b"A\r\n",), replies=3)))] == [250, 421]


def test_quiet(pair: tuple[Connection, socket.socket]) -> None:
    """A connection is quiet until the other end speaks or closes; looking takes nothing away."""
    connection, server = pair
    assert connection.is_quiet()
    server.sendall(b"421 idle")
    assert not connection.is_quiet()


def test_closed(pair: tuple[Connection, socket.socket]) -> None:
    """A closed connection is not quiet."""
    connection, server = pair
    server.close()
    assert not connection.is_quiet()


def test_leave_of_a_server_that_is_gone(pair: tuple[Connection, socket.socket]) -> None:
    """Taking leave never raises."""
    connection, server = pair
    server.close()
    connection.quit()
    connection.quit()


def test_too_many_replies_are_not_kept(pair: tuple[Connection, socket.socket]) -> None:
    """A server that never stops answering fills no memory."""
    connection, server = pair
    server.sendall(b"250 x\r\n" * 5000)
    connection.run(_asked(Ask("x", (b"A\r\n",))))
    for _ in range(20):
        connection.is_quiet()
        connection._absorb()
    assert len(connection._reader) < 5000


def test_writing_while_the_other_side_writes(pair: tuple[Connection, socket.socket]) -> None:
    """Many commands at once can't lock both sides up: replies are read while commands wait to be taken."""
    connection, server = pair
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    count = 20_000

    def serve() -> None:
        answered, buffered = 0, b""
        while answered < count and (data := server.recv(4096)):
            *lines, buffered = (buffered + data).split(b"\r\n")
            server.sendall(b"250 ok\r\n" * len(lines))
            answered += len(lines)

    import threading

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    connection._timeout = 20.0
    replies = connection.run(_asked(Ask("x", (b"RCPT TO:<a@b.example>\r\n" * count,), replies=count)))
    thread.join(10)
    assert len(replies) == count


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ([10, 20, 30], [60]),
        ([BLOCK_OCTETS, 10], [BLOCK_OCTETS, 10]),
        ([10, BLOCK_OCTETS], [10, BLOCK_OCTETS]),
        ([100_000] * 5, [200_000, 200_000, 100_000]),
        ([], []),
    ],
)
def test_blocks(sizes: list[int], joined: list[int]) -> None:
    """Pieces are joined up to the size of a block, in order, and none is lost."""
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    made = list(blocks(pieces))
    assert [len(block) for block in made] == joined
    assert b"".join(made) == b"".join(pieces)


def test_final_answer_may_take_longer(serve: Serve, connect: Connect) -> None:
    """The answer to the content has a time limit of its own."""
    server = serve(at={"dot": Slow(0.6)})
    assert isinstance(connect(server, timeout=0.2, final_timeout=5.0).send(submission(), Journal()), Receipt)


def test_other_answers_may_not(serve: Serve, connect: Connect) -> None:
    """Every other exchange has the shorter one."""
    with pytest.raises(SendDeferred, match=r"within 0\.2 s"):
        connect(serve(at={"mail": Slow(2.0)}), timeout=0.2, final_timeout=5.0).send(submission(), Journal())


@pytest.mark.parametrize(
    ("point", "error"), [("greeting", SendDeferred), ("ehlo", SendDeferred), ("dot", OutcomeUnknown)]
)
def test_dripped_reply_has_one_deadline(
    serve: Serve, connect: Connect, point: str, error: type[Exception]
) -> None:
    """A valid reply that trickles in more slowly than its deadline is late, though each octet comes in time."""
    slow = Drip(Reply(220 if point == "greeting" else 250, "x" * 300), 0.05)
    with pytest.raises(error, match=r"within 0\.4 s"):
        connect(serve(at={point: slow}), timeout=0.4, final_timeout=0.4).send(submission(), Journal())


def test_dripped_reply_in_time(serve: Serve, connect: Connect) -> None:
    """A reply in single octets is a reply."""
    server = serve(at={"dot": Drip(Usual(), 0.001), "ehlo": Drip(Usual(), 0.0005)})
    assert connect(server).send(submission(), Journal()).reference == "scripted-1"


def test_without_poll(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no poll (Windows), select does: for answers, for writing, and for silence."""
    monkeypatch.delattr(select, "poll", raising=False)
    server = serve(receive_buffer=4096)
    transport = connect(server, timeout=5.0, final_timeout=5.0)
    content = CONTENT + b"0123456789abcdef" * 40_000 + b"\r\n"
    assert transport.send(submission(content), Journal()).reference == "scripted-1"
    with pytest.raises(SendDeferred, match=r"within 0\.2 s"):
        connect(serve(at={"mail": Slow(2.0)}), timeout=0.2).send(submission(), Journal())


def test_handshake_with_a_connection_that_is_gone() -> None:
    """A connection that was reset before TLS began is told as closed, and nothing is left open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        waiting = select.select([ours], [], [], 5.0)[0]
        assert waiting
        with pytest.raises(SendDeferred) as caught:
            tls.encrypt(ours, "127.0.0.1", tls.Trust(), seconds=1.0)
    gc.collect()
    assert caught.value.stage == "tls"


def test_noise_instead_of_a_greeting(serve: Serve, connect: Connect) -> None:
    """What is no SMTP is known at its first octets; nobody waits for a line end."""
    with pytest.raises(SendDeferred, match="what is not a reply"):
        connect(serve(at={"greeting": Raw(b"\x00\x01")}), timeout=10.0).send(submission(), Journal())
    assert driver.MOST_UNASKED
