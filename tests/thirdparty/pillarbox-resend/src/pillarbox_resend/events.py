"""What Resend tells of mails afterwards: web hooks, signed as Svix signs them."""

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pillarbox import EventSource, MessageError, PillarboxError, ReportRefused

if TYPE_CHECKING:
    from pillarbox import Report

LARGEST = 1024 * 1024
"""Octets of a web hook's body."""
TOLERANCE = 300
"""Seconds that a request may be old, or its sender's clock be wrong."""
MOST_SIGNATURES = 10
SHORTEST_SECRET = 16
"""Octets. With none at all, or a few, anybody could sign."""


class ResendEvents(EventSource):
    """Web hooks of the types `email.delivered`, `email.bounced`, `email.complained`, `email.failed`."""

    clock: Callable[[], float] = staticmethod(time.time)

    def parse(self, headers: Mapping[str, str], body: bytes) -> "list[Report]":
        """See `EventSource`. Proves the signature before it reads a word."""
        self._require_signature({name.lower(): value for name, value in headers.items()}, body)
        try:
            value = json.loads(body)
            return list(_reports(value))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MessageError):
            raise ReportRefused("The web hook says what is no event of Resend's.") from None

    def _require_signature(self, headers: Mapping[str, str], body: bytes) -> None:
        """Do nothing where the request is Resend's, and new.

        Raises:
            ReportRefused: It is not.
        """
        secret = self._secret()
        name, moment, given = (headers.get(f"svix-{one}", "") for one in ("id", "timestamp", "signature"))
        if len(body) > LARGEST:
            raise ReportRefused("The web hook is larger than any event.")
        if not moment.isascii() or not moment.isdigit() or len(moment) > 12:
            raise ReportRefused("The web hook is not signed by Resend.")
        if abs(self.clock() - int(moment)) > TOLERANCE:
            raise ReportRefused("The web hook is too old, or a clock is wrong.")
        mac = hmac.new(secret, f"{name}.{moment}.".encode(errors="replace") + body, hashlib.sha256).digest()
        wanted = f"v1,{b64encode(mac).decode()}"
        fits = [
            hmac.compare_digest(wanted.encode(), one.encode(errors="replace"))
            for one in given.split(" ")[:MOST_SIGNATURES]
        ]
        if not any(fits):
            raise ReportRefused("The web hook is not signed by Resend.")

    def _secret(self) -> bytes:
        if self.credentials is None or self.settings.hook is None:
            raise ReportRefused("There is no signing secret, so no web hook can be believed.")
        try:
            secret = b64decode(self.credentials.secret("hook").removeprefix("whsec_"), validate=True)
        except ValueError:
            secret = b""
        except PillarboxError as error:
            raise ReportRefused(f"The signing secret can't be had: {error.detail}") from None
        if len(secret) < SHORTEST_SECRET:
            raise ReportRefused(
                "The signing secret is none: it begins with whsec_, and 24 letters follow or more."
            )
        return secret


def _reports(value: Any) -> "Iterator[Report]":
    """Yield a report for each recipient of an event; none for one that is about something else."""
    from pillarbox import Report, ReportKind

    kinds = {
        "email.delivered": ReportKind.ARRIVED,
        "email.bounced": ReportKind.BOUNCED,
        "email.complained": ReportKind.COMPLAINED,
        "email.failed": ReportKind.FAILED,
        "email.suppressed": ReportKind.FAILED,
    }
    kind, data = kinds.get(str(value["type"])), value["data"]
    if kind is None:
        return
    at = datetime.fromisoformat(str(value["created_at"]))
    for recipient in list(data["to"])[:50]:
        plain = str(recipient).rpartition("<")[2].rstrip(">")
        yield Report(kind=kind, recipient=plain, provider_id=str(data["email_id"]), detail=_why(data), at=at)


def _why(data: Mapping[str, Any]) -> str:
    for name in ("bounce", "failed", "suppressed"):
        told = data.get(name)
        if isinstance(told, dict):
            return str(told.get("message") or told.get("reason") or told.get("type") or "")
    return ""
