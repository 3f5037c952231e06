"""A live test says what it lacks, and runs by nobody's accident."""

from __future__ import annotations

import pytest

from tests.live.accounts import CONFIG, TO, real


@pytest.mark.parametrize(
    ("known", "lacking"),
    [({}, f"{CONFIG} and {TO}"), ({CONFIG: "pillarbox.toml"}, TO), ({TO: "a@b"}, CONFIG)],
)
def test_a_variable_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, str], lacking: str
) -> None:
    """The test fails by naming it; nothing is opened."""
    for name in (CONFIG, TO):
        monkeypatch.delenv(name, raising=False)
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match=f"needs {lacking} in the environment"), real("m365"):
        pass
