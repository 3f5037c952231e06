"""Events for the host's own logging: nouns with fields, through `logging.getLogger("pillarbox")`, never printed."""

from __future__ import annotations

import functools
import logging
from typing import Any

_heard = logging.getLogger("pillarbox").isEnabledFor


def is_heard(level: str) -> bool:
    """Whether anybody listens to events of this *level*."""
    return _heard(getattr(logging, level.upper()))


def event(level: str, name: str, **fields: Any) -> None:
    """Log the event *name* with *fields*: no address beyond its domain, no secret, no body."""
    if is_heard(level):
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
