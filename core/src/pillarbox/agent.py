"""The worker at a user's own computer, and what its server needs to let it in. A public door."""

from __future__ import annotations

from ._agent import wire as wire  # noqa: PLC0414  (what our own two sides say; no public name, it has a version)
from ._agent.desks import Desks
from ._agent.tokens import Issued, Token, Tokens
from ._agent.worker import Agent, Desk, DeskStatus

__all__ = ["Agent", "Desk", "DeskStatus", "Desks", "Issued", "Token", "Tokens"]
