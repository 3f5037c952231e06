"""What the fake knows of bodies, held against Microsoft's published types."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pillarbox.testing.graph._checking import KNOWN
from tests.core.testing.graph.asking import ANNA, CUSTOMER, TAG, WRONG, anna, file, message, serving, to
from tests.graph.schemas import published

pytestmark = pytest.mark.services

ROOT = Path(__file__).resolve().parents[2]
RIGHT = message(
    ccRecipients=to(CUSTOMER),
    bccRecipients=None,
    replyTo=to(ANNA),
    importance="High",
    internetMessageId="<1@acme.example>",
    internetMessageHeaders=[{"name": "X-Order", "value": "7"}],
    singleValueExtendedProperties=[{"id": TAG, "value": "1"}],
    attachments=[file(isInline=True, contentId="logo", contentType="image/png")],
    isReadReceiptRequested=True,
    **{"from": to(ANNA)[0], "@odata.type": "#microsoft.graph.message"},
)


def alternatives(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give all that *schema* may stand for."""
    if "$ref" in schema:
        schema = whole["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    for one in schema.get("anyOf", [schema]):
        yield from alternatives(one, whole) if one is not schema else [one]


def differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], whole: Mapping[str, Any], at: str
) -> Iterator[str]:
    """Say where *ours* takes what *theirs* does not."""
    kinds = list(alternatives(theirs, whole))
    if "enum" in ours:
        words = {word for kind in kinds for word in kind.get("enum", [kind.get("const")])}
        yield from (f"{at}: {word}" for word in ours["enum"] if word not in words)
        return
    fitting = [kind for kind in kinds if ours["type"] in kind.get("type", ())]
    if not fitting:
        yield f"{at} is no {ours['type']}"
    elif ours["type"] == "array":
        yield from differences(ours["items"], fitting[0]["items"], whole, f"{at}[]")
    elif ours["type"] == "object":
        for name, one in ours["properties"].items():
            if name in fitting[0]["properties"]:
                yield from differences(one, fitting[0]["properties"][name], whole, f"{at}.{name}")
            else:
                yield f"{at}.{name} is not published"


@pytest.mark.parametrize("step", KNOWN)
def test_the_fake_knows_no_field_that_is_not_published(step: str):
    theirs = published()[step]
    assert list(differences(KNOWN[step], theirs, theirs, step)) == []


def test_a_difference_is_noticed():
    """In a name, a kind, a word."""
    theirs = published()["draft"]
    ours = {
        "sbject": {"type": "string"},
        "isRead": {"type": "string"},
        "importance": {"enum": ["low", "urgent"]},
    }
    told = {"type": "object", "properties": ours}
    assert list(differences(told, theirs, theirs, "draft")) == [
        "draft.sbject is not published",
        "draft.isRead is no string",
        "draft.importance: urgent",
    ]


@pytest.mark.parametrize("known", [True, False])
def test_what_is_right_is_taken_by_both(known: bool):
    with serving(schema=None if known else published()) as graph:
        client = anna(graph)
        draft = client.draft(**RIGHT)
        assert client.ask("PATCH", f"/messages/{draft}", {"subject": "x", "isRead": None}).status == 200
        assert client.post(f"/messages/{draft}/attachments", file()).status == 201
        item = {"AttachmentItem": {"attachmentType": "File", "name": "x", "size": 3_500_000}}
        assert client.post(f"/messages/{draft}/attachments/createUploadSession", item).status == 201
        assert client.post("/sendMail", {"message": RIGHT, "saveToSentItems": True}).status == 202


@pytest.mark.parametrize("given", WRONG)
def test_what_is_wrong_is_refused_by_both(given: dict[str, Any]):
    with serving(schema=published()) as graph:
        client = anna(graph)
        assert client.post("/messages", message(**given)).error == (400, "RequestBodyRead")
        assert client.post("/sendMail", {"message": message(**given)}).error == (400, "RequestBodyRead")


@pytest.mark.timeout(300)
def test_all_that_the_fake_is_tried_with_goes_with_the_published_types_too():
    """Its own tests, once more, in a process of their own."""
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.graph.with_schema"]
    command = [sys.executable, "-m", "pytest", *options, "tests/core/testing/graph"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:]
