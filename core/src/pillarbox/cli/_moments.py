"""Moments on the command line: a day, a day with a time, or how long ago."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    DateType = click.ParamType[dt.datetime]
else:
    DateType = click.ParamType  # not generic in the oldest click that is allowed

_AGO = re.compile(r"([0-9]{1,6})\s*([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Moment(DateType):
    """A moment, aware: `2026-03-01`, `2026-03-01T14:00`, `today`, or `30m`, `12h`, `7d` before now (or after it).

    Args:
        ahead: Whether a length of time is counted from now on, instead of back.
    """

    name = "moment"

    def __init__(self, *, ahead: bool = False) -> None:
        self._ahead = ahead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Return the moment; see `click.ParamType`. Without an offset it is this machine's time."""
        if isinstance(value, dt.datetime):
            return value
        text = str(value).strip()
        now = dt.datetime.now().astimezone()
        try:
            length = _AGO.fullmatch(text)
            if length:
                span = dt.timedelta(**{_UNITS[length[2]]: int(length[1])})
                return now + span if self._ahead else now - span
            if text == "today":
                return now.replace(hour=0, minute=0, second=0, microsecond=0)
            return dt.datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is no moment: give 2026-03-01, 2026-03-01T14:00, today, or 12h.", param, ctx)
