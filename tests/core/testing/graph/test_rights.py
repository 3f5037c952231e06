"""Tokens, scopes, and whose mailbox may be opened."""

from __future__ import annotations

import pytest

from pillarbox.testing.graph import FakeGraph, Manners, Token
from tests.core.testing.graph.asking import ALL, ANNA, SALES, Client, anna, message, only, serving


@pytest.mark.parametrize("token", ["", "made-up"])
def test_a_token_that_is_none_is_refused(token: str):
    with serving() as graph:
        said = Client(graph, token).get("")
        assert said.error == (401, "InvalidAuthenticationToken")
        assert said.headers["www-authenticate"].startswith("Bearer")
        assert said.json["error"]["innerError"]["request-id"] == said.headers["request-id"]


def test_a_token_that_was_revoked_is_refused():
    with serving() as graph:
        client = anna(graph)
        assert client.get("").status == 200
        graph.revoke(client.token)
        assert client.get("").status == 401


def test_another_provider_can_be_asked_about_tokens():
    given = {"from-outside": Token(ANNA, "https://graph.microsoft.com/User.Read Mail.Send")}
    with serving() as graph:
        graph.accepts(given.get)
        assert Client(graph, "from-outside").get("").json["mail"] == ANNA
        assert Client(graph, "other").get("").status == 401


def steps(client: Client, draft: str) -> dict[str, int]:
    """What each step is answered."""
    at = f"/messages/{draft}"
    return {
        "me": client.get("").status,
        "list": client.get("/messages").status,
        "get": client.get(at).status,
        "draft": client.post("/messages", message()).status,
        "patch": client.ask("PATCH", at, {"subject": "x"}).status,
        "attach": client.post(f"{at}/attachments", {}).status,
        "sendMail": client.post("/sendMail", {"message": message()}).status,
        "send": client.post(f"{at}/send").status,
        "delete": client.ask("DELETE", at).status,
    }


ALLOWED = {
    "User.Read": {"me": 200},
    "Mail.Send": {"sendMail": 202, "send": 202},
    "Mail.Send.Shared": {"sendMail": 202, "send": 202},
    "Mail.Read": {"list": 200, "get": 200},
    "Mail.ReadWrite": {"list": 200, "get": 200, "draft": 201, "patch": 200, "attach": 400, "delete": 204},
    "openid": {},
}


@pytest.mark.parametrize("scope", ALLOWED)
def test_a_scope_allows_its_steps_and_no_other(scope: str):
    """Case and the resource before it are free."""
    with serving() as graph:
        draft = anna(graph).draft()
        answers = steps(anna(graph, f"https://graph.microsoft.com/{scope.lower()}"), draft)
    assert answers == {step: ALLOWED[scope].get(step, 403) for step in answers}


@pytest.mark.parametrize(("scopes", "status"), [(("Mail.Read",), 403), (("Mail.Read.Shared",), 200)])
def test_another_s_mailbox_takes_the_shared_form(scopes: tuple[str, ...], status: int):
    with serving() as graph:
        graph.add_mailbox(SALES, full_access=ANNA)
        client = Client(graph, graph.token(ANNA, *scopes), f"/v1.0/users/{SALES.upper()}")
        assert client.get("/messages").status == status


def test_another_s_mailbox_is_closed_to_strangers():
    with serving() as graph:
        graph.add_mailbox(SALES)
        client = Client(graph, graph.token(ANNA, *ALL), f"/v1.0/users/{SALES}")
        assert client.get("/messages").error == (403, "ErrorAccessDenied")
        assert client.get("").error == (403, "Authorization_RequestDenied")


def test_ones_own_mailbox_is_named_by_address_and_by_id():
    with serving() as graph:
        client = anna(graph)
        person = client.get("").json["id"]
        for name in (ANNA, "ANNA%40acme.example", person, person.upper()):
            said = Client(graph, client.token, f"/v1.0/users/{name}").post(
                "/sendMail", {"message": message()}
            )
            assert said.status == 202, name


def test_a_mailbox_that_is_none_is_missed():
    with serving() as graph:
        client = Client(graph, graph.token(ANNA, *ALL), "/v1.0/users/nobody@acme.example")
        assert client.get("/messages").error == (404, "ErrorInvalidUser")
        assert Client(graph, graph.token("x@y.example", *ALL)).get("").error == (
            404,
            "MailboxNotEnabledForRESTAPI",
        )


def app(graph: FakeGraph, *scopes: str) -> Client:
    return Client(graph, graph.token("", *scopes, app=True), f"/v1.0/users/{ANNA}")


def test_an_app_acts_as_each_mailbox_and_as_nobody():
    with serving() as graph:
        client = app(graph, "Mail.Send", "User.Read.All")
        assert client.post("/sendMail", {"message": message()}).status == 202
        assert (client.get("").json["mail"], only(graph).shown) == (ANNA, ANNA)
        assert client.get("/messages").error == (403, "ErrorAccessDenied")
        assert client.ask("GET", "/v1.0/me").error == (400, "BadRequest")


def test_an_app_can_be_kept_from_mailboxes():
    with serving(Manners(app_reaches=[SALES])) as graph:
        graph.add_mailbox(SALES)
        said = app(graph, "Mail.Send").post("/sendMail", {"message": message()})
        assert (said.error, said.json["error"]["message"]) == (
            (403, "ErrorAccessDenied"),
            "Access to OData is disabled.",
        )
        allowed = Client(graph, graph.token("", "Mail.Send", app=True), f"/v1.0/users/{SALES}")
        assert allowed.post("/sendMail", {"message": message()}).status == 202


def test_an_app_shows_what_the_mailbox_may_show():
    with serving() as graph:
        graph.add_mailbox(SALES)
        given = message(**{"from": {"emailAddress": {"address": SALES}}})
        assert app(graph, "Mail.Send").post("/sendMail", {"message": given}).error == (
            403,
            "ErrorSendAsDenied",
        )


def test_a_mailbox_is_added_once_and_known_when_it_is_asked_for():
    with serving() as graph:
        with pytest.raises(ValueError, match="already"):
            graph.add_mailbox("A.Berg@acme.example")
        with pytest.raises(ValueError, match="add_mailbox"):
            graph.sent("nobody@acme.example")
