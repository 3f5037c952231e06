"""Which entries a worker gets: lane by lane, each in its turn."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from .._settings import desk_of
from . import tables
from .entry import Wanted


class Claims:
    """Finds what may be claimed, beginning behind the lane that was last.

    Attributes:
        last: That lane.
    """

    def __init__(self) -> None:
        self.last = ""

    def found(self, database: sqlite3.Connection, wanted: Wanted, stamp: int) -> list[int]:
        """Return the numbers of what may be claimed now, in order."""
        paused = {scope for (scope,) in database.execute(tables.PAUSED, (stamp,))}
        others = {lane for (lane,) in database.execute(tables.OTHERS, (wanted.worker,))}
        shut = wanted.busy | others
        users = None if wanted.users is None else json.dumps(sorted(wanted.users))
        named = {
            "paused": json.dumps(sorted(paused)),
            "methods": None if wanted.methods is None else json.dumps(sorted(wanted.methods)),
        }
        found: list[int] = []
        octets = 0
        for lane in self._in_turn(database):
            if lane in shut or f"lane:{lane}" in paused:
                continue
            if wanted.accounts is not None and lane not in wanted.accounts:
                continue
            desk = desk_of(lane)
            if desk and desk not in (wanted.users or ()):
                continue
            self.last = lane
            limit = min(wanted.each, wanted.most - len(found))
            asked = {**named, "users": None if desk else users, "lane": lane, "limit": limit}
            for seq, size in database.execute(tables.CLAIMABLE, asked):
                if found and octets + size > wanted.octets:
                    return found
                found.append(seq)
                octets += size
            if len(found) >= wanted.most:
                break
        return found

    def _in_turn(self, database: sqlite3.Connection) -> Iterator[str]:
        start = lane = self.last
        while (row := database.execute(tables.NEXT_LANE, (lane,)).fetchone()) is not None:
            lane = row[0]
            yield lane
        lane = ""
        while (row := database.execute(tables.NEXT_LANE, (lane,)).fetchone()) is not None and row[0] <= start:
            lane = row[0]
            yield lane
