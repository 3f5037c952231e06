"""The octets of a message as they lie in its chunks, read as if they were one: only what is asked for is copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Octets:
    """Octets in chunks, with the few things that reading a message needs of `bytes`.

    Args:
        chunks: In order; empty ones are left out.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = tuple(filter(None, chunks))
        self._starts = tuple(accumulate(map(len, self._chunks), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, key: slice) -> bytes:
        """Return a part, between positions that are not negative."""
        start, end, _ = key.indices(len(self))
        if start >= end:
            return b""
        first, last = self._chunk_at(start), self._chunk_at(end - 1)
        if first == last:
            at = self._starts[first]
            return self._chunks[first][start - at : end - at]
        return b"".join(
            (
                self._chunks[first][start - self._starts[first] :],
                *self._chunks[first + 1 : last],
                self._chunks[last][: end - self._starts[last]],
            )
        )

    def find(self, sought: bytes, start: int = 0, end: int | None = None) -> int:
        """Return where *sought* begins first, between *start* and *end*; -1 where it doesn't."""
        end = len(self) if end is None else min(end, len(self))
        at = start
        while at <= end - len(sought):
            index = self._chunk_at(at)
            first, stop = self._starts[index], self._starts[index + 1]
            found = self._chunks[index].find(sought, at - first, min(end, stop) - first)
            if found >= 0:
                return first + found
            seam = max(at, stop - len(sought) + 1)
            found = self[seam : min(end, stop + len(sought) - 1)].find(sought)
            if found >= 0:
                return seam + found
            at = stop
        return -1

    def every(self, step: int, start: int, end: int) -> bytes:
        """Return each *step*th octet from *start* on, before *end*; nothing else is copied."""
        found = []
        for chunk, at in zip(self._chunks, self._starts, strict=False):
            if start < min(at + len(chunk), end):
                found.append(chunk[start - at : end - at : step])
                start += len(found[-1]) * step
        return b"".join(found)

    def startswith(self, sought: bytes, start: int) -> bool:
        """Whether *sought* stands at *start*."""
        return self[start : start + len(sought)] == sought

    def _chunk_at(self, position: int) -> int:
        """Return the index of the chunk that *position*, which is there, lies in."""
        return bisect_right(self._starts, position) - 1
