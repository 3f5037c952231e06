"""The hostile bodies are what a message may be, and their pieces are cut where it hurts."""

from __future__ import annotations

import itertools

import pytest

from pillarbox.testing._contract._bodies import BODIES, divisions, large


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_one_that_may_be_sent(name):
    """CRLF only, lines of 998 octets at most (RFC 5322 2.1.1): a carrier that alters it has no excuse."""
    body = BODIES[name]
    assert body.replace(b"\r\n", b"").find(b"\r") < 0
    assert body.replace(b"\r\n", b"").find(b"\n") < 0
    assert body.endswith(b"\r\n") or not body
    assert max(map(len, body.split(b"\r\n"))) <= 998


def test_a_large_body_is_large_and_may_be_sent():
    """With dots at the start of lines, and no two lines alike."""
    lines = large(100_000).split(b"\r\n")
    assert sum(map(len, lines)) + 2 * len(lines) >= 100_000
    assert len(set(lines)) == len(lines)
    assert any(line.startswith(b"..") for line in lines)
    assert max(map(len, lines)) <= 998


def test_divisions_lose_nothing_and_cut_within_line_ends():
    """Their sum is the content; some cut between CR and LF, some between LF and a dot, one at each octet."""
    content = b"a: b\r\n\r\n.one\r\ntwo\r\n..\r\n"
    found = list(divisions(content))
    assert all(b"".join(pieces) == content for pieces in found)
    assert all(all(pieces) for pieces in found)
    for end, start in ((b"\r", b"\n"), (b"\n", b"."), (b".", b"o")):
        assert any(
            one.endswith(end) and other.startswith(start)
            for pieces in found
            for one, other in itertools.pairwise(pieces)
        ), (end, start)
    assert max(map(len, found)) == len(content)
