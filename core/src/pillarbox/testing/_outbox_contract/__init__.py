"""OutboxContract: what every outbox has to keep, as cases that its author inherits.

class TestMine(OutboxContract):
    def outbox(self, path, settings, clock):
        return MyOutbox(path, settings, clock=clock)
"""

from __future__ import annotations

from typing import Any

from ._claiming import Claiming
from ._clocks import Clocks
from ._crowd import Crowd
from ._moving import Moving
from ._pausing import Pausing
from ._putting import Putting
from ._reading import Reading
from ._reporting import Reporting
from ._workers import Workers

__all__ = ["OutboxContract"]


class OutboxContract(Putting, Claiming, Moving, Pausing, Workers, Reading, Clocks, Crowd, Reporting):
    """Inherit this in a test class and write `outbox`; pytest runs the cases, `run_cases` runs them without.

        class TestMine(OutboxContract):
            def outbox(self, path, settings, clock):
                return MyOutbox(path, settings, clock=clock)

    Each `test_` method is a case, whose docstring is what it demands. Workers are killed in processes of their own, which
    are forked: where a system has no fork those cases are shown as skipped, with the reason.
    """

    __test__: bool = False

    def __init_subclass__(cls, **named: Any) -> None:
        """Let pytest collect the author's class, unless it says otherwise itself."""
        super().__init_subclass__(**named)
        if "__test__" not in vars(cls):
            cls.__test__ = True
