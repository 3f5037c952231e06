"""A message in chunks: what is lost on the way is brought again, and what is not whole was not sent."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Attachment, Journal, OutcomeUnknown, Receipt, SendDeferred, Submission
from pillarbox.testing.gmail import Answer, FakeGmail, Fault
from pillarbox_gmail.content import Content
from pillarbox_gmail.upload import CHUNK, LARGE
from tests.plugins.gmail.conftest import Connect
from tests.plugins.gmail.givens import ANNA, GRANTS, large, submission, transport

each_grant = pytest.mark.parametrize("scopes", GRANTS.values(), ids=list(GRANTS))


def chunks(gmail: FakeGmail) -> list[str]:
    return [one.headers.get("content-range", "") for one in gmail.requests if one.step == "chunk"]


def sized(size: int) -> Submission:
    """Return a message of exactly so many octets."""
    message = submission()
    return attrs.evolve(message, chunks=(*message.chunks, b"x" * (size - message.size)))


@each_grant
@pytest.mark.parametrize(("size", "count"), [(LARGE, 0), (LARGE + 1, 2), (2 * CHUNK, 2), (2 * CHUNK + 1, 3)])
def test_it_is_cut_where_it_must_be(
    gmail: FakeGmail, connect: Connect, scopes, size: int, count: int
) -> None:
    """Up to 5 MB it goes in one request; above, in chunks of 4 MiB, of which the last may be one octet."""
    message = sized(size)
    connect(*scopes).send(message, Journal())
    assert len(chunks(gmail)) == count
    assert len(gmail.sent(ANNA)[0].content.partition(b"\r\n\r\n")[2]) == len(
        message.content.partition(b"\r\n\r\n")[2]
    )


@each_grant
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.ERROR, Fault.GARBAGE], ids=str)
def test_a_lost_chunk_is_brought_again(gmail: FakeGmail, connect: Connect, scopes, fault: Fault) -> None:
    """The upload says how far it came, and it goes on from there."""
    gmail.fault("chunk", fault)
    message = submission(attachments=[Attachment("plan.bin", b"0123456789abcdef" * (10 * 65536))])
    if fault is Fault.GARBAGE:
        with pytest.raises((SendDeferred, OutcomeUnknown)):
            connect(*scopes).send(message, Journal())
        return
    connect(*scopes).send(message, Journal())
    (mail,) = gmail.sent(ANNA)
    assert mail.content.partition(b"\r\n\r\n")[2] == message.content.partition(b"\r\n\r\n")[2]
    assert f"bytes */{message.size}" in chunks(gmail)


@each_grant
def test_an_upload_that_breaks_too_often_is_left_for_later(
    gmail: FakeGmail, connect: Connect, scopes
) -> None:
    """Nothing left, and the hand-over was not marked."""
    gmail.fault("chunk", Fault.CUT_BEFORE, times=40)
    journal = Journal()
    with pytest.raises(SendDeferred, match="in pieces"):
        connect(*scopes).send(large(), journal)
    assert not journal.handed_over
    assert len(chunks(gmail)) < 10


@each_grant
def test_an_upload_that_is_forgotten_is_left_for_later(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """A session may end; it says nothing of the message."""
    gmail.fault("chunk", Answer(404, "notFound"))
    with pytest.raises(SendDeferred, match="known there no more"):
        connect(*scopes).send(large(), Journal())
    assert gmail.sent(ANNA) == []


@each_grant
def test_a_pause_in_the_middle_is_kept(gmail: FakeGmail, connect: Connect, scopes) -> None:
    """A 429 at a chunk says how long to wait."""
    gmail.fault("chunk", Fault.THROTTLED, retry_after=30)
    with pytest.raises(SendDeferred) as caught:
        connect(*scopes).send(large(), Journal())
    assert 30 <= (caught.value.retry_after or 0) < 32


def test_a_last_chunk_without_an_answer_is_asked_for() -> None:
    """Where the upload still knows its end, that it was sent is known as well."""
    with FakeGmail(remembers_uploads=True) as gmail:
        gmail.add_mailbox(ANNA)
        gmail.fault("chunk", Fault.CUT_AFTER, after=1)
        with transport(gmail, *GRANTS["send only"]) as made:
            assert isinstance(made.send(large(), Journal()), Receipt)
        assert len(gmail.sent(ANNA)) == 1


def test_a_last_chunk_of_which_nothing_is_known_is_unknown(gmail: FakeGmail, connect: Connect) -> None:
    """The chunk was lost, and so is the answer to the question."""
    gmail.fault("chunk", Fault.CUT_BEFORE, after=1, times=2)
    with pytest.raises(OutcomeUnknown, match="the line broke"):
        connect(*GRANTS["send only"]).send(large(), Journal())


def test_the_hand_over_is_at_the_last_chunk(gmail: FakeGmail, connect: Connect) -> None:
    """Not before: what was brought until then is not sent."""
    seen: list[int] = []

    class Watched(Journal):
        def _mark(self) -> None:
            seen.append(len(chunks(gmail)))

    connect(*GRANTS["send only"]).send(large(), Watched())
    assert seen == [1]


@each_grant
@pytest.mark.parametrize(
    "place",
    [
        "",
        "http://127.0.0.1:9/steal",
        "https://evil.example/upload",
        "file:///etc/passwd",
        "//evil.example/x",
        "http://127.0.0.1 x",
    ],
)
def test_a_place_elsewhere_is_not_believed(gmail: FakeGmail, connect: Connect, scopes, place: str) -> None:
    """The token and the message would go there."""
    gmail.fault("upload", Answer(200, "", headers={"Location": place}))
    with pytest.raises(SendDeferred, match="no place of its own"):
        connect(*scopes).send(large(), Journal())


def test_octets_between_any_two_places() -> None:
    """However the content is cut into chunks, with the Bcc header in its place."""
    message = submission(bcc="hidden@x.example")
    whole = message.content_with_bcc()
    for cut in range(1, len(message.content), 7):
        content = message.content
        pieces = attrs.evolve(
            message, chunks=(content[:cut], content[cut : cut + 3], b"", content[cut + 3 :])
        )
        made = Content.of(pieces)
        assert made.size == len(whole)
        assert b"".join(made.all) == whole
        assert b"".join(made.between(cut, len(whole))) == whole[cut:]
        assert b"".join(made.between(3, cut + 3)) == whole[3 : cut + 3]


def test_a_draft_made_without_an_answer_is_found(gmail: FakeGmail, connect: Connect) -> None:
    """It is used, and no second one lies beside it in Drafts."""
    for make, step, after in ((submission, "draft", 0), (large, "chunk", 1)):
        gmail.fault(step, Fault.CUT_AFTER, after=after)
        connect(*GRANTS["send and confirm"]).send(make(), Journal())
    assert len(gmail.sent(ANNA)) == 2
    assert gmail.drafts(ANNA) == []


def test_a_draft_made_without_an_answer_that_can_t_be_found(gmail: FakeGmail, connect: Connect) -> None:
    """The look for it fails: nothing left."""
    gmail.fault("draft", Fault.CUT_AFTER)
    gmail.fault("list", Fault.ERROR)
    with pytest.raises(SendDeferred, match="the line broke"):
        connect(*GRANTS["send and confirm"]).send(submission(), Journal())
    assert gmail.sent(ANNA) == []
