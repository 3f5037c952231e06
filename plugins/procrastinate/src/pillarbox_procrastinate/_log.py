"""The one event of this distribution, in the words of core's log."""

from __future__ import annotations

import logging

_log = logging.getLogger("pillarbox")
_log.addHandler(logging.NullHandler())  # a library prints nothing where the host has set nothing up


def failed(error: BaseException) -> None:
    """Log that the storage failed for a while; the kind of the error alone, since its text may quote what was to be kept."""
    _log.error("pillarbox.outbox_failed", extra={"error": type(error).__name__})
