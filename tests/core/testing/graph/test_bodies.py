"""The bodies of requests, against the fields that the fake knows and against a schema that is given."""

from __future__ import annotations

import json

import pytest

from tests.core.testing.graph.asking import ANNA, WRONG, anna, message, serving


@pytest.mark.parametrize("given", WRONG)
def test_a_field_that_is_not_as_it_is_published_is_refused(given: dict):
    with serving() as graph:
        client = anna(graph)
        assert client.post("/messages", message(**given)).error == (400, "RequestBodyRead")
        assert client.post("/sendMail", {"message": message(**given)}).error == (400, "RequestBodyRead")
        assert graph.drafts(ANNA) == graph.sent(ANNA) == []


def test_annotations_case_and_null_are_free():
    """As on the real service: the case of an enumeration's word and of an action's parameter."""
    given = {
        "@odata.type": "#microsoft.graph.message",
        "importance": "HIGH",
        "replyTo": None,
        "subject": None,
    }
    with serving() as graph:
        body = {"Message": message(**given), "SaveToSentItems": None}
        assert anna(graph).post("/sendMail", body).status == 202


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"message": null}',
        b'{"message": [' * 5000,
        b"[" * 100_000,
        b'{"message": {"subject": "\\ud800"}}',
    ],
)
def test_what_is_no_body_is_refused(octets: bytes):
    with serving() as graph:
        assert anna(graph).post("/sendMail", octets).status == 400


def test_another_media_type_is_refused():
    with serving() as graph:
        said = anna(graph).post("/sendMail", b"<a/>", **{"Content-Type": "application/xml"})
        assert said.status == 415


def test_sending_a_draft_takes_no_body_but_says_so():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        assert client.post(f"/messages/{draft}/send", {"x": 1}).status == 400
        assert client.ask("POST", f"/messages/{draft}/send", **{"Content-Length": "0"}).status == 202


def test_a_schema_that_is_given_is_the_judge():
    schema = {"draft": {"type": "object", "properties": {"colour": {"enum": ["red", None]}}}}
    with serving(schema=schema) as graph:
        client = anna(graph)
        assert client.post("/messages", message(colour="RED")).status == 201
        said = client.post("/messages", message(colour="blue"))
        assert (said.status, "'blue' is not one of" in said.json["error"]["message"]) == (400, True)
        assert client.post("/sendMail", {"message": message(colour="red")}).status == 400


def test_an_error_is_as_graph_gives_it():
    with serving() as graph:
        said = anna(graph).post("/messages", {"sbject": "x"}, **{"client-request-id": "mine"})
        error = json.loads(said.octets)["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert error["innerError"].keys() >= {"date", "request-id", "client-request-id"}
    assert error["innerError"]["client-request-id"] == "mine"
    assert "sbject" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1.0/me/calendar", 400),
        ("GET", "/v1.0/groups", 400),
        ("GET", "/v1.0", 400),
        ("GET", "/v1.0/users", 400),
        ("GET", "/beta/me", 404),
        ("GET", "/", 404),
        ("PUT", "/v1.0/me/messages", 405),
        ("GET", "/v1.0/me/sendMail", 405),
        ("GET", "/api/gv1.0/x", 400),
        ("PUT", "/api/gv1.0/users('a')/messages('b')/AttachmentSessions('c')", 404),
    ],
)
def test_what_there_is_not_is_missed(method: str, path: str, status: int):
    with serving() as graph:
        client = anna(graph)
        client.token = "" if "/api/" in path else client.token
        client.mine = ""
        assert client.ask(method, graph.url + path, b"").status == status
