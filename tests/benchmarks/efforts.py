"""How much is run: the counts of a full, a quick and a functional run."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Effort:
    """How much is run.

    Attributes:
        name: What it is called.
        rounds: How many rounds a comparison has; the spread is over these.
        scale: Of the counts that a benchmark names for a full run; at least one remains.
        users: How many users the directory has.
        loads: How many rounds loading that directory has, and how many processes keep connections; each takes seconds.
        lines: How many connections are kept.
        all_peers: Whether contenders without a bound take part.
    """

    name: str
    rounds: int
    scale: float
    users: int
    loads: int
    lines: int
    all_peers: bool

    def times(self, count: int) -> int:
        """Return *count* scaled."""
        return max(1, round(count * self.scale))


FULL = Effort(name="full", rounds=5, scale=1.0, users=100_000, loads=2, lines=1_000, all_peers=True)
QUICK = Effort(name="quick", rounds=3, scale=0.6, users=100_000, loads=1, lines=1_000, all_peers=False)
FUNCTIONAL = Effort(name="functional", rounds=1, scale=0.0, users=20, loads=1, lines=3, all_peers=True)
"""For the tests: everything once, which shows that it works and says nothing about time."""
