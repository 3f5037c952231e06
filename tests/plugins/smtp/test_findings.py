"""The list of findings is whole and plain."""

from __future__ import annotations

import re

from pillarbox_smtp.check import FINDINGS, STAGES
from pillarbox_smtp.meanings import MEANINGS


def test_codes_are_stable_names() -> None:
    """Each code is in kebab case and has a sentence."""
    assert list(FINDINGS) == sorted(FINDINGS)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in FINDINGS)
    assert all(re.fullmatch(r"[A-Z].*\.", told) for told in FINDINGS.values())


def test_every_meaning_is_listed() -> None:
    """What a refusal can mean is listed, with a clause that is no sentence and a cure that is one."""
    for row in MEANINGS:
        assert row.finding in FINDINGS
        assert not row.meaning.endswith(".")
        assert row.cure.endswith(".") or row.cure.endswith("message.")


def test_stages_are_the_contract_s() -> None:
    """The stages and their order are those that core prints."""
    assert STAGES == ("dns", "proxy", "connect", "tls", "greeting", "sign-in", "sender", "recipient", "reset")
