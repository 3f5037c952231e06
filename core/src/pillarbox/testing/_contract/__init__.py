"""TransportContract: what every transport has to keep, as cases that its author inherits.

    class TestSendmail(TransportContract):
        def make_transport(self):
            return SendmailTransport(SendmailSettings(command=str(FAKE)))

An author who can also tell what the carrier got (`accepted`), make it misbehave (`stage`), and name the secrets in use
(`secrets`) has more cases run; what can't be staged is reported as such, with its reason, never as passed.
"""

from __future__ import annotations

from typing import Any

from ._arriving import Arriving
from ._batches import Batches
from ._declared import Declared
from ._faults import FAULTS, Fault
from ._ground import Accepted, NotStaged
from ._killed import Killed
from ._leaving import Leaving
from ._life import Life
from ._looking import Looking
from ._outcomes import Outcomes
from ._promises import Promises
from ._running import CaseResult, run_cases
from ._secrets import Secrets
from ._telling import Telling
from ._together import Together

__all__ = [
    "CONTRACT_VERSION",
    "FAULTS",
    "Accepted",
    "CaseResult",
    "Fault",
    "NotStaged",
    "TransportContract",
    "run_cases",
]

CONTRACT_VERSION = "2"
"""Grows when a case is added, removed or asks for more. The names of the cases are stable."""


class TransportContract(
    Declared,
    Promises,
    Leaving,
    Arriving,
    Outcomes,
    Telling,
    Killed,
    Together,
    Batches,
    Looking,
    Secrets,
    Life,
):
    """Inherit this in a test class, write `make_transport`, and as many of the other methods as you can.

    Each `test_` method is a case, whose docstring is what it demands. pytest runs them; `run_cases` runs them without.
    A case that raises `NotStaged` was not tried and is shown as skipped, with the reason.

        class TestExample(TransportContract):
            secrets = ("canary-4c1f-password",)
            carrier_outlives = True                    # it is another process

            def make_transport(self):                  # the one method that must be written
                return ExampleTransport(ExampleSettings(url=carrier.url), credentials)

            def accepted(self):                        # what the carrier got in this test
                return [Accepted(one.content, one.sender, one.recipients) for one in carrier.kept]

            @contextlib.contextmanager
            def stage(self, fault):                    # one of FAULTS, while the block runs
                if fault not in carrier.faults:
                    raise NotStaged(f"the fake carrier does not know: {fault}")
                carrier.fault = fault
                yield
                carrier.fault = ""

    Where the carrier works otherwise than a case supposes, override the case with one that says what holds instead.
    """

    __test__: bool = False

    def __init_subclass__(cls, **named: Any) -> None:
        """Let pytest collect the author's class, unless it says otherwise itself."""
        super().__init_subclass__(**named)
        if "__test__" not in vars(cls):
            cls.__test__ = True
