"""Large files in ranges, and what can go wrong with one."""

from __future__ import annotations

import random

import pytest

from pillarbox import Attachment, Journal, PillarboxError, Receipt, SendDeferred, SendRejected
from pillarbox.testing.graph import Answer, FakeGraph, Fault
from pillarbox_m365 import parts, upload
from tests.plugins.m365.givens import ORDERS, outcome_of, steps, submission, transport
from tests.plugins.m365.test_drafts import files_of

CONTENT = random.Random(20).randbytes(20 * 1024 * 1024)


@pytest.mark.parametrize(
    "fault", [Fault.ERROR, Fault.UNAVAILABLE, Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.GARBAGE]
)
def test_twenty_megabytes_whose_third_range_fails_once(graph: FakeGraph, fault: Fault) -> None:
    """It goes on where Graph says that it got to; the file arrives whole, once."""
    graph.fault("range", fault, after=2)
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission(attachments=[Attachment("a.bin", CONTENT)])), Receipt)
    assert files_of(graph.sent(ORDERS)[0].content) == {"a.bin": CONTENT}
    sizes = [request.octets for request in graph.requests if request.step == "range"]
    assert max(sizes) == upload.RANGE
    assert len(sizes) == (6 if fault in {Fault.CUT_AFTER, Fault.GARBAGE} else 7)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.GARBAGE])
def test_the_answer_to_the_last_range_gets_lost(graph: FakeGraph, fault: Fault) -> None:
    """The session is over, and the file is there: it is not added twice."""
    content = CONTENT[:5_000_000]
    graph.fault("range", fault, after=1)
    with transport(graph) as one:
        assert isinstance(outcome_of(one, submission(attachments=[Attachment("a.bin", content)])), Receipt)
    assert files_of(graph.sent(ORDERS)[0].content) == {"a.bin": content}
    assert steps(graph).count("session") == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.ERROR, SendDeferred),
        (Fault.CUT_BEFORE, SendDeferred),
        (Fault.UNAUTHORIZED, SendDeferred),
        (Fault.THROTTLED, SendDeferred),
        (Answer(404, "ErrorItemNotFound"), SendDeferred),
        (Answer(416, "ErrorInvalidRequest"), SendDeferred),
        (Answer(413, "ErrorMessageSizeExceeded"), SendRejected),
    ],
    ids=str,
)
def test_a_range_that_fails_again_and_again(
    graph: FakeGraph, fault: Fault | Answer, kind: type[PillarboxError]
) -> None:
    """It is left, and nothing was handed over."""
    graph.fault("range", fault, after=1, times=9)
    journal = Journal()
    with transport(graph) as one:
        error = outcome_of(one, submission(attachments=[Attachment("a.bin", CONTENT)]), journal)
    assert type(error) is kind, error
    assert not journal.handed_over
    assert steps(graph).count("range") <= 1 + upload.TRIES
    assert graph.sent(ORDERS) == []


def test_no_token_goes_to_an_uploads_address(graph: FakeGraph) -> None:
    """Its address is proof enough, and the fake refuses one that comes with more."""
    with transport(graph) as one:
        outcome_of(one, submission(attachments=[Attachment("a.bin", CONTENT[:3_000_001])]))
    assert {request.status for request in graph.requests} <= {200, 201, 202}


@pytest.mark.parametrize(
    "url", ["http://evil.example/x", "ftp://127.0.0.1/x", "", "https://", "http://127.0.0.1:1/\r\nX: y"]
)
def test_an_address_that_may_not_be_used(graph: FakeGraph, url: str) -> None:
    """Nothing of a file goes out in clear, or nowhere."""
    with transport(graph) as one:
        known = one._graph()
        with pytest.raises((SendDeferred, upload.NoAnswer)):
            known.put_range(url, upload.bodies.of_octets(lambda: iter((b"x",)), 1), {}, "attachment")
    assert steps(graph) == []


@pytest.mark.parametrize("start", [0, 1, 57, 3_000_000, 4_999_999])
def test_a_file_is_read_from_anywhere(start: int) -> None:
    """A range that failed is read again, whatever came before it."""
    content = CONTENT[:5_000_000]
    (leaf,) = parts.read(submission(attachments=[Attachment("a.bin", content)]).content).files
    for end in (start + 1, 5_000_000):
        assert b"".join(leaf.between(start, end)) == content[start:end]
