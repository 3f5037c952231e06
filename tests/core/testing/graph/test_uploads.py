"""Large attachments, in ranges."""

from __future__ import annotations

from typing import Any

import pytest

from pillarbox.testing.graph import Fault
from tests.core.testing.graph.asking import ANNA, Client, Said, anna, only, read, serving

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * (5 * MIB // 256)


def begin(client: Client, draft: str, **fields: Any) -> Said:
    item = {"attachmentType": "file", "name": "drawing.bin", "size": len(CONTENT), **fields}
    return client.post(f"/messages/{draft}/attachments/createUploadSession", {"AttachmentItem": item})


def put(graph: Any, address: str, start: int, octets: bytes, total: int = len(CONTENT), **more: str) -> Said:
    told = {"Content-Range": f"bytes {start}-{start + len(octets) - 1}/{total}", **more}
    return Client(graph).ask("PUT", address, octets, **{"Content-Type": "application/octet-stream", **told})


def test_a_file_is_put_together_of_its_ranges():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        session = begin(client, draft)
        address = session.json["uploadUrl"]
        assert (session.status, session.json["nextExpectedRanges"]) == (201, ["0-"])
        first = put(graph, address, 0, CONTENT[: 3 * MIB])
        assert (first.status, first.json["nextExpectedRanges"]) == (200, [str(3 * MIB)])
        last = put(graph, address, 3 * MIB, CONTENT[3 * MIB :])
        assert (last.status, last.octets, "/Attachments('" in last.headers["location"]) == (201, b"", True)
        assert client.post(f"/messages/{draft}/send").status == 202
        (part,) = read(only(graph)).iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True) == CONTENT) == ("drawing.bin", True)
    assert [one.step for one in graph.requests] == ["draft", "session", "range", "range", "send"]


def test_a_session_says_where_to_go_on_after_a_range_whose_answer_was_lost():
    with serving() as graph:
        client = anna(graph)
        address = begin(client, client.draft()).json["uploadUrl"]
        graph.fault("range", Fault.CUT_AFTER)
        with pytest.raises(OSError, match=r"closed|reset"):
            put(graph, address, 0, CONTENT[: 3 * MIB])
        assert Client(graph).ask("GET", address).json["nextExpectedRanges"] == [str(3 * MIB)]
        assert put(graph, address, 0, CONTENT[: 3 * MIB]).status == 416
        assert put(graph, address, 3 * MIB, CONTENT[3 * MIB :]).status == 201


def test_a_session_goes_on_after_a_range_that_never_came():
    with serving() as graph:
        client = anna(graph)
        address = begin(client, client.draft()).json["uploadUrl"]
        graph.fault("range", Fault.UNAVAILABLE)
        assert put(graph, address, 0, CONTENT[: 3 * MIB]).status == 503
        assert Client(graph).ask("GET", address).json["nextExpectedRanges"] == ["0"]


@pytest.mark.parametrize(
    ("start", "octets", "total", "status"),
    [
        (MIB, CONTENT[MIB : 2 * MIB], len(CONTENT), 416),
        (0, CONTENT[: 4 * MIB + 1], len(CONTENT), 413),
        (0, CONTENT[:MIB], len(CONTENT) + 1, 400),
        (len(CONTENT), b"x", len(CONTENT), 400),
    ],
)
def test_a_range_that_is_not_the_next_is_refused(start: int, octets: bytes, total: int, status: int):
    with serving() as graph:
        client = anna(graph)
        address = begin(client, client.draft()).json["uploadUrl"]
        assert put(graph, address, start, octets, total).status == status
        assert Client(graph).ask("GET", address).json["nextExpectedRanges"] == ["0"]


@pytest.mark.parametrize("told", ["", "bytes 0-10", "bytes */5", "bytes 9-1/5", "bytes 0-9999999/5242880"])
def test_a_range_says_which_it_is(told: str):
    with serving() as graph:
        client = anna(graph)
        address = begin(client, client.draft()).json["uploadUrl"]
        assert put(graph, address, 0, b"x" * 100, **{"Content-Range": told}).status == 400


def test_the_address_takes_no_token_and_no_other_secret():
    with serving() as graph:
        client = anna(graph)
        address = begin(client, client.draft()).json["uploadUrl"]
        assert client.ask("PUT", address, b"x").error == (401, "InvalidAuthenticationToken")
        assert put(graph, f"{address}x", 0, CONTENT[:MIB]).status == 404
        assert put(graph, address, 0, CONTENT[:MIB]).status == 200


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"size": 2_999_999}, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"),
        ({"size": 150 * MIB + 1}, "ErrorAttachmentSizeLimitExceeded"),
        ({"size": "5"}, "RequestBodyRead"),
        ({"attachmentType": "item"}, "ErrorInvalidRequest"),
    ],
)
def test_a_session_is_for_files_of_three_to_a_hundred_and_fifty_megabytes(fields: dict, code: str):
    with serving() as graph:
        client = anna(graph)
        assert begin(client, client.draft(), **fields).json["error"]["code"] == code


def test_a_session_ends_in_time_or_when_it_is_given_up():
    now = [0.0]
    with serving(clock=lambda: now[0]) as graph:
        client = anna(graph)
        late, left = (begin(client, client.draft()).json["uploadUrl"] for _ in range(2))
        assert Client(graph).ask("DELETE", left).status == 204
        assert Client(graph).ask("GET", left).status == 404
        now[0] = 3600.0
        assert put(graph, late, 0, CONTENT[:MIB]).status == 404


def test_a_draft_that_is_gone_takes_no_file():
    with serving() as graph:
        client = anna(graph)
        draft = client.draft()
        address = begin(client, draft).json["uploadUrl"]
        assert put(graph, address, 0, CONTENT[: 3 * MIB]).status == 200
        client.ask("DELETE", f"/messages/{draft}")
        assert put(graph, address, 3 * MIB, CONTENT[3 * MIB :]).error == (404, "ErrorItemNotFound")
        assert graph.drafts(ANNA) == []
