"""A child of a fork begins anew: no lock that another thread of its parent held, no connection of its parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Beginning(Protocol):
    """What can begin anew."""

    def begin(self) -> None:
        """Forget what belongs to a process, locks included."""


_made: list[weakref.ref[Beginning]] = []


def begun(one: Beginning) -> None:
    """Begin *one*, now and in each child of this process."""
    _made[:] = [known for known in _made if known() is not None]
    _made.append(weakref.ref(one))
    one.begin()


def _in_child() -> None:
    for known in _made:
        one = known()
        if one is not None:
            one.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
