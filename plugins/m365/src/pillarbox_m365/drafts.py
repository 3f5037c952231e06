"""Send and confirm: the message is a draft first, noted before it is sent, so that a look tells what became of it."""

from __future__ import annotations

import contextlib
from typing import Any

import attrs

from pillarbox import (
    Journal,
    MessageError,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SightingState,
    Submission,
)

from . import bodies, fields, parts, upload
from .answers import error_of, has_code, value_of
from .bodies import Body
from .graph import Graph, segment
from .line import Answer
from .looking import BEGUN, READY, SELECTED, in_sent, look, of_draft
from .octets import Octets
from .receipts import receipt_of

ASKED = "m365.asked"
"""Noted before a draft is made: there may be one that nobody knows the id of."""
DOUBTED = "m365.doubted"
"""Noted where a draft was called to be sent, refused for now, and seen to be a draft still: should it be gone when it is
tried again, a person has to say what became of it."""
LARGEST_REQUEST = 4_000_000
"""Octets of a request, base64 included; Graph refuses more than 4 MB."""
SMALLEST_SESSION = 3_000_000
"""Octets from which on a file goes by an upload session."""
LARGEST_FILE = 150 * 1024 * 1024
"""Octets that an upload session takes."""
READ_BACK = 10.0
"""Seconds to ask for what the mail travels with."""
_DOUBTFUL = frozenset({404, 409, 412, 429})
"""Answers to the call that sends which may be about a mail that has left: the draft is looked at first."""


@attrs.frozen
class Draft:
    """A draft.

    Attributes:
        id: Graph's, which stays when the draft is sent.
        told: What Graph said of it.
    """

    id: str
    told: dict[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def path(self) -> str:
        """Where it is, behind the mailbox."""
        return f"/messages/{segment(self.id)}"


def submit(graph: Graph, submission: Submission, journal: Journal, *, as_mime: bool) -> Receipt:
    """Submit by a draft, the one of an earlier try where it still is one.

    Args:
        graph: The mailbox.
        submission: What is sent.
        journal: Of this attempt.
        as_mime: Whether it may go as MIME: it shows the mailbox's own address.

    Raises:
        PillarboxError: As `Transport.send`.
    """
    draft = _noted(graph, submission, journal)
    if isinstance(draft, Receipt):
        return draft
    if draft is None:
        draft = _made(graph, submission, journal, as_mime=as_mime)
    elif as_mime and not _tag(graph, draft, submission):
        raise SendDeferred("The draft is gone since it was looked at.", stage="draft")
    graph.ready()
    with journal.handing_over():
        answer = graph.ask("POST", f"{draft.path}/send", "send", submits=True)
    return _after(graph, answer, draft, submission, journal)


def _noted(graph: Graph, submission: Submission, journal: Journal) -> Draft | Receipt | None:
    """Return the draft that an earlier try noted; the receipt, where it has left meanwhile; None where one has to be made.

    Whoever calls `send` again after a hand-over has evidence that the mail was not sent, or a person's word (rule 21).

    Raises:
        OutcomeUnknown: There was one, and what became of it can't be found out now.
    """
    known = journal.notes.get(READY, "")
    if not known:
        _clear(graph, submission, journal)
        return None
    seen = of_draft(graph, submission, known)
    is_gone = seen is None
    seen = seen or in_sent(graph, submission, known)
    if seen.receipt is not None:
        return seen.receipt
    if seen.state is SightingState.ABSENT:
        return Draft(known)
    if is_gone and not journal.notes.get(DOUBTED):
        return None  # it was deleted; who asks for it to be sent again knows that it was not sent
    journal.note(DOUBTED, "")
    raise OutcomeUnknown(
        f"There is a draft of an earlier try, and what became of it is not known: {seen.detail}",
        stage="draft",
        cure="Look in Sent Items and in Deleted Items.",
    )


def _clear(graph: Graph, submission: Submission, journal: Journal) -> None:
    """Remove what an earlier try left unfinished; nothing of it was handed over."""
    if half := journal.notes.get(BEGUN, ""):
        _discard(graph, Draft(half))
        journal.note(BEGUN, "")
    elif journal.notes.get(ASKED):
        quoted = submission.message_id.replace("'", "''")
        asked = f"internetMessageId eq '{quoted}'"
        found = graph.get("/mailFolders/drafts/messages", "draft", filter=asked, select="id") or {}
        for one in found.get("value", []):
            _discard(graph, Draft(str(one["id"])))


def _discard(graph: Graph, draft: Draft) -> None:
    """Delete a draft of ours; where that fails it is left over, and harms nobody."""
    with contextlib.suppress(PillarboxError):
        graph.ask("DELETE", draft.path, "draft")


def _made(graph: Graph, submission: Submission, journal: Journal, *, as_mime: bool) -> Draft:
    """Return a new draft that holds all of *submission*, its id noted.

    Raises:
        PillarboxError: It can't be made; nothing was sent.
    """
    journal.note(ASKED, "1")
    mime = bodies.of_mime(submission)
    if as_mime and mime.size <= LARGEST_REQUEST:
        draft = _posted(graph, mime)
        journal.note(READY, draft.id)
        if not _tag(graph, draft, submission):
            journal.note(READY, "")
            raise SendDeferred("The draft was deleted before it was sent; another is made.", stage="draft")
        return draft
    whole = parts.read(Octets(submission.chunks), submission.bcc_header)
    _require_fit(whole)
    body = bodies.of_json(fields.message_of(whole, submission, files=whole.files), whole.files)
    if body.size <= LARGEST_REQUEST:
        draft = _posted(graph, body)
    else:
        draft = _filled(graph, whole, submission, journal)
    journal.note(READY, draft.id)
    return draft


def _require_fit(whole: parts.Parts) -> None:
    for leaf in whole.files:
        if leaf.size > LARGEST_FILE:
            raise MessageError(
                f"The file {leaf.name} has {leaf.size:,} octets; Microsoft 365 takes {LARGEST_FILE:,}.",
                cure="Send a link to it.",
            )


def _filled(graph: Graph, whole: parts.Parts, submission: Submission, journal: Journal) -> Draft:
    """Return a draft to which the files are added one by one; where one can't be, the draft goes again."""
    body = bodies.of_json(fields.message_of(whole, submission))
    if body.size > LARGEST_REQUEST:
        raise MessageError(
            "The text of the message is too long for Microsoft 365.", cure="Attach it as a file."
        )
    draft = _posted(graph, body)
    journal.note(BEGUN, draft.id)
    try:
        for leaf in whole.files:
            _attach(graph, draft, leaf)
    except (SendRejected, MessageError):
        _discard(graph, draft)
        journal.note(BEGUN, "")
        raise
    return draft


def _attach(graph: Graph, draft: Draft, leaf: parts.Leaf) -> None:
    path = f"{draft.path}/attachments"
    if leaf.size >= SMALLEST_SESSION:
        upload.send(graph, path, leaf)
        return
    answer = graph.ask("POST", path, "attachment", body=bodies.of_json(fields.attachment(leaf), [leaf]))
    if answer.status != 201:
        raise error_of(answer, "attachment")


def _posted(graph: Graph, body: Body) -> Draft:
    answer = graph.ask("POST", "/messages", "draft", body=body)
    told = value_of(answer)
    if answer.status != 201 or not isinstance(told.get("id"), str):
        raise error_of(answer, "draft")
    return Draft(told["id"], told)


def _tag(graph: Graph, draft: Draft, submission: Submission) -> bool:
    """Give a draft that came as MIME the mark by which it is found again; False where the draft is gone."""
    body = bodies.of_json({"singleValueExtendedProperties": fields.tagged(submission)})
    answer = graph.ask("PATCH", draft.path, "draft", body=body)
    if answer.status == 404 and has_code(answer, "ErrorItemNotFound"):
        return False
    if answer.status != 200:
        raise error_of(answer, "draft")
    return True


def _after(graph: Graph, answer: Answer, draft: Draft, submission: Submission, journal: Journal) -> Receipt:
    """Return what the answer to the call that sends stands for.

    Raises:
        PillarboxError: It was not sent, or nobody knows.
    """
    if answer.status == 202:
        return _read_back(graph, draft, submission)
    error = error_of(answer, "send", submits=True)
    if answer.status in _DOUBTFUL:
        return _found(graph, error, draft, submission, journal)
    if isinstance(error, SendRejected):
        _discard(graph, draft)
        journal.note(READY, "")
    raise error


def _found(
    graph: Graph, error: PillarboxError, draft: Draft, submission: Submission, journal: Journal
) -> Receipt:
    """Return the receipt where the mail has left in spite of *error*, which is raised where the draft is still there."""
    seen = look(graph, submission, draft.id)
    if seen.receipt is not None:
        return seen.receipt
    if seen.state is SightingState.ABSENT:
        journal.note(DOUBTED, "1")
        raise error
    raise OutcomeUnknown(f"{error.detail} What became of the draft is not known: {seen.detail}", stage="send")


def _read_back(graph: Graph, draft: Draft, submission: Submission) -> Receipt:
    """Return the receipt, with the Message-ID that the mail travels with where the copy tells it already.

    Whatever fails here, the mail was taken; a crash here is looked up like any other.
    """
    receipt = receipt_of(submission, draft.id, draft.told, graph.security)
    told: dict[str, Any] | None = None
    with contextlib.suppress(Exception):
        told = graph.get(draft.path, "copy", seconds=READ_BACK, select=SELECTED)
    if not told or told.get("isDraft") is not False:
        return receipt
    return attrs.evolve(receipt_of(submission, draft.id, told, receipt.security), at=receipt.at)
