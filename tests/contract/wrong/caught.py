"""Transports that are wrong in one way each, and the cases that have to catch them."""

from __future__ import annotations

from collections.abc import Callable

from pillarbox import Transport

WRONG: list[tuple[type[Transport], str]] = []
"""Filled by the modules beside this one."""


def caught_by(*cases: str) -> Callable[[type[Transport]], type[Transport]]:
    """Say which cases have to catch the class."""

    def note(wrong: type[Transport]) -> type[Transport]:
        WRONG.extend((wrong, case) for case in cases)
        return wrong

    return note
