"""What Entra's refusals mean, code by code."""

from __future__ import annotations

import pytest

from pillarbox import RefusedReason, SendDeferred, SettingsError, SignInNeeded
from pillarbox_m365.refusals import PEOPLE, REGISTRATION, codes_of, error_of, reason_of, words_of


def said(code: int, error: str = "invalid_grant") -> dict[str, object]:
    words = f"AADSTS{code}: What it says. Trace ID: 1-2 Correlation ID: 3-4 Timestamp: 2026-11-26 00:00:00Z"
    return {"error": error, "error_description": words, "error_codes": [code]}


@pytest.mark.parametrize("code", PEOPLE)
def test_a_persons_refusal_asks_for_a_sign_in(code: int) -> None:
    """With a sentence of its own, the code, and a cure."""
    error = error_of(said(code))
    assert isinstance(error, SignInNeeded)
    assert (error.code, error.detail, error.cure) == (f"AADSTS{code}", PEOPLE[code].said, PEOPLE[code].cure)


@pytest.mark.parametrize("code", REGISTRATION)
def test_a_registrations_refusal_is_the_deployers(code: int) -> None:
    """Connecting again would not help."""
    error = error_of(said(code, "invalid_client"))
    assert isinstance(error, SettingsError)
    assert f"AADSTS{code}" in error.detail
    assert error.cure


def test_the_tables_do_not_overlap() -> None:
    """And each row is a sentence with a cure that is one."""
    assert not PEOPLE.keys() & REGISTRATION.keys()
    for row in (*PEOPLE.values(), *REGISTRATION.values()):
        assert row.said.endswith(".")
        assert row.cure.endswith(".")


def test_a_code_is_read_out_of_the_words_too() -> None:
    """Where it is not listed."""
    assert codes_of({"error_description": "AADSTS50173: it was changed"}) == [50173]


@pytest.mark.parametrize("name", ["invalid_client", "unauthorized_client"])
def test_an_unknown_refusal_of_the_client(name: str) -> None:
    """It is the registration's by its name."""
    assert isinstance(error_of({"error": name, "error_description": "no"}), SettingsError)


@pytest.mark.parametrize("name", ["invalid_grant", "interaction_required", "invalid_scope", "whatever"])
def test_any_other_answer_without_a_token(name: str) -> None:
    """Somebody has to connect again."""
    assert isinstance(error_of({"error": name}), SignInNeeded)


def test_no_answer_at_all() -> None:
    """MSAL says None where nothing is left to ask with."""
    assert isinstance(error_of(None), SignInNeeded)


def test_not_now() -> None:
    """The service may be down."""
    assert isinstance(error_of({"error": "temporarily_unavailable"}), SendDeferred)


def test_the_numbers_behind_the_words_are_left_out() -> None:
    """Nobody but Microsoft reads them."""
    assert words_of(said(50173)) == "AADSTS50173: What it says."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": "access_denied"}, RefusedReason.CANCELLED),
        ({"error": "authorization_declined"}, RefusedReason.CANCELLED),
        (said(65004, "consent_required"), RefusedReason.CANCELLED),
        (said(90094, "access_denied"), RefusedReason.FAILED),
        ({"error": "expired_token"}, RefusedReason.EXPIRED),
        (said(54005), RefusedReason.EXPIRED),
        (said(50105), RefusedReason.FAILED),
    ],
)
def test_how_a_sign_in_ended(answer: dict[str, object], reason: RefusedReason) -> None:
    """Cancelled by the person, too late, or not allowed."""
    assert reason_of(answer) is reason
