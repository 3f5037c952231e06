"""A carrier's proof that an account may show an address: asked where a rule needs it, for ten minutes, and never guessed."""

from __future__ import annotations

from typing import ClassVar

import attrs
import pytest

from pillarbox import Company, Mailer, MemoryDirectory, Plugins, Proof, SendDeferred, SenderMismatch, User
from pillarbox import _proofs as proofs
from pillarbox.settings import FromPolicy, setting
from pillarbox.testing import MemoryTransport


@attrs.frozen(kw_only=True)
class Settings:
    box: str = "proofs"
    from_policy: FromPolicy = setting(FromPolicy.SEND_AS)


class Proving(MemoryTransport):
    settings: Settings
    proven: ClassVar[set] = set()
    asked: ClassVar[list] = []
    failure: ClassVar[Exception | None] = None

    def may_show(self, address):
        self.asked.append(address)
        if self.failure:
            raise self.failure
        return Proof("a list") if address in self.proven else None


ANNA = User(id="anna", address="anna@acme.example", name="Anna Berg")


@pytest.fixture
def mailer():
    Proving.proven, Proving.asked, Proving.failure = set(), [], None
    plugins = Plugins(extra={"proving": Proving})
    company = Company(address="orders@acme.example", method="proving")
    with Mailer(MemoryDirectory(company, [ANNA], plugins=plugins), plugins=plugins) as made:
        yield made


def test_an_address_that_is_proven_is_shown(mailer):
    Proving.proven.add("anna@acme.example")
    route = mailer.explain("anna")
    assert route.from_address.address == "anna@acme.example"
    assert any("which is proven by a list" in one.text for one in route.reasons)


def test_one_that_is_not_is_refused_with_the_cure(mailer):
    with pytest.raises(SenderMismatch, match="not known to be allowed to show anna@acme"):
        mailer.explain("anna")


def test_an_answer_is_good_for_ten_minutes_and_then_asked_again(mailer, monkeypatch):
    with pytest.raises(SenderMismatch):
        mailer.explain("anna")
    Proving.proven.add("anna@acme.example")
    with pytest.raises(SenderMismatch):
        mailer.explain("anna")
    assert len(Proving.asked) == 1
    monkeypatch.setattr(proofs, "GOOD_FOR", 0.0)
    assert mailer.explain("anna")
    assert len(Proving.asked) == 2


@pytest.mark.parametrize("failure", [SendDeferred("away"), RuntimeError("a fault, with a secret")])
def test_a_carrier_that_can_t_be_asked_has_proven_nothing_and_is_asked_again(mailer, failure):
    Proving.failure = failure
    for _ in range(2):
        with pytest.raises(SenderMismatch) as refused:
            mailer.explain("anna")
        assert "secret" not in str(refused.value)
    assert len(Proving.asked) == 2
    Proving.failure = None
    Proving.proven.add("anna@acme.example")
    assert mailer.explain("anna")


def test_the_company_s_own_address_needs_no_proof(mailer):
    assert mailer.explain().from_address.address == "orders@acme.example"
    assert Proving.asked == []
