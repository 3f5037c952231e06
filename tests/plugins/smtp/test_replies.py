"""Replies are read from octets however they were cut, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox_smtp.replies import LONGEST_LINE, MOST_LINES, Garbage, Reply, ReplyReader
from tests.plugins.smtp.givens import replies

_WORDS = st.binary(max_size=60).map(lambda words: words.replace(b"\n", b"").rstrip(b"\r"))
_REPLIES = st.builds(
    lambda code, lines: (code, tuple(lines)), st.integers(200, 599), st.lists(_WORDS, min_size=1, max_size=5)
)


def _octets(code: int, lines: tuple[bytes, ...]) -> bytes:
    *more, last = lines
    return b"".join(b"%d-%s\r\n" % (code, line) for line in more) + b"%d %s\r\n" % (code, last)


def _told(reply: Reply) -> tuple[int, tuple[bytes, ...]]:
    return reply.code, reply.lines


@given(st.lists(_REPLIES, max_size=6), st.lists(st.integers(1, 40), max_size=40))
def test_any_cut_gives_the_same_replies(sent: list[tuple[int, tuple[bytes, ...]]], cuts: list[int]) -> None:
    """Replies come out as they were sent, wherever the network cut them."""
    reader, rest = ReplyReader(), b"".join(_octets(*reply) for reply in sent)
    for cut in cuts:
        reader.feed(rest[:cut])
        rest = rest[cut:]
    reader.feed(rest)
    assert [_told(reader.take()) for _ in range(len(reader))] == sent
    assert not reader.pending


@given(st.lists(st.binary(max_size=700), max_size=8))
def test_noise_is_replies_or_garbage(noise: list[bytes]) -> None:
    """Whatever comes, the reader gives valid replies or says that it is garbage, and keeps little."""
    reader = ReplyReader()
    try:
        for data in noise:
            reader.feed(data)
    except Garbage as garbage:
        assert str(garbage)
    taken = [reader.take() for _ in range(len(reader))]
    assert all(200 <= reply.code <= 599 and reply.lines for reply in taken)


@pytest.mark.parametrize("line", [b"250\r\n", b"250 \r\n", b"250 2.0.0\r\n", b"250 a\rb\x00\r\n"])
def test_unusual_lines_that_are_replies(line: bytes) -> None:
    """The text may be missing, and hold anything but a line feed."""
    assert [reply.code for reply in replies(line)] == [250]


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"\r\n", "not a reply"),
        (b"\n", "not a reply"),
        (b"250\n", "not a reply"),
        (b"\x15\x03\x01", "not a reply"),
        (b"250 ok\n", "does not end with CRLF"),
        (b"250 ok\n250 smuggled\r\n", "does not end with CRLF"),
        (b"25\r\n", "not a reply"),
        (b"2500 ok\r\n", "not a reply"),
        (b"199 ok\r\n", "not a reply"),
        (b"600 ok\r\n", "not a reply"),
        (b"999 ok\r\n", "not a reply"),
        (b"250ok\r\n", "not a reply"),
        (b"250\tok\r\n", "not a reply"),
        ("２５０ ok\r\n".encode(), "not a reply"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "not a reply"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not a reply"),
        (b"\x15\x03\x01\x00\x02\x02\x0a\r\n", "not a reply"),
        (b"250-a\r\n550 b\r\n", "both 250 and 550"),
        (b"250 " + b"x" * LONGEST_LINE + b"\r\n", "more than 512"),
        (b"250-" + b"x" * LONGEST_LINE, "more than 512"),
        (b"250-x\r\n" * (MOST_LINES + 1), "more than 128 lines"),
    ],
)
def test_what_is_not_a_reply(octets: bytes, said: str) -> None:
    """Everything that RFC 5321 4.2 does not know is garbage at once, not after a time-out."""
    with pytest.raises(Garbage, match=said):
        ReplyReader().feed(octets)


def test_longest_allowed() -> None:
    """A line of 512 octets and a reply of 128 lines are still read."""
    line = b"250-" + b"x" * (LONGEST_LINE - 6) + b"\r\n"
    assert len(line) == LONGEST_LINE
    [reply] = replies(line * (MOST_LINES - 2) + b"250 x\r\n")
    assert len(reply.lines) == MOST_LINES - 1


def test_replies_before_garbage_are_kept() -> None:
    """A complete reply counts, whatever follows it."""
    reader = ReplyReader()
    with pytest.raises(Garbage):
        reader.feed(b"250 ok\r\n\x16\x03\x01\r\n")
    assert reader.take().code == 250


@pytest.mark.parametrize(
    ("octets", "status", "text"),
    [
        (b"550 5.1.1 no such user\r\n", "550 5.1.1", "no such user"),
        (b"550-5.1.1 no\r\n550 5.1.1 such user\r\n", "550 5.1.1", "no such user"),
        (b"535-5.7.8 Username and\r\n535 5.7.8  Password\r\n", "535 5.7.8", "Username and Password"),
        (b"550 2.1.5 a code of another kind\r\n", "550", "2.1.5 a code of another kind"),
        (b"250 OK id=1tE2Xq-000000001-2abc\r\n", "250", "OK id=1tE2Xq-000000001-2abc"),
        (b"250 2.0.0\r\n", "250 2.0.0", ""),
        (b"550 \xff\xfe\r\n", "550", "\ufffd\ufffd"),
    ],
)
def test_parts_of_a_reply(octets: bytes, status: str, text: str) -> None:
    """Codes and words are told apart; an enhanced code that contradicts the reply is only words."""
    [reply] = replies(octets)
    assert (reply.status, reply.text) == (status, text)


def test_secrets_are_blanked_out() -> None:
    """What a server repeats of a secret does not reach anybody."""
    reply = Reply(535, (b"5.7.8 no, not AHRydQ==", b"5.7.8 ask for help"))
    assert reply.without((b"AHRydQ==",)).text == "no, not [secret] ask for help"
    assert reply.without((b"other",)) is reply
