"""The door at the server: who is let in, and what may be said."""

from __future__ import annotations

import json
import logging

import pytest
from starlette.testclient import TestClient

from pillarbox import Actor, Company, Mailer, MemoryDirectory, MemoryVault, Role
from pillarbox.agent import wire
from pillarbox_web import agent_app
from tests.plugins.web.agent.office import USERS, Program, plugins

RUN = "a" * 32
VERBS = [
    wire.ENTER,
    wire.CLAIM,
    wire.LOOKS,
    wire.HAND_OVER,
    wire.NOTE,
    wire.SETTLE,
    wire.PAUSE,
    wire.ANSWERED,
    wire.WAIT,
    wire.STATUS,
    wire.LEAVE,
]


class Caller:
    """Somebody who knows the calls."""

    def __init__(self, mailer, secret="", base="https://erp.acme.example", peer="203.0.113.9", **more):
        self.client = TestClient(agent_app(mailer, **more), base_url=base, client=(peer, 50_000))
        self.headers = {"Authorization": f"Bearer {secret}", wire.SESSION: RUN}

    def say(self, verb, body=b"{}", **headers):
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(verb, content=octets, headers={**self.headers, **headers})

    def enter(self):
        answer = self.say(wire.ENTER, {"protocol": wire.PROTOCOL})
        assert answer.status_code == 200, answer.text
        return self


@pytest.fixture
def mailer(tmp_path):
    from pillarbox.outbox import SqliteOutbox

    company = Company(address="orders@acme.example", method="desk")
    directory = MemoryDirectory(company, USERS, plugins=plugins(Program()))
    with Mailer(directory, vault=MemoryVault(), outbox=SqliteOutbox(tmp_path / "outbox.sqlite3")) as made:
        yield made


@pytest.fixture
def secret(mailer):
    from pillarbox.agent import Tokens

    return Tokens(mailer.vault).issue("anna", "company", "desk", "anna").secret


@pytest.mark.parametrize("verb", [*VERBS, "/content/" + "0" * 32])
@pytest.mark.parametrize("shown", ["", "pbx_x", "hunter2", "pbx_" + "A" * 5_000])
def test_nobody_comes_in_without_a_token(mailer, secret, verb, shown):
    caller = Caller(mailer, shown)
    answer = caller.say(verb) if "content" not in verb else caller.client.get(verb, headers=caller.headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shown not in answer.text or not shown


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "{}"},
        {"Authorization": "Basic {}"},
        {"Authorization": "", "Cookie": "token={}"},
        {"Authorization": "", "X-Token": "{}"},
    ],
)
def test_a_token_is_shown_in_one_way(mailer, secret, headers):
    shown = {name: value.format(secret) for name, value in headers.items()}
    assert Caller(mailer, secret).say(wire.ENTER, {"protocol": 1}, **shown).status_code == 401
    assert Caller(mailer).say(f"{wire.ENTER}?token={secret}", {"protocol": 1}).status_code == 401


def test_a_token_in_clear_is_refused_unless_it_comes_from_here(mailer, secret):
    """Before it is looked at; the answer says what to do."""
    refused = Caller(mailer, secret, base="http://erp.acme.example").say(wire.ENTER, {"protocol": 1})
    assert refused.status_code == 403
    assert "https" in refused.json()["error"]["cure"]
    here = Caller(mailer, secret, base="http://localhost", peer="127.0.0.1")
    assert here.say(wire.ENTER, {"protocol": 1}).status_code == 200
    behind = Caller(mailer, secret, base="http://erp.acme.example", allow_http=True)
    assert behind.say(wire.ENTER, {"protocol": 1}).status_code == 200


def test_who_guesses_is_slowed_down_and_nobody_else(mailer, secret):
    caller = Caller(mailer, "pbx_x")
    answers = [caller.say(wire.STATUS) for _ in range(25)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    caller.headers["Authorization"] = f"Bearer {secret}"
    assert caller.say(wire.ENTER, {"protocol": 1}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"most": NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"most": 1e400}',
        b'{"most": 1, "each": 1, "octets": 1, "in_hand": {"a": {"b": 1}}, "methods": [[]]}',
        b'{"key": "x", "fence": 1, "name": "n", "value": "v"}',
        b'{"key": {}, "fence": []}',
        b'{"steps": {}}',
        b'{"steps": [{}]}',
        b'{"steps": [[]]}',
        b'{"steps": [{"key": "x", "come_from": ["queued"], "state": "accepted", "receipt": 5}]}',
        b'{"pause": "all"}',
        b'{"limit": -1}',
        b'{"seen": 1, "seconds": "long"}',
        b'{"seen": "", "seconds": true}',
        b'{"method": [], "mailbox": {}, "since": 5}',
        b'{"method": "desk", "mailbox": "x", "since": "yesterday"}',
        b'{"method": "desk", "mailbox": "x", "since": "2026-01-01T00:00:00"}',
    ],
)
@pytest.mark.parametrize("verb", [one for one in VERBS if one not in {wire.STATUS, wire.LEAVE}])
def test_what_is_not_understood_is_refused_and_harms_nothing(mailer, secret, verb, body):
    answer = Caller(mailer, secret).enter().say(verb, body)
    assert answer.status_code in {400, 200}
    if answer.status_code == 200:  # a wait whose seconds are right, whatever else is said
        assert verb == wire.WAIT


def test_what_is_said_has_a_bound(mailer, secret):
    caller = Caller(mailer, secret).enter()
    assert caller.say(wire.SETTLE, b" " * (wire.LONGEST_CALL + 1)).status_code == 413
    assert caller.say(wire.SETTLE, {"steps": [{}] * 500}).status_code == 400


def test_an_old_worker_is_told_so(mailer, secret):
    answer = Caller(mailer, secret).say(wire.ENTER, {"protocol": 99})
    assert answer.status_code == 400
    assert "same version" in answer.json()["error"]["cure"]


def test_a_run_that_has_not_entered_is_gone(mailer, secret):
    assert Caller(mailer, secret).say(wire.STATUS).status_code == 410


def test_other_calls_are_none(mailer, secret):
    caller = Caller(mailer, secret).enter()
    for verb in ("/", "/users", "/put", "/retry", "/content", "/content/a/b"):
        assert caller.say(verb).status_code in {404, 405}
    assert caller.client.get(wire.CLAIM, headers=caller.headers).status_code == 405
    assert caller.client.get("/content/" + "0" * 32 + "?fence=1", headers=caller.headers).status_code == 422
    for fence in ("", "x", "-1", "9" * 20, "٣"):
        answer = caller.client.get(f"/content/{'0' * 32}?fence={fence}", headers=caller.headers)
        assert answer.status_code == 400


def test_a_user_who_is_gone_is_as_nobody(mailer, secret):
    caller = Caller(mailer, secret).enter()
    mailer.directory.remove("anna", by=Actor("petra", Role.ADMINISTRATOR))
    assert caller.say(wire.STATUS).status_code == 401


def test_a_server_without_a_vault_can_t_answer(mailer, secret):
    mailer.vault = None
    answer = Caller(mailer, secret).say(wire.STATUS)
    assert answer.status_code == 503
    assert "pip install pillarbox-vault" in answer.json()["error"]["cure"]


def test_nothing_is_kept_on_the_way_and_no_token_is_logged(mailer, secret, caplog):
    caplog.set_level(logging.DEBUG)
    caller = Caller(mailer, secret).enter()
    answer = caller.say(wire.STATUS)
    caller.say(wire.SETTLE, b"{")
    assert answer.headers["cache-control"] == "no-store"
    assert secret not in caplog.text
    assert secret not in answer.text
