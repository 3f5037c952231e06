"""Tokens of desktop workers, on the rows that a company's server has."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading

import pytest

from pillarbox import (
    Actor,
    Company,
    Mailer,
    MemoryDirectory,
    MemoryVault,
    Role,
    SettingsError,
    Unavailable,
    User,
)
from pillarbox._agent.tokens import MOST_EACH
from pillarbox.agent import Tokens

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def vault():
    return MemoryVault()


@pytest.fixture
def tokens(vault, clock):
    return Tokens(vault, clock)


def issue(tokens, user="anna", label="Anna's laptop"):
    return tokens.issue(user, "acme", label, "petra")


def test_a_token_is_its_users_and_no_others(tokens):
    anna, otto = issue(tokens), issue(tokens, "otto")
    assert tokens.who(anna.secret).user == "anna"
    assert tokens.who(otto.secret).user == "otto"
    assert [one.id for one in tokens.list("anna", "acme")] == [anna.token.id]
    assert tokens.list("anna", "another company") == []


def test_a_token_is_kept_nowhere_and_shown_by_no_repr(tokens, vault):
    """Its hash alone, sealed like any secret, among the user's own."""
    issued = issue(tokens)
    (name,) = vault.names()
    assert name.startswith("acme/user:anna/agent/")
    stored = vault.load(name, {"for": "agent"})
    assert issued.secret.startswith("pbx_")
    assert issued.secret.encode() not in stored.secret
    assert issued.secret not in f"{vault.rows.load(name)}{issued!r}{tokens.list('anna', 'acme')}"


@pytest.mark.parametrize(
    "change", [lambda t: t[:-5] + "AAAAA", lambda t: t + "A", lambda t: "", lambda t: "pbx_" + "é" * 43]
)
def test_what_is_not_quite_a_token_is_nobodys(tokens, change):
    assert tokens.who(change(issue(tokens).secret)) is None


def test_a_row_under_a_tokens_name_with_another_hash_does_not_let_it_in(tokens, vault):
    """Nor one that is bound to something else, as a secret of an account's settings would be."""
    issued = issue(tokens)
    (name,) = vault.names()
    kept = vault.rows.load(name)
    vault.save(name, bytes(32), {"for": "agent"}, connection=kept.readable["connection"], version=1)
    assert tokens.who(issued.secret) is None
    with pytest.raises(Exception, match="another server"):
        vault.load(name, {"method": "smtp"})


def test_a_token_names_its_user_and_no_other(tokens):
    """Somebody else's name in the first half makes another token of it, which is nobody's."""
    anna, otto = issue(tokens).secret, issue(tokens, "otto").secret
    mixed = f"{otto.partition('.')[0]}.{anna.partition('.')[2]}"
    assert tokens.who(mixed) is None


def test_a_revoked_token_ends_and_the_users_other_one_stays(tokens):
    lost, kept = issue(tokens), issue(tokens, label="desk")
    assert tokens.revoke(lost.token.id, "anna", "acme")
    assert tokens.who(lost.secret) is None
    assert tokens.who(kept.secret).label == "desk"
    assert not tokens.revoke(lost.token.id, "anna", "acme")


def test_nobody_revokes_a_token_of_another(tokens):
    issued = issue(tokens)
    assert not tokens.revoke(issued.token.id, "otto", "acme")
    assert not tokens.revoke(issued.token.id, "anna", "another company")
    assert tokens.who(issued.secret) is not None


def test_the_last_use_is_kept_to_twenty_seconds(tokens, clock):
    issued = issue(tokens)
    assert tokens.list("anna", "acme")[0].last_used is None
    for seconds, kept in ((0, 0), (19, 0), (21, 21)):
        clock.now = NOON + dt.timedelta(seconds=seconds)
        tokens.who(issued.secret)
        assert tokens.list("anna", "acme")[0].last_used == NOON + dt.timedelta(seconds=kept)


def test_a_token_revoked_while_its_use_is_kept_does_not_come_back(clock):
    class RevokedMeanwhile(MemoryVault):
        def save(self, name, *arguments, version=0, **more):
            if version:
                self.delete(name)
            return super().save(name, *arguments, version=version, **more)

    vault = RevokedMeanwhile()
    issued = issue(Tokens(vault, clock))
    assert Tokens(vault, clock).who(issued.secret) is None
    assert vault.names() == []


def test_several_who_show_a_token_at_once_are_all_let_in(tokens):
    issued, found = issue(tokens), []
    threads = [threading.Thread(target=lambda: found.append(tokens.who(issued.secret))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.id for one in found if one] == [issued.token.id] * 8


@pytest.mark.parametrize("label", ["", "  ", "x" * 81, "two\nlines"])
def test_a_label_is_bounded(tokens, label):
    with pytest.raises(SettingsError, match="name of the computer"):
        issue(tokens, label=label)


def test_a_user_has_so_many_tokens_and_no_more(tokens):
    for _ in range(MOST_EACH):
        issue(tokens)
    with pytest.raises(SettingsError, match="anna has"):
        issue(tokens)
    assert issue(tokens, "otto").token.user == "otto"


def test_users_who_are_issued_tokens_at_once_get_no_more_than_so_many(tokens):
    def some():
        for _ in range(MOST_EACH // 4):
            with contextlib.suppress(SettingsError):
                issue(tokens)

    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens.list("anna", "acme")) == MOST_EACH


def test_tokens_need_a_vault():
    with pytest.raises(Unavailable, match="no vault"):
        Tokens(None)


def test_whoever_removes_a_user_ends_their_tokens():
    """And so does another id: a token names its user. Nobody who comes to the id later has them."""
    people = [User(id=one, address=f"{one}@acme.example") for one in ("anna", "otto")]
    mailer = Mailer(MemoryDirectory(Company(), people), vault=MemoryVault())
    tokens, petra = Tokens(mailer.vault), Actor("petra", Role.DEPLOYER)
    anna, otto = (tokens.issue(one, "company", "desk", one).secret for one in ("anna", "otto"))
    mailer.remove_user("anna", by=petra)
    mailer.rename_user("otto", "ottilie", by=petra)
    assert [tokens.who(one) for one in (anna, otto)] == [None, None]
    assert tokens.list("ottilie", "company") == tokens.list("otto", "company") == []
    assert mailer.vault.names() == []


def test_a_run_takes_over_with_a_token(tokens, clock):
    """From then on the token says which; a look at it changes nothing of that."""
    issued = issue(tokens)
    assert tokens.who(issued.secret, session="a" * 32).session == "a" * 32
    assert tokens.who(issued.secret).session == "a" * 32
    assert tokens.who(issued.secret, session="b" * 32).session == "b" * 32
