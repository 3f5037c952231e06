"""A row of the table of meanings: what it takes for a refusal to mean something, and what that is."""

from __future__ import annotations

from typing import NamedTuple

from .replies import Reply


class Meaning(NamedTuple):
    """One row: when it applies, and what it says.

    Attributes:
        finding: The code of the finding that `check` makes of it.
        stages: Where it applies; empty for everywhere.
        codes: Reply codes; empty for all.
        enhanced: Enhanced codes; empty for all.
        words: In lower case; one of them stands in the reply. Empty for any text.
        meaning: What it means, a clause.
        cure: What helps, a sentence or two.
    """

    finding: str
    stages: tuple[str, ...]
    codes: tuple[int, ...]
    enhanced: tuple[str, ...]
    words: tuple[str, ...]
    meaning: str
    cure: str

    def fits(self, stage: str, reply: Reply, words: str) -> bool:
        """Whether the row applies to *reply* at *stage*; *words* is its text in lower case."""
        return (
            (not self.stages or stage in self.stages)
            and (not self.codes or reply.code in self.codes)
            and (not self.enhanced or reply.enhanced in self.enhanced)
            and (not self.words or any(word in words for word in self.words))
        )


SIGN_IN, SENDER, RECIPIENT, CONTENT = "sign-in", "sender", "recipient", "content"
ENVELOPE = (SENDER, RECIPIENT, CONTENT)
