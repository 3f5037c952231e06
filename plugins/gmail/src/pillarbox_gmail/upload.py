"""A message brought in chunks: one that is lost is asked for and brought again, and only the last one submits."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pillarbox import SendDeferred

from .api import Api
from .app import is_loopback
from .content import Content
from .exchange import Answer, Broken
from .meanings import refusal

LARGE = 5 * 1024 * 1024
"""Octets above which a message is brought in chunks."""
CHUNK = 4 * 1024 * 1024
"""Octets of a chunk; Google wants a multiple of 256 KiB."""
MOST_BREAKS = 3
"""How often one upload may break before it is left for later."""
RFC822 = "message/rfc822"
INCOMPLETE = 308
"""What an upload that is not whole is answered with; Range says how far it came."""


class Upload:
    """A resumable upload of *content* to *where*, a path of the API.

    Attributes:
        at: How far it has come, in octets.
        last: Where the last chunk begins.
    """

    def __init__(self, api: Api, content: Content, where: str) -> None:
        self._api = api
        self._content = content
        self._where = where
        self._session = ""
        self._breaks = 0
        self.at = 0
        self.last = max(0, (content.size - 1) // CHUNK * CHUNK)

    def begin(self) -> None:
        """Announce it.

        Raises:
            PillarboxError: It was refused, or no answer came; nothing left.
        """
        headers = {"X-Upload-Content-Type": RFC822, "X-Upload-Content-Length": str(self._content.size)}
        where = f"/resumable/upload{self._where}?uploadType=resumable"
        answer = self._api.look("POST", where, body=b"", headers=headers)
        if answer.status != 200:
            raise refusal(answer, "content")
        self._session = _inside(answer.headers.get("location", ""), self._api.root)

    def bring(self, until: int) -> Answer | None:
        """Bring what lies before *until*; None, or the answer that ended it.

        Raises:
            SendDeferred: It broke too often; nothing left.
            SignInNeeded: The sign-in ended meanwhile; nothing left.
        """
        while self.at < until:
            answer = self._next(min(self.at + CHUNK, self._content.size))
            if answer.status in {404, 410}:
                raise _deferred("it is known there no more")
            if answer.status != INCOMPLETE:
                return answer
            came = _came(answer)
            if came <= self.at:
                self._broke("it stands still")
            self.at = came
        return None

    def complete(self) -> Answer:
        """Bring all that is left in one request: the one that submits, where that is what the upload is for.

        Raises:
            Broken: No valid answer came.
            SendDeferred, SignInNeeded: As `Api.ask`.
        """
        return self._put(self.at, self._content.size)

    def looked(self) -> Answer:
        """Return what it says of how far it came; sends nothing.

        Raises:
            Broken: No valid answer came.
            SendDeferred, SignInNeeded: As `Api.ask`.
        """
        named = {"Content-Range": f"bytes */{self._content.size}"}
        return self._api.ask("PUT", self._session, body=b"", headers=named)

    def _next(self, end: int) -> Answer:
        """Bring one chunk, and where that breaks return what the upload says instead."""
        try:
            answer = self._put(self.at, end)
        except Broken as error:
            self._broke(error.how)
        else:
            if answer.status < 500 and answer.status != 408:
                return answer
            self._broke(f"Gmail answered {answer.status}")
        try:
            return self.looked()
        except Broken as error:
            raise _deferred(error.how) from None

    def _put(self, start: int, end: int) -> Answer:
        named = {
            "Content-Type": RFC822,
            "Content-Range": f"bytes {start}-{end - 1}/{self._content.size}",
        }
        return self._api.ask("PUT", self._session, body=self._content.between(start, end), headers=named)

    def _broke(self, how: str) -> None:
        self._breaks += 1
        if self._breaks > MOST_BREAKS:
            raise _deferred(how)


def _deferred(how: str) -> SendDeferred:
    return SendDeferred(
        f"The message was on its way to Gmail in pieces, and {how}; nothing left.", stage="content"
    )


def _came(answer: Answer) -> int:
    """Return how many octets have come, by the Range of an answer."""
    found = re.fullmatch(r"bytes=0-(\d{1,12})", answer.headers.get("range", "").strip())
    return int(found[1]) + 1 if found else 0


def _inside(session: str, root: str) -> str:
    """Return the address of the upload, which may be at Google's, or where the API is: a token is sent there.

    Raises:
        SendDeferred: It is anywhere else.
    """
    can_be_sent = session.isascii() and session.isprintable() and " " not in session
    theirs, ours = urlsplit(session if can_be_sent else ""), urlsplit(root)
    same = (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)
    googles = theirs.scheme == "https" and all(
        (one.hostname or "").endswith(".googleapis.com") for one in (theirs, ours)
    )
    if theirs.netloc and (same or (googles and not is_loopback(root))):
        return session
    raise SendDeferred(
        "Gmail named no place of its own to bring the message to; nothing left.", stage="content"
    )
