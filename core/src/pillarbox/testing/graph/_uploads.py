"""Upload sessions: a large attachment that comes in ranges, one after the other."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from typing import Any

import attrs

from ._errors import GraphError
from ._items import File, Item, new_id
from ._manners import MIB

RANGE_OCTETS = 4 * MIB
"""The longest range."""
SMALLEST, LARGEST = 3_000_000, 150 * MIB
"""What an upload session takes; below it an attachment goes by one POST."""
SECONDS = 3600
"""After so long a session is over."""
_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


@attrs.define(eq=False, kw_only=True)
class Upload:
    """A session.

    Attributes:
        item: The draft that the file is for.
        name: The file's name.
        size: Its octets, as they were told when the session began.
        ends: The clock's reading from which the session is over.
        received: Those that came so far.
        secret: What its address ends with in the place of a token.
    """

    item: Item
    name: str
    size: int
    ends: float
    content_type: str = "application/octet-stream"
    inline: bool = False
    content_id: str = ""
    id: str = attrs.field(factory=new_id)
    secret: str = attrs.field(factory=lambda: secrets.token_urlsafe(64), repr=False)
    received: bytearray = attrs.field(factory=bytearray, repr=False)
    expires: str = attrs.field(
        factory=lambda: (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SECONDS)).strftime(
            "%Y-%m-%dT%H:%M:%S.%fZ"
        )
    )

    def take(self, content_range: str, octets: bytes) -> bool:
        """Take a range, and return whether it was the last.

        Raises:
            GraphError: It is not the next one, too long, or not what its header says.
        """
        begin, end, total = _read(content_range)
        if total != self.size or end >= total or end - begin + 1 != len(octets):
            raise GraphError(
                400, "ErrorInvalidRequest", "Content-Range does not fit the body or the session."
            )
        if len(octets) > RANGE_OCTETS:
            raise GraphError(413, "ErrorInvalidRequest", f"A range has at most {RANGE_OCTETS} octets.")
        if begin != len(self.received):
            raise GraphError(
                416, "ErrorInvalidRequest", f"The next range begins at {len(self.received)}, not at {begin}."
            )
        self.received += octets
        return len(self.received) == self.size

    def file(self) -> File:
        """Return the whole file."""
        return File(
            name=self.name,
            content=bytes(self.received),
            content_type=self.content_type,
            inline=self.inline,
            content_id=self.content_id,
        )

    def progress(self, *, first: bool = False) -> dict[str, Any]:
        """Return what the client is told of what is to come."""
        begun = "0-" if first else str(len(self.received))
        return {"expirationDateTime": self.expires, "nextExpectedRanges": [begun]}


def begun(item: Item, told: dict[str, Any], now: float) -> Upload:
    """Return the session that *told* asks for at *now*, an `attachmentItem` of Graph's.

    Raises:
        GraphError: The file is too small, too large, or none; 400.
    """
    size, kind = told["size"], str(told["attachmentType"]).lower()
    if kind != "file" or not isinstance(size, int):
        raise GraphError(
            400, "ErrorInvalidRequest", "Only a file of a whole number of octets can be uploaded."
        )
    if size < SMALLEST:
        raise GraphError(
            400,
            "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
            "The attachment size should not be less than the minimum size of an upload session, 3 MB.",
        )
    if size > LARGEST:
        raise GraphError(
            413, "ErrorAttachmentSizeLimitExceeded", "The attachment exceeds the largest size, 150 MB."
        )
    return Upload(
        item=item,
        name=told["name"],
        size=size,
        ends=now + SECONDS,
        content_type=told.get("contentType") or "application/octet-stream",
        inline=bool(told.get("isInline")),
        content_id=told.get("contentId") or "",
    )


def _read(content_range: str) -> tuple[int, int, int]:
    found = _RANGE.fullmatch(content_range)
    if found is None:
        raise GraphError(400, "ErrorInvalidRequest", "Content-Range must be bytes {start}-{end}/{total}.")
    begin, end, total = map(int, found.groups())
    return begin, end, total
