"""What the answers to all kinds of requests need: the bounds of a body, its JSON, the addresses in answers."""

from __future__ import annotations

from typing import Any

from ._errors import GraphError
from ._manners import MIB
from ._office import Turn

REQUEST_OCTETS = 4 * MIB
"""The longest request, base64 and JSON included."""


def base(turn: Turn) -> str:
    """Return the address that contexts begin with."""
    return f"{turn.office.url()}/v1.0"


def require_short(turn: Turn, most: int = REQUEST_OCTETS, code: str = "ErrorMessageSizeExceeded") -> None:
    """Do nothing if the body has at most *most* octets.

    Raises:
        GraphError: It has more; 413 with *code*.
    """
    if len(turn.call.body) > most:
        raise GraphError(413, code, "Maximum request length exceeded.")


def read_json(turn: Turn, step: str) -> dict[str, Any]:
    """Return the body, which is what *step* takes.

    Raises:
        GraphError: It is not.
    """
    if turn.call.media_type != "application/json":
        raise GraphError(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    return turn.office.checker.read(turn.call.body, step)
