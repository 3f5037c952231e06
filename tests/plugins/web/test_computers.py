"""The page of a user's computers: a token is made by its user, seen once, and ended by them or an administrator."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from pillarbox import SenderPolicy
from pillarbox.agent import Tokens, wire
from pillarbox_smtp import SmtpTransport
from pillarbox_web.opening import Key
from tests.plugins.web.world import ANNA


def made(page) -> str:
    found = re.search(r'class="secret">([^<]+)<', page.text)
    return found[1] if found else ""


@pytest.fixture
def anna(acme):
    return acme.browser("anna")


def test_a_user_makes_a_token_and_sees_it_once(acme, anna):
    answer = anna.post("/users/anna/computers", {"label": "the laptop"})
    secret = made(answer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (
        "pillarbox worker --agent https://erp.acme.example/mail/agent --token-file token.txt" in answer.text
    )
    assert Tokens(acme.mailer.vault).who(secret).label == "the laptop"
    later = anna.get("/users/anna/computers").text
    assert secret not in later
    assert "the laptop" in later


def test_the_door_is_beside_the_pages(acme, anna):
    secret = made(anna.post("/users/anna/computers", {"label": "the laptop"}))
    client = TestClient(acme.site, base_url="https://erp.acme.example")
    headers = {"Authorization": f"Bearer {secret}", wire.SESSION: "a" * 32, "x-who": "nobody"}
    answer = client.post("/mail/agent/enter", json={"protocol": wire.PROTOCOL}, headers=headers)
    assert answer.json()["name"] == "Anna Berg"


def test_pages_of_this_computer_alone_have_no_door(acme):
    from pillarbox_web import app

    pages = app(acme.mailer, key=Key(8765))
    assert "/agent" not in [getattr(route, "path", "") for route in pages.routes]


def test_nobody_makes_one_for_another(acme):
    """Not even an administrator: whoever has it is given the user's mail (rule 7). They may end one."""
    petra = acme.browser("petra")
    answer = petra.post("/users/anna/computers", {"label": "mine"}, page="/users")
    assert answer.status_code == 409
    assert "Only the user" in answer.text
    assert Tokens(acme.mailer.vault).list("anna", "company") == []
    assert acme.browser("otto").get("/users/anna/computers").status_code == 403


@pytest.mark.parametrize("who", ["anna", "petra"])
def test_a_token_is_ended(acme, anna, who):
    secret = made(anna.post("/users/anna/computers", {"label": "the laptop"}))
    (token,) = Tokens(acme.mailer.vault).list("anna", "company")
    answer = acme.browser(who).post("/users/anna/computers", {"revoke": token.id})
    assert answer.status_code == 303
    assert Tokens(acme.mailer.vault).who(secret) is None


def test_another_s_token_is_not_ended_by_its_id(acme, anna):
    anna.post("/users/anna/computers", {"label": "the laptop"})
    (token,) = Tokens(acme.mailer.vault).list("anna", "company")
    acme.browser("otto").post("/users/otto/computers", {"revoke": token.id})
    assert Tokens(acme.mailer.vault).list("anna", "company") == [token]


@pytest.mark.parametrize("label", ["", "x" * 100, "<script>alert(1)</script>" * 5])
def test_a_name_that_is_none_is_said_beside_it(acme, anna, label):
    answer = anna.post("/users/anna/computers", {"label": label})
    assert answer.status_code == 422
    assert "1 to 80 printable characters" in answer.text
    assert "<script>alert" not in answer.text


def test_a_name_is_shown_as_it_is(acme, anna):
    answer = anna.post("/users/anna/computers", {"label": "<b>desk</b>"})
    assert "&lt;b&gt;desk" in answer.text


def test_making_them_is_limited(acme, anna):
    answers = [anna.post("/users/anna/computers", {"label": f"desk {one}"}).status_code for one in range(14)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_the_settings_lead_there_where_a_mail_program_may_send(acme, anna, monkeypatch):
    """And nowhere else: nobody is offered what no method here needs."""
    monkeypatch.setenv("PILLARBOX_PLUGINS", "pillarbox-smtp")
    assert "/users/anna/computers" not in anna.get("/users/anna").text

    class Desk(SmtpTransport):
        sender_policy = SenderPolicy.CLIENT

    acme.mailer.plugins._loaded["desk"] = Desk
    acme.mailer.plugins._extra = acme.mailer.plugins._extra | {"desk"}
    assert "/users/anna/computers" in anna.get("/users/anna").text


def test_without_a_vault_it_says_so(acme, anna):
    acme.mailer.vault = None
    answer = anna.get("/users/anna/computers")
    assert answer.status_code == 409
    assert "pip install pillarbox-vault" in answer.text


def test_the_address_is_what_the_host_says(acme):
    from pillarbox_web import Person, app

    site = app(acme.mailer, lambda _: Person(user="anna"), agent_url="https://door.acme.example/desk/")
    client = TestClient(site, base_url="https://erp.acme.example")
    token = re.search(r'name="token" value="([^"]+)"', client.get("/users/anna/computers").text)[1]
    answer = client.post("/users/anna/computers", data={"token": token, "label": "desk"})
    assert "--agent https://door.acme.example/desk --token-file" in answer.text
    assert ANNA not in answer.text
