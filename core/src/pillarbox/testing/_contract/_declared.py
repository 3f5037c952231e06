"""Cases: what core and the settings pages must know of a method without an instance, a network or an SDK."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import attrs

from ..._schema import form
from ..._transports import Capabilities, Description, Limits, SenderPolicy
from . import _drawing
from ._ground import Ground, NotStaged

_KINDS = frozenset({"text", "integer", "number", "boolean", "choice", "secret", "list", "table"})
_SECONDS = 60


class Declared(Ground):
    """What is declared."""

    def test_the_settings_can_be_drawn_as_a_form(self) -> None:
        """The annotation of `settings` names an attrs class, and each field has a label and a kind."""
        for field in form(self.transport_class().settings_class()):
            assert field.kind in _KINDS, (
                f"the field {field.name} is of a kind that no form can draw: {field.kind}"
            )
            assert field.label, f"the field {field.name} has no label"

    def test_what_core_must_know_is_declared(self) -> None:
        """The class attributes have the values that `Transport` allows."""
        cls = self.transport_class()
        assert cls.label, "label is what a person calls the method, and it is empty"
        assert isinstance(cls.sender_policy, SenderPolicy), "sender_policy is not a SenderPolicy"
        for name in ("takes_envelope", "saves_copy"):
            assert isinstance(getattr(cls, name), bool), f"{name} is not a bool"
        platforms: object = cls.platforms
        assert isinstance(platforms, tuple), "platforms is a tuple of values of sys.platform"
        assert cls.settling >= 0, "settling is less than 0 seconds"
        assert cls.resend_safe_for.total_seconds() >= 0, "resend_safe_for is less than nothing"
        assert cls.options is None or attrs.has(cls.options), "options is not an attrs class"

    def test_limits_are_positive(self) -> None:
        """A limit is a number that something can keep below; None says that there is none."""
        with self.opened() as transport:
            limits = type(transport).limits(transport.settings)
        assert isinstance(limits, Limits), "limits returns a Limits"
        assert limits.concurrency >= 1, "concurrency is at least 1"
        bounds = (limits.per_minute, limits.per_day, limits.recipients, limits.size)
        assert all(one is None or one > 0 for one in bounds), f"a limit is not positive: {limits}"

    def test_the_account_is_told_in_words(self) -> None:
        """describe, warnings, identity and capabilities answer by the settings alone."""
        with self.opened() as transport:
            cls, settings = type(transport), transport.settings
        assert isinstance(cls.describe(settings), Description), "describe returns a Description"
        assert isinstance(cls.capabilities(None), Capabilities), "capabilities returns a Capabilities"
        assert all(isinstance(warning, str) for warning in cls.warnings(settings)), "warnings are sentences"
        assert isinstance(cls.identity(settings), (str, type(None))), "identity is a name or None"

    def test_what_is_declared_needs_no_network_and_no_sdk(self) -> None:
        """In a fresh interpreter where nothing can be reached, the form is drawn and the account told, and no SDK loaded."""
        with self.opened() as transport:
            imported = _imported_to_draw(type(transport), transport.settings)
        needless = sorted(imported & set(self.sdks))
        assert not needless, (
            f"drawing the form imports {', '.join(needless)}: import it in the method that uses it"
        )

    def test_send_marks_the_hand_over_in_its_code(self) -> None:
        """A transport that never marks it is taken to have handed over from the start."""
        assert self.transport_class().marks_hand_over, "enter journal.handing_over() around what submits"


def _imported_to_draw(cls: type, settings: object) -> set[str]:
    """Return the modules that an interpreter has imported when it has drawn and told all.

    Raises:
        NotStaged: The class can't be imported by its name there, or its settings can't be taken along.
    """
    if _found_by_name(cls) is not cls:
        raise NotStaged(f"another interpreter can't import {cls.__qualname__} from {cls.__module__}")
    try:
        pickled = pickle.dumps(settings)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise NotStaged(f"the settings can't be pickled for another interpreter: {error}") from None
    program = [
        sys.executable,
        "-P",
        "-W",
        "ignore",
        str(Path(_drawing.__file__)),
        cls.__module__,
        cls.__qualname__,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
    done = subprocess.run(  # noqa: S603  (this interpreter, and a file of ours)
        program, input=pickled, capture_output=True, env=environment, timeout=_SECONDS, check=False
    )
    if done.returncode == _drawing.NOT_HERE:
        raise NotStaged(f"another interpreter can't import {cls.__module__}")
    assert not done.returncode, f"drawing the form failed: {done.stderr.decode(errors='replace')[-2_000:]}"
    return set(json.loads(done.stdout))


def _found_by_name(cls: type) -> object:
    """Return what stands in the module of *cls* under its name; None in a program's own module, or in a function."""
    found: object = None if cls.__module__ == "__main__" else sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found
