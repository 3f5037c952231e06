"""The worker at a user's own computer, and what its server needs to let it in: tokens, and what goes over the wire. A public door."""

from __future__ import annotations

from ._agent import wire
from ._agent.desks import Desks, Gone
from ._agent.door import Over
from ._agent.tokens import Issued, Token, Tokens
from ._agent.worker import Agent, Desk, DeskStatus

__all__ = ["Agent", "Desk", "DeskStatus", "Desks", "Gone", "Issued", "Over", "Token", "Tokens", "wire"]
