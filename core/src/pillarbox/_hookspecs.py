"""The broadcasts: what every installed plugin may hear of. A method is chosen by name instead, by entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from ._route import Attempt, Suggestion

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker("pillarbox")
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker("pillarbox")
"""Marks a function of a plugin module in the entry-point group `pillarbox`."""


@hookspec
def pillarbox_suggest(domain: str, mx: tuple[str, ...]) -> Suggestion | None:
    """Offer a method for addresses at *domain*, whose mail exchangers are *mx*, if you recognise it."""


@hookspec
def pillarbox_attempt_finished(attempt: Attempt) -> None:
    """Hear of every attempt when it is over, whatever came of it. What is raised here changes nothing."""
