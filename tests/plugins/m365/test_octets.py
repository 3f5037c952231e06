"""Octets in chunks are read as if they were one: held against `bytes` itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pillarbox_m365.octets import Octets

CHUNKS = st.lists(st.text("ab-\r\n", max_size=6).map(str.encode), max_size=12)
POSITION = st.integers(0, 80)
SOUGHT = st.text("ab-\r\n", min_size=1, max_size=8).map(str.encode)


@given(CHUNKS, POSITION, POSITION)
def test_a_part_of_them(chunks: list[bytes], start: int, end: int) -> None:
    """Whatever lies between two positions, in one chunk or in many."""
    octets, whole = Octets(chunks), b"".join(chunks)
    assert (octets[start:end], octets[:end], octets[:]) == (whole[start:end], whole[:end], whole)
    assert len(octets) == len(whole)


@given(CHUNKS, SOUGHT, POSITION, POSITION)
def test_where_something_stands(chunks: list[bytes], sought: bytes, start: int, end: int) -> None:
    """Also across the ends of chunks, however small they are."""
    octets, whole = Octets(chunks), b"".join(chunks)
    assert octets.find(sought, start, end) == whole.find(sought, start, end)
    assert octets.find(sought, start) == whole.find(sought, start)
    assert octets.startswith(sought, start) == whole.startswith(sought, start)


@given(CHUNKS, st.integers(1, 9), POSITION, POSITION)
def test_every_so_many(chunks: list[bytes], step: int, start: int, end: int) -> None:
    """As a slice with a step, which goes on from chunk to chunk."""
    assert Octets(chunks).every(step, start, end) == b"".join(chunks)[start:end:step]
