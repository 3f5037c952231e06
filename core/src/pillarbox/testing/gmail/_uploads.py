"""Resumable uploads: a message that comes in chunks, and can be asked how far it has come."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

import attrs

from .._http.values import Call, Reply
from ._api import Method
from ._errors import Refused
from ._mailbox import Mailbox

CHUNK = 256 * 1024
"""Every chunk but the last is a multiple of so many octets."""
_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)")


@attrs.define(eq=False)
class Upload:
    """One that was begun.

    Attributes:
        method: What is done when it is whole.
        mailbox: Whose.
        said: The JSON it began with.
        size: What was announced; None until it is known.
        most: How many octets of a chunk are kept; None for all.
        content: What has come.
        answer: What it was answered with when it was whole; None before.
    """

    method: Method
    mailbox: Mailbox
    said: Mapping[str, Any]
    size: int | None
    most: int | None = None
    content: bytearray = attrs.field(factory=bytearray, repr=False)
    answer: Reply | None = None

    def take(self, call: Call) -> bool:
        """Take a chunk, or a question how far it has come; True when all has come.

        Raises:
            Refused: 400, for a chunk out of its place or of a wrong size; 413, for one too many.
        """
        start, end, size = self._read(call)
        if size is not None and self.size not in {None, size}:
            raise Refused("badRequest", f"The upload was announced with {self.size} octets, not {size}.")
        self.size = self.size if size is None else size
        if start is not None and end is not None:
            self._append(call.body, start, end)
        return self.size == len(self.content)

    def _append(self, piece: bytes, start: int, end: int) -> None:
        last = end + 1 == self.size
        if len(piece) != end + 1 - start or start != len(self.content):
            raise Refused("badRequest", f"Expected {end + 1 - start} octets from {len(self.content)} on.")
        if not last and len(piece) % CHUNK:
            raise Refused("badRequest", f"All chunks but the last are multiples of {CHUNK} octets.")
        if self.size is not None and end >= self.size:
            raise Refused("badRequest", f"The upload has {self.size} octets.")
        if self.method.upload and end >= self.method.upload.size:
            raise Refused("uploadTooLarge")
        self.content += piece[: self.most]

    def _read(self, call: Call) -> tuple[int | None, int | None, int | None]:
        """Return from where to where the chunk goes, None for a question, and the size of all, None if unknown."""
        said = call.headers.get("content-range")
        if said is None:
            return 0, len(call.body) - 1, len(call.body)
        found = _RANGE.fullmatch(said)
        if found is None or (found[1] is None and call.body):
            raise Refused("badRequest", f"Failed to parse Content-Range header: {said[:80]}")
        start, end = (None, None) if found[1] is None else (int(found[1]), int(found[2]))
        return start, end, None if found[3] == "*" else int(found[3])

    @property
    def progress(self) -> Reply:
        """The answer while it is not whole: 308, with what has come in Range."""
        come = len(self.content)
        return Reply(308, headers={"Range": f"bytes=0-{come - 1}"} if come else {})


class Uploads:
    """Those of all mailboxes.

    Args:
        remembers: Whether one that is whole answers a question with what it was answered before; if not, 404.
    """

    def __init__(self, *, remembers: bool) -> None:
        self._remembers = remembers
        self._begun: dict[str, Upload] = {}

    def begin(self, upload: Upload) -> str:
        """Keep *upload* and return its id."""
        name = secrets.token_urlsafe(32)
        self._begun[name] = upload
        return name

    def find(self, name: str) -> Upload:
        """Return the upload called *name*.

        Raises:
            Refused: 404, for one that never was, or is whole and forgotten.
        """
        if name not in self._begun:
            raise Refused("notFound")
        return self._begun[name]

    def finish(self, name: str, answer: Reply) -> Reply:
        """Keep the *answer* of an upload, or forget it; return the answer."""
        if self._remembers:
            self._begun[name].answer = answer
        else:
            del self._begun[name]
        return answer
