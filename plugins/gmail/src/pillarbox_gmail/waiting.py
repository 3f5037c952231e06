"""How long Google wants to be left alone: what its header says and what its text says, within reason. Pure."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime

from .exchange import Answer

LEAST = 1.0
"""Seconds; less is asked again at once, and refused again."""
MOST = 86_400.0
"""Seconds; Google's longest limit, that of a day, ends by then."""
_UNTIL = re.compile(rb"[Rr]etry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)")
"""`User-rate limit exceeded.  Retry after 2026-11-26T10:15:00.123Z`: in the text alone."""


def wait_asked(answer: Answer, now: dt.datetime | None = None) -> float | None:
    """Return the seconds to wait, the longer of what header and text ask for; None where neither does."""
    at = now or dt.datetime.now(dt.UTC)
    asked = [one for one in (_by_header(answer, at), _by_text(answer, at)) if one is not None]
    return min(max(*asked, LEAST), MOST) if asked else None


def _by_header(answer: Answer, now: dt.datetime) -> float | None:
    said = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", said):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return None
    return (until if until.tzinfo else until.replace(tzinfo=dt.UTC)).timestamp() - now.timestamp()


def _by_text(answer: Answer, now: dt.datetime) -> float | None:
    found = _UNTIL.search(answer.body)
    if found is None:
        return None
    try:
        until = dt.datetime.fromisoformat(found[1].decode().partition(".")[0].removesuffix("Z"))
    except ValueError:
        return None
    return until.replace(tzinfo=dt.UTC).timestamp() - now.timestamp()
