"""Events for the host's own logging: nouns with fields, through `logging.getLogger("pillarbox")`, never printed."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Mapping
from typing import Any

EVENTS: Mapping[str, str] = {
    "pillarbox.accepted": "An attempt ended with the carrier's word.",
    "pillarbox.rejected": "An attempt was refused for good.",
    "pillarbox.deferred": "An attempt ended before the hand-over; it may go later.",
    "pillarbox.unknown": "An attempt was handed over, and no valid answer came.",
    "pillarbox.connected": "Somebody signed an account in, and the sign-in is kept.",
    "pillarbox.disconnected": "The sign-in of an account was destroyed; it says whether the provider was told.",
    "pillarbox.not_revoked": "A provider could not be told that a sign-in is over; it is destroyed here all the same.",
    "pillarbox.enqueued": "A submission is kept in the outbox, for a worker to send.",
    "pillarbox.claimed": "A worker took due entries; it says how many, of how many lanes.",
    "pillarbox.paused": "Nothing starts in an account, a company or for a user until it is resumed, or a time has passed.",
    "pillarbox.resumed": "What was paused goes on.",
    "pillarbox.held": "An entry waits for a person's word.",
    "pillarbox.proof_failed": "A transport failed when it was asked whether it may show an address; nothing is proven.",
    "pillarbox.reported": "What a provider said of mails after it took them was kept; it says of how many.",
    "pillarbox.rescued": "A worker took over what a dead process had in hand.",
    "pillarbox.close_failed": "A transport failed when its connection was let go; nothing that was sent changes.",
    "pillarbox.distribution_broken": "An installed distribution can't be read, so its plugins are not found.",
    "pillarbox.history_failed": "A change of settings was kept, and its line in the history was not.",
    "pillarbox.hook_failed": "A plugin's hook raised; what it was told of stands.",
    "pillarbox.look_failed": "A transport failed when it was asked whether it has a submission; it is asked again.",
    "pillarbox.outbox_failed": "What became of an attempt could not be kept in the outbox.",
    "pillarbox.plugin_broken": "A module of hooks can't be imported or names a hook that does not exist; it is left out.",
    "pillarbox.trace_failed": "What a host gave as `trace` raised; the attempt went on.",
    "pillarbox.worker_failed": "A worker met a fault of its own or a method's in one lane; the lane waits, the others go on.",
}
"""Every event, with its meaning, for the documentation; the code that logs one says its level and its fields."""

_heard = logging.getLogger("pillarbox").isEnabledFor


def is_heard(level: str) -> bool:
    """Whether anybody listens to events of this *level*."""
    return _heard(getattr(logging, level.upper()))


def event(level: str, name: str, **fields: Any) -> None:
    """Log the event *name* with *fields*: no address beyond its domain, no secret, no body.

    A handler of the host's that raises changes nothing of what is being done.
    """
    if is_heard(level):
        with contextlib.suppress(Exception):
            getattr(_logger(), level)(name, **fields)


@functools.cache
def _logger() -> Any:
    """Return structlog's wrapper, made on the first event that anybody hears.

    structlog as it comes prints to standard output, and logging's last resort writes to standard error: wrapped
    like this, and with a handler that does nothing, pillarbox writes to neither unless the host sets logging up.
    """
    import structlog

    logger = logging.getLogger("pillarbox")
    logger.addHandler(logging.NullHandler())
    return structlog.wrap_logger(
        logger,
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
