"""Tokens: the one that is held, one refresh for one expiry, and nobody asks again with what was refused."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time

import attrs
import pytest

from pillarbox import App, MemoryVault, Secret, SendDeferred, SettingsError, SignInNeeded
from pillarbox._connect.registered import Registered
from pillarbox._connectors import LATER, _Tokens
from pillarbox.settings import setting
from tests.core.refreshing import (
    BOUND,
    NAME,
    Books,
    connected,
    credentials,
    elsewhere,
    sealed,
    token,
    vault,
)
from tests.core.signing_in import Provider, office, signed_in


def test_a_token_that_is_held_is_used_without_a_lock(tmp_path, monkeypatch):
    """And without the provider: a refresh of another process keeps nobody waiting who has one."""
    connected(tmp_path, seconds=3600)
    found = credentials(tmp_path)
    monkeypatch.setattr(found._vault.rows, "lock", None)
    assert Books(tmp_path).token(App({}), found, "send") == "token-0"
    assert Books(tmp_path).asked == []


def test_a_token_is_replaced_some_minutes_before_its_end(tmp_path):
    """What is begun with it has to end with it."""
    connected(tmp_path, seconds=200)
    assert [token(tmp_path), token(tmp_path)] == ["token-1", "token-1"]
    assert Books(tmp_path).asked == ["refresh-0"]


def test_tokens_that_last_less_than_that_are_used(tmp_path, monkeypatch):
    """A provider may give nothing longer."""
    connected(tmp_path)
    short = lambda self, app, secret, purpose: sealed("short", "refresh-1", 60)  # noqa: E731
    monkeypatch.setattr(Books, "refresh", short)
    assert token(tmp_path) == "short"


def test_many_threads_are_one_refresh(tmp_path):
    """Each gets the token that one of them got."""
    connected(tmp_path)
    gate, answers = threading.Barrier(8), []

    def ask():
        gate.wait(30)
        answers.append(token(tmp_path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == ["token-1"] * 8
    assert Books(tmp_path).asked == ["refresh-0"]


def test_many_processes_are_one_refresh(tmp_path):
    """The provider would end the grant of whoever shows a refresh token for the second time."""
    connected(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    gate, answers = spawn.Barrier(5), spawn.Queue()
    processes = [spawn.Process(target=elsewhere, args=(str(tmp_path), gate, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    gate.wait(60)
    found = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert found == ["token-1"] * 4
    assert Books(tmp_path).asked == ["refresh-0"]


def test_a_token_that_a_server_refused_is_replaced_once(tmp_path):
    """Also by the one that another has got meanwhile."""
    connected(tmp_path, seconds=3600)
    first, second = credentials(tmp_path), credentials(tmp_path)
    for one in (first, second):
        one.refuse("token-0")
        assert Books(tmp_path).token(App({}), one, "send") == "token-1"
    assert Books(tmp_path).asked == ["refresh-0"]


def test_a_provider_that_gives_the_refused_token_again(tmp_path, monkeypatch):
    """Has given none."""
    connected(tmp_path, seconds=3600)
    again = lambda self, app, secret, purpose: sealed("token-0", "refresh-1", 3600)  # noqa: E731
    monkeypatch.setattr(Books, "refresh", again)
    found = credentials(tmp_path)
    found.refuse("token-0")
    with pytest.raises(SignInNeeded, match="no token that can be used"):
        Books(tmp_path).token(App({}), found, "send")


def test_a_grant_that_ended_is_noted_and_nobody_asks_again(tmp_path):
    """Neither this process nor another, until somebody connects."""
    connected(tmp_path, refresh="dead")
    assert [token(tmp_path) for _ in range(3)] == ["SignInNeeded: Testmail ended the grant."] * 3
    assert Books(tmp_path).asked == ["dead"]
    assert vault(tmp_path).connection(NAME)["refused"] == "Testmail ended the grant."


def test_a_refused_registration_is_asked_for_again_in_ten_minutes(tmp_path):
    """An administrator mends it, and nobody has to connect again."""
    connected(tmp_path, refresh="unknown")
    moment = time.time()

    def ask():
        tokens = _Tokens(Books(tmp_path), App({}), credentials(tmp_path), "send", lambda: moment)
        with pytest.raises(SignInNeeded, match="does not know this application") as caught:
            tokens.token()
        return caught.value.cure

    assert ask() == "Look at client_id."
    assert "tried again by itself" in ask()
    assert Books(tmp_path).asked == ["unknown"]
    moment += LATER
    ask()
    assert Books(tmp_path).asked == ["unknown", "unknown"]


def test_words_of_the_provider_steer_no_terminal(tmp_path, monkeypatch):
    """They are kept to be shown later."""

    def refuse(self, app, secret, purpose):
        raise SignInNeeded("\x1b[31mno\r\nmore", stage="sign-in")

    monkeypatch.setattr(Books, "refresh", refuse)
    connected(tmp_path)
    token(tmp_path)
    assert vault(tmp_path).connection(NAME)["refused"] == "[31mno more"


def test_a_provider_that_is_away_is_noted_nowhere(tmp_path, monkeypatch):
    """The next asks again."""

    def away(self, app, secret, purpose):
        raise SendDeferred("Testmail is away.")

    monkeypatch.setattr(Books, "refresh", away)
    connected(tmp_path)
    for _ in range(2):
        with pytest.raises(SendDeferred, match="away"):
            token(tmp_path)
    assert "refused" not in vault(tmp_path).connection(NAME)


def test_a_secret_that_this_process_lacks_is_no_refusal(tmp_path, monkeypatch):
    """A command without the worker's environment must not stop the worker."""

    @attrs.frozen
    class Registration:
        secret: Secret | None = setting(None)

    monkeypatch.delenv("NOT_HERE", raising=False)
    connected(tmp_path)
    with pytest.raises(SettingsError, match="NOT_HERE"):
        Books(tmp_path).token(App(Registration(Secret(env="NOT_HERE"))), credentials(tmp_path), "send")
    assert Books(tmp_path).asked == []
    assert token(tmp_path) == "token-1"


def test_a_lock_that_is_held_for_long_is_a_matter_of_time(tmp_path):
    """Nothing left, and it may later."""
    connected(tmp_path)
    found = credentials(tmp_path)

    @contextlib.contextmanager
    def held(name):
        raise TimeoutError
        yield

    found._vault.rows.lock = held
    with pytest.raises(SendDeferred, match="Another process"):
        Books(tmp_path).token(App({}), found, "send")


def test_a_new_refresh_token_is_kept_while_the_vaults_keys_change(tmp_path):
    """The old one is worth nothing any more: lost, the account would be."""
    connected(tmp_path)
    found, rotated = credentials(tmp_path), []
    rows, save = found._vault.rows, found._vault.rows.save

    def saving(name, sealed, readable, *, version):
        if not rotated:
            row = rows.load(name)
            rotated.append(save(name, row.sealed, row.readable, version=row.version))
        return save(name, sealed, readable, version=version)

    rows.save = saving
    assert Books(tmp_path).token(App({}), found, "send") == "token-1"
    assert b"refresh-1" in vault(tmp_path).load(NAME, BOUND).secret


def test_an_account_that_was_never_connected(tmp_path):
    """Says so, and the provider hears nothing."""
    assert token(tmp_path) == "SignInNeeded: This account was never connected."
    assert Books(tmp_path).asked == []


@pytest.mark.parametrize(("host", "may"), [("mail.testmail.example", True), ("MAIL.testmail.example.", True), ("", True),
                                           ("evil.example", False), ("mail.testmail.example.evil.example", False)])  # fmt: skip
def test_a_token_is_shown_to_the_providers_own_servers_alone(host, may):
    """A person's settings may name the server, and whoever has the token has the mailbox."""
    provider = Provider()
    mailer = office(provider)
    signed_in(mailer, provider)
    found: Registered = mailer._registered("testmail")
    view = mailer._credentials(mailer.explain().account)
    if may:
        assert found.token(view, "smtp", host).startswith("canary-token")
        return
    with pytest.raises(SettingsError, match=r"Mail\.Testmail\.example alone, not to"):
        found.token(view, "smtp", host)


def test_a_registration_that_changed_does_not_get_the_old_sign_in():
    """It is bound to the one it was made with (rule 36)."""
    provider, kept = Provider(), MemoryVault()
    signed_in(office(provider, vault=kept), provider)
    other = office(provider, vault=kept, app={"client_id": "another"})
    with pytest.raises(SignInNeeded, match="another server or registration"):
        other._credentials(other.explain().account).token()
