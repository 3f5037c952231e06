"""Send and confirm: the message is a draft first, noted before it is sent, so that a look tells what became of it."""

from __future__ import annotations

import contextlib
from typing import Any

import attrs

from pillarbox import (
    Journal,
    OutcomeUnknown,
    PillarboxError,
    Receipt,
    SendDeferred,
    SendRejected,
    SightingState,
    Submission,
)
from pillarbox.exchange import Answer

from .answers import error_of
from .graph import Graph
from .looking import BEGUN, READY, SELECTED, in_sent, look, of_draft
from .making import ASKED, Draft, discard, made, tag
from .receipts import receipt_of

DOUBTED = "m365.doubted"
"""Noted where a draft was called to be sent, refused for now, and seen to be a draft still: should it be gone when it is
tried again, a person has to say what became of it."""
READ_BACK = 10.0
"""Seconds to ask for what the mail travels with."""
_DOUBTFUL = frozenset({404, 409, 412, 429})
"""Answers to the call that sends which may be about a mail that has left: the draft is looked at first."""


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
        draft = made(graph, submission, journal, as_mime=as_mime)
    elif as_mime and not tag(graph, draft, submission):
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
        discard(graph, Draft(half))
        journal.note(BEGUN, "")
    elif journal.notes.get(ASKED):
        quoted = submission.message_id.replace("'", "''")
        asked = f"internetMessageId eq '{quoted}'"
        found = graph.get("/mailFolders/drafts/messages", "draft", filter=asked, select="id") or {}
        for one in found.get("value", []):
            discard(graph, Draft(str(one["id"])))


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
        discard(graph, draft)
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
