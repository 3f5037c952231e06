"""Lists, filters, and what of a message is shown."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.core.testing.graph.asking import ANNA, TAG, Client, anna, file, serving, to

TAGGED = f"singleValueExtendedProperties/any(ep: ep/id eq '{TAG}' and ep/value eq 'it''s 1')"


def subjects(client: Client, path: str = "/messages", **asked: str) -> list[str]:
    said = client.get(path, **asked)
    assert said.status == 200, said
    return sorted(one["subject"] for one in said.json["value"])


def fill(client: Client) -> None:
    """Three drafts, the second of them sent."""
    tags = [{"id": TAG, "value": "it's 1"}]
    client.draft(subject="one", internetMessageId="<1+a@acme.example>")
    sent = client.draft(subject="two", singleValueExtendedProperties=tags, importance="high")
    client.draft(subject="three", toRecipients=to("x@y.example"))
    assert client.post(f"/messages/{sent}/send").status == 202


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("internetMessageId eq '<1+a@acme.example>'", ["one"]),
        (TAGGED, ["two"]),
        (TAGGED.replace("66f5a359", "66F5A359"), ["two"]),
        (TAGGED.replace("ep:", "p:").replace("ep/", "p/"), ["two"]),
        (TAGGED.replace("it''s 1", "it''s 2"), []),
        ("isDraft eq true", ["one", "three"]),
        ("isDraft eq false and importance eq 'high'", ["two"]),
        ("subject eq 'one' or (subject eq 'two' and not isDraft eq true)", ["one", "two"]),
        ("startswith(subject, 't')", ["three", "two"]),
        ("contains(subject,'re')", ["three"]),
        ("from/emailAddress/address eq 'anna@acme.example'", ["two"]),
        ("subject ne 'one'", ["three", "two"]),
        ("receivedDateTime ge 2000-01-01T00:00:00Z and subject eq 'one'", ["one"]),
    ],
)
def test_a_filter_finds(test: str, found: list[str]):
    with serving() as graph:
        client = anna(graph)
        fill(client)
        assert subjects(client, filter=test) == sorted(found)


@pytest.mark.parametrize(
    "test",
    [
        "",
        "subject",
        "subject eq",
        "subject eq 'one",
        "subject like 'one'",
        "sbject eq 'one'",
        "(subject eq 'one'",
        "subject eq 'one')",
        "singleValueExtendedProperties/any(ep: ep/id eq 'x')",
        "singleValueExtendedProperties/any(ep: ep/value eq 'x' or ep/id eq 'x')",
        "subject eq 'a' %",
        "(" * 500,
    ],
)
def test_a_filter_that_is_none_is_refused(test: str):
    with serving() as graph:
        fill(client := anna(graph))
        assert client.get("/messages", filter=test).error == (400, "ErrorInvalidUrlQueryFilter")


def test_what_orders_a_filtered_list_has_to_filter_it():
    with serving() as graph:
        fill(client := anna(graph))
        asked = {"filter": "subject eq 'one'", "orderby": "receivedDateTime desc"}
        assert client.get("/messages", **asked).error == (400, "InefficientFilter")
        both = {**asked, "filter": "receivedDateTime ge 2000-01-01T00:00:00Z and subject eq 'one'"}
        assert subjects(client, **both) == ["one"]


def test_a_folder_holds_its_own():
    with serving() as graph:
        fill(client := anna(graph))
        assert subjects(client, "/mailFolders/Drafts/messages") == ["one", "three"]
        assert subjects(client, "/mailFolders('SentItems')/messages") == ["two"]
        told = client.get("/mailFolders/drafts").json
        assert told["totalItemCount"] == 2
        assert subjects(client, f"/mailFolders/{told['id']}/messages") == ["one", "three"]
        assert client.get("/mailFolders/nowhere/messages").error == (404, "ErrorItemNotFound")


def test_a_list_comes_in_pages_the_newest_first():
    with serving() as graph:
        client = anna(graph)
        for number in range(5):
            client.draft(subject=str(number))
        first = client.get("/messages", top="2", count="true", orderby="createdDateTime desc").json
        more = client.ask("GET", first["@odata.nextLink"]).json
        rest = client.ask("GET", more["@odata.nextLink"]).json
    shown = [[one["subject"] for one in page["value"]] for page in (first, more, rest)]
    assert (shown, first["@odata.count"]) == ([["4", "3"], ["2", "1"], ["0"]], 5)
    assert "@odata.nextLink" not in rest
    assert dict(parse_qsl(urlsplit(first["@odata.nextLink"]).query))["$skip"] == "2"


@pytest.mark.parametrize(
    "asked", [{"top": "0"}, {"top": "1001"}, {"top": "x"}, {"skip": "-1"}, {"search": "x"}]
)
def test_an_option_that_makes_no_sense_is_refused(asked: dict[str, str]):
    with serving() as graph:
        assert anna(graph).get("/messages", **asked).error == (400, "BadRequest")


def test_only_what_is_selected_and_expanded_is_shown():
    with serving() as graph:
        client = anna(graph)
        tags = [{"id": TAG, "value": "1"}]
        draft = client.draft(attachments=[file()], singleValueExtendedProperties=tags)
        told = f"singleValueExtendedProperties($filter=id eq '{TAG}'),attachments"
        shown = client.get(f"/messages/{draft}", select="subject,isDraft", expand=told).json
        plain = client.get(f"/messages/{draft}").json
    assert {name for name in shown if "@" not in name} == {
        "id",
        "subject",
        "isDraft",
        "attachments",
        "singleValueExtendedProperties",
    }
    assert shown["singleValueExtendedProperties"] == tags
    assert {"attachments", "singleValueExtendedProperties"}.isdisjoint(plain)


def test_tags_are_given_by_name_alone():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft(singleValueExtendedProperties=[{"id": TAG, "value": "1"}])
        other = f"singleValueExtendedProperties($filter=id eq '{TAG}x')"
        assert "singleValueExtendedProperties" not in client.get(f"/messages/{draft}", expand=other).json
        assert client.get(f"/messages/{draft}", expand="singleValueExtendedProperties").status == 400
        assert client.get(f"/messages/{draft}", expand="folder").status == 400


def test_who_is_signed_in_is_told():
    with serving() as graph:
        client = anna(graph)
        me = client.get("").json
        told = client.get("", select="mail,proxyAddresses").json
    assert (me["mail"], me["userPrincipalName"], me["displayName"], me["surname"]) == (
        ANNA,
        ANNA,
        "Anna Berg",
        "Berg",
    )
    assert told["proxyAddresses"] == [f"SMTP:{ANNA}", "smtp:a.berg@acme.example"]
