"""HTTP with one deadline for each exchange, for transports that speak to a provider's own interface. A public door."""

from __future__ import annotations

from ._exchange.line import Answer, Line, NoAnswer, Request, text_of
from ._exchange.proxies import is_loopback

__all__ = ["Answer", "Line", "NoAnswer", "Request", "is_loopback", "text_of"]
