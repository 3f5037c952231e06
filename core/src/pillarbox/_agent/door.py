"""A desktop worker's way to the door of its company's server: each call in one deadline, each refusal an error with its cure."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._errors import OutboxError, PillarboxError, SendDeferred, SettingsError, SignInNeeded, quotation
from .._exchange.line import Answer, Line, NoAnswer, Request
from .._network import is_loopback
from . import wire

CALL = 30.0
"""Seconds for one call."""
SLOWEST = 50_000.0
"""Octets a second that a content may come with at least."""
LARGEST = 256 * 1024 * 1024
"""Octets of one mail."""
STAGE = "door"
"""The stage at which the server could not be asked: nothing is wrong with the mail, nor with the account."""
_NEW = "Make a new one on the user's page, and start the worker with it."


class Door:
    """The door of one server, for one token. Safe between threads.

    Args:
        url: Where the server mounted it.
        token: The user's.
        ca_file: A PEM file of the authorities to trust instead of the system's, or "".

    Raises:
        SettingsError: The address or the token can't be one.
    """

    def __init__(self, url: str, token: str, *, ca_file: str = "") -> None:
        self.url = _checked(url)
        self._host = urlsplit(self.url).hostname or ""
        if not token.startswith("pbx_") or not token.isascii() or not token.isprintable() or " " in token:
            raise SettingsError("That is no token of pillarbox.", cure="It begins with pbx_. " + _NEW)
        self.session = secrets.token_hex(16)
        self._headers = {"Authorization": f"Bearer {token}", wire.SESSION: self.session}
        self._lines = {kind: _Shared(ca_file) for kind in ("call", "content", "wait")}

    def call(self, path: str, table: Mapping[str, Any], *, seconds: float = CALL) -> wire.Said:
        """Say *table*, and return the answer.

        Raises:
            SendDeferred: It can't be told now; it may have been done.
            SignInNeeded: The token is not good any more: it was ended, or another worker took over with it.
            SettingsError: There is no such door.
            OutboxError: The server does not understand it.
        """
        body = wire.written(table)
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(
            method="POST",
            url=self.url + path,
            headers=headers,
            body=[body],
            size=len(body),
            longest=LARGEST // 16,
        )
        answer = self._asked("wait" if path == wire.WAIT else "call", request, seconds)
        try:
            return wire.read(answer.body)
        except ValueError:
            raise self._later("sent what is no answer") from None

    def content(self, key: str, fence: int, size: int) -> tuple[bytes, int]:
        """Return the bytes of an entry, and how many of the first are its Bcc header.

        Raises:
            PillarboxError: As `call`.
        """
        url = f"{self.url}{wire.CONTENT}/{key}?fence={fence:d}"
        longest = min(2 * size + 1024 * 1024, LARGEST)
        request = Request(method="GET", url=url, headers=self._headers, longest=longest)
        answer = self._asked("content", request, CALL + min(size, LARGEST) / SLOWEST)
        bcc = answer.headers.get(wire.BCC.lower(), "")
        if not bcc.isdecimal():
            raise self._later("sent what is no content")
        return answer.body, int(bcc)

    def hang_up(self) -> None:
        """End a wait for news now."""
        self._lines["wait"].abort()

    def close(self) -> None:
        """Let the connections go."""
        for line in self._lines.values():
            line.close()

    def _asked(self, kind: str, request: Request, seconds: float) -> Answer:
        try:
            answer = self._lines[kind].exchange(request, seconds)
        except NoAnswer as error:
            raise self._later(error.how) from None
        except SendDeferred as error:
            raise SendDeferred(error.detail, stage=STAGE, cure=error.cure) from None
        if answer.status != 200:
            raise self._refusal(answer)
        return answer

    def _later(self, how: str, retry_after: float | None = None, cure: str = "") -> SendDeferred:
        return SendDeferred(f"{self._host} {how}.", stage=STAGE, retry_after=retry_after, cure=cure)

    def _refusal(self, answer: Answer) -> PillarboxError:
        detail, cure = _said(answer)
        match answer.status:
            case 401:
                return SignInNeeded(
                    detail or f"{self._host} does not know the token.", stage=STAGE, cure=cure or _NEW
                )
            case 403:
                return SettingsError(detail or f"{self._host} lets nobody in.", cure=cure)
            case 410:
                return SignInNeeded(
                    detail or "Another worker took over with this token.", stage=STAGE, cure=cure
                )
            case 404 | 405:
                return SettingsError(
                    f"There is no door for workers at {self.url}.",
                    cure="Copy the address from the user's page.",
                )
            case 400 | 413 | 422:
                return OutboxError(detail or f"{self._host} does not understand this worker.", cure=cure)
        after = answer.headers.get("retry-after", "")
        seconds = float(after) if after.isdecimal() and len(after) < 6 else None
        said = f": {detail.rstrip('.')}" if detail else ""
        return self._later(f"answered with {answer.status}{said}", seconds, cure)


class _Shared:
    """A line that several threads use, one after the other."""

    def __init__(self, ca_file: str) -> None:
        self._line = Line(ca_file, named="--ca-file")
        self._guard = threading.Lock()

    def exchange(self, request: Request, seconds: float) -> Answer:
        with self._guard:
            return self._line.exchange(request, seconds)

    def abort(self) -> None:
        self._line.abort()

    def close(self) -> None:
        if not self._guard.acquire(blocking=False):  # in use: it ends now
            self._line.abort()
            if not self._guard.acquire(timeout=5.0):
                return  # still connecting: it ends by its own deadline
        try:
            self._line.close()
        finally:
            self._guard.release()


def _checked(url: str) -> str:
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.query or parts.fragment or not url.isascii():
        raise SettingsError(
            "That is no address of a server.",
            cure="Copy it from the user's page: https://erp.acme.example/mail/agent",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise SettingsError(
            "The token may not travel in clear.",
            cure="Use the server's https:// address; http:// is for this computer alone.",
        )
    return url


def _said(answer: Answer) -> tuple[str, str]:
    """Return what the server says of a refusal, as much as may be told."""
    try:
        error = wire.read(answer.body)["error"]
        return quotation(str(error["detail"])), quotation(str(error["cure"]))
    except (ValueError, KeyError, TypeError):
        return "", ""
