"""Which addresses would be other: of whom, and what can be done about it."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Choice, Level, SettingsError, User
from pillarbox._advice.addresses import MOST_TOLD

from .scene import ANNA, OTTO, connection, found, learned, mailer


def test_a_mailbox_shows_itself_where_a_server_showed_each_user():
    """For each writer, with the way to keep their address."""
    told = found(mailer(ANNA, OTTO), "amail")
    assert [one.seen for one in told["change-from"]] == [
        "Anna Berg: shows anna@acme.example now; would show orders@acme.example",
        "Otto Lind: shows otto@other.example now; would show orders@acme.example",
    ]
    assert 'amail.from_policy = "send_as"' in told["change-from"][0].cure
    assert told["change-bounces"][0].seen.startswith("Anna Berg: bounces go to anna@acme.example")
    assert "change-from-kept" not in told


def test_an_alias_of_the_account_can_be_shown_at_once():
    """It is known from the sign-in."""
    box = learned(mailer(), company=connection(aliases=("anna@acme.example",)))
    assert found(box, "strict")["change-from"][0].cure.startswith("It is an alias of the account already")


def test_nothing_is_other_between_two_of_a_kind():
    """It says so once."""
    told = found(mailer(), "needs")
    assert told["change-from-kept"][0].level is Level.OK
    assert not {"change-from", "change-reply-to", "change-bounces"} & set(told)


def test_answers_go_elsewhere():
    """From the company's reply address to the user, whom the mailbox names."""
    told = found(mailer(reply_to="desk@acme.example"), "amail")
    assert (
        told["change-reply-to"][0].seen
        == "Anna Berg: answers go to desk@acme.example now; would go to anna@acme.example"
    )


def test_a_mail_program_shows_its_own_account():
    """And mail that nobody in particular writes has no computer to leave from."""
    told = found(mailer(), "cmail")
    assert "would show the mail program's own address" in told["change-from"][0].seen
    assert told["change-writer-stopped"][0].seen.startswith("mail that nobody in particular writes")
    assert told["change-writer-stopped"][0].level is Level.FAIL


def test_an_address_without_proof_is_refused_before_the_change():
    """With send_as, where the account is not known to have it."""
    told = found(mailer(methods={"amail": {"from_policy": "send_as"}}), "amail")
    assert "anna@acme.example" in told["change-from-unproven"][0].seen


def test_a_company_that_can_not_send_loses_nothing():
    """It begins to."""
    told = found(mailer(method="none"), "umail")
    assert (
        told["change-writer-begins"][1].seen
        == "Anna Berg: can't send now; would show Anna Berg <anna@acme.example>"
    )


def test_what_becomes_doubtful_is_told():
    """A user of another domain, by a server that may refuse it (rule 10)."""
    told = found(mailer(ANNA, OTTO, method="amail"), "umail")
    assert told["change-doubtful"][0].seen.startswith("Otto Lind: The mail shows other.example")


def test_of_very_many_writers_the_first_are_told_and_the_rest_counted():
    """Nobody reads a thousand lines."""
    users = [User(id=f"u{n:03}", address=f"u{n}@acme.example") for n in range(MOST_TOLD + 5)]
    told = found(mailer(*users), "amail")
    assert len(told["change-from"]) == MOST_TOLD
    assert told["change-more-writers"][0].seen == "5 more with change-from"


def test_users_with_accounts_of_their_own_stay():
    """They are counted, and their mail is not looked at."""
    own = attrs.evolve(OTTO, choice=Choice.PERSONAL, method="umail")
    told = found(mailer(ANNA, own), "amail")
    assert told["change-personal"][0].seen == "1 with an account of their own, which stays as it is"
    assert len(told["change-from"]) == 1


def test_a_users_own_account_shows_them_whatever_the_method():
    """From the company's mailbox it becomes theirs."""
    told = found(mailer(method="amail"), "strict", "anna")
    assert (
        told["change-from"][0].seen
        == "Anna Berg: shows orders@acme.example now; would show anna@acme.example"
    )
    assert told["change-from"][0].cure == ""


def test_the_same_method_changes_nothing():
    """It is said, and that is all."""
    assert list(found(mailer(), "umail")) == ["change-none"]


def test_a_user_who_is_from_company_may_get_an_account_of_the_same_method():
    """It is another account."""
    assert "change-none" not in found(mailer(), "umail", "anna")


@pytest.mark.parametrize(("to", "user"), [("none", None), ("amail", "nobody")])
def test_what_can_not_be_asked(to, user):
    """No method, and no such user."""
    with pytest.raises(SettingsError):
        found(mailer(), to, user)
