"""What a request carries: as large as it says, and the same each time."""

from __future__ import annotations

import base64
import json
import random

import attrs
import pytest

from pillarbox import Attachment
from pillarbox_m365 import bodies, parts
from pillarbox_m365.bodies import HOLE, Body
from tests.plugins.m365.givens import submission


def sent(body: Body) -> bytes:
    octets = b"".join(body.pieces())
    assert len(octets) == body.size
    assert b"".join(body.pieces()) == octets
    return octets


@pytest.mark.parametrize("bcc", [(), ("hidden@acme.example",)])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 100_000, 400_001])
def test_mime_is_the_message_with_bcc(size: int, bcc: tuple[str, ...]) -> None:
    """In base64, without a line break."""
    made = submission(bcc=bcc, attachments=[Attachment("a", random.Random(1).randbytes(size))])
    assert base64.b64decode(sent(bodies.of_mime(made)), validate=True) == made.content_with_bcc()


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 64, 1000])
def test_mime_however_the_message_is_cut(cut: int) -> None:
    """The Bcc stands where the header ends."""
    made = submission(bcc=["hidden@acme.example"])
    content = made.content
    pieces = attrs.evolve(made, chunks=tuple(content[at : at + cut] for at in range(0, len(content), cut)))
    assert base64.b64decode(sent(bodies.of_mime(pieces))) == made.content_with_bcc()


def test_json_with_files_in_their_places() -> None:
    """Each where its hole was."""
    files = [Attachment("a", b"first"), Attachment("b", b"second" * 1000)]
    leaves = parts.read(submission(attachments=files).content).files
    body = bodies.of_json({"x": [{"c": HOLE}, {"c": HOLE, "t": "é"}]}, leaves)
    found = json.loads(sent(body))
    assert [base64.b64decode(one["c"]) for one in found["x"]] == [b"first", b"second" * 1000]
    assert found["x"][1]["t"] == "é"


@pytest.mark.parametrize("text", ["\x00", "\\u0000", "hole-", '"', "\\", "\u2028"])
def test_text_is_never_taken_for_a_hole(text: str) -> None:
    """Whatever is written."""
    assert json.loads(sent(bodies.of_json({"text": text}))) == {"text": text}
