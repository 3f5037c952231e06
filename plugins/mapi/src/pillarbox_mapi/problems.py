"""Why the worker could not do what it was asked: a name with facts, which crosses the process boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 2_000
"""The most characters of a fact; what is shown of it is cut shorter."""


class Problem(Exception):
    """What stopped an operation, by a stable name.

    Attributes:
        name: `com` for an HRESULT; else what the worker itself found: `account-missing`, `recipient-unknown` ...
        step: Where the operation had got to: `start`, `profile`, `account`, `content`, `save`, `send`, `look`.
        code: The HRESULT, or the scode where the HRESULT only says that there is one; else 0. Unsigned.
        facts: More of it, as texts.
        kept: After a failed Send: whether Outlook says that it still has the draft; None where it does not say.
    """

    def __init__(
        self, name: str, *, step: str = "", code: int = 0, kept: bool | None = None, **facts: str
    ) -> None:
        super().__init__(name)
        self.name = name
        self.step = step
        self.code = code
        self.kept = kept
        self.facts = {key: value[:MOST] for key, value in facts.items()}

    def to_json(self) -> dict[str, Any]:
        """Return it as an object of JSON."""
        return {
            "name": self.name,
            "step": self.step,
            "code": self.code,
            "kept": self.kept,
            "facts": self.facts,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Problem:
        """Return the problem that `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is none.
        """
        facts = {str(key): str(text) for key, text in dict(value["facts"]).items() if key not in _FIELDS}
        kept = value["kept"]
        return cls(
            str(value["name"]),
            step=str(value["step"]),
            code=int(value["code"]),
            kept=kept if isinstance(kept, bool) else None,
            **facts,
        )


_FIELDS = frozenset({"name", "step", "code", "kept", "self"})
