"""certify(): what was tried, what failed, and what nobody could see."""

from __future__ import annotations

import pytest

from pillarbox import OutcomeUnknown
from pillarbox.testing import CONTRACT_VERSION, TransportContract, certify, contracts_in
from tests.contract import good
from tests.contract.good import Good, contract_of


class Deaf(Good):
    """Never hears an answer."""

    def receipt(self, submission, recipients, fault):
        raise OutcomeUnknown("no answer")


@pytest.fixture(scope="module")
def kept():
    told = []
    return certify(contract_of(Good), tell=told.append), told


def test_one_that_keeps_it_is_said_to(kept):
    """With each case told as it ends."""
    certificate, told = kept
    assert certificate.is_kept
    assert certificate.transport == "tests.contract.good.Good"
    assert (certificate.label, certificate.version) == ("Good", CONTRACT_VERSION)
    assert tuple(told) == certificate.results
    assert certificate.verdict.startswith("It keeps the contract in what was tried; ")


def test_one_that_breaks_it_is_said_to_with_how_many():
    """Whatever it does well."""
    certificate = certify(contract_of(Deaf))
    failed = len(certificate.of("failed"))
    assert failed > 3
    assert not certificate.is_kept
    assert (
        certificate.verdict
        == f"It does not keep the contract: {failed} of {len(certificate.results)} cases failed."
    )


def test_what_nobody_saw_arrive_is_not_called_kept():
    """An author who wrote make_transport alone has shown next to nothing."""

    class Blind(contract_of(Good)):
        def accepted(self):
            return TransportContract.accepted(self)

    certificate = certify(Blind)
    assert not certificate.is_kept
    assert certificate.of("failed") == ()
    assert "accepted() is not written" in certificate.verdict


def test_a_contract_that_makes_no_transport_fails_in_words():
    """It is reported, not raised."""

    class Nothing(TransportContract):
        __test__ = False

    certificate = certify(Nothing)
    assert not certificate.is_kept
    assert certificate.transport == ""
    assert "make_transport" in certificate.of("failed")[0].reason


def test_contracts_are_found_among_other_things():
    """Each once, and not the contract itself."""
    mine = contract_of(good.Choosy)
    assert contracts_in([1, mine, TransportContract, Good, mine]) == [mine]
