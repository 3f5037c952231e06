"""Makes a draft that holds all of a message: in one request, or with its files added one by one."""

from __future__ import annotations

import contextlib
from typing import Any

import attrs

from pillarbox import Journal, MessageError, PillarboxError, SendDeferred, SendRejected, Submission

from . import bodies, fields, parts, upload
from .answers import error_of, has_code, value_of
from .bodies import Body
from .graph import Graph, segment
from .looking import BEGUN, READY
from .octets import Octets
from .scopes import LARGEST_REQUEST

ASKED = "m365.asked"
"""Noted before a draft is made: there may be one that nobody knows the id of."""
SMALLEST_SESSION = 3_000_000
"""Octets from which on a file goes by an upload session."""
LARGEST_FILE = 150 * 1024 * 1024
"""Octets that an upload session takes."""


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


def discard(graph: Graph, draft: Draft) -> None:
    """Delete a draft of ours; where that fails it is left over, and harms nobody."""
    with contextlib.suppress(PillarboxError):
        graph.ask("DELETE", draft.path, "draft")


def made(graph: Graph, submission: Submission, journal: Journal, *, as_mime: bool) -> Draft:
    """Return a new draft that holds all of *submission*, its id noted.

    Raises:
        PillarboxError: It can't be made; nothing was sent.
    """
    journal.note(ASKED, "1")
    mime = bodies.of_mime(submission)
    if as_mime and mime.size <= LARGEST_REQUEST:
        draft = _posted(graph, mime)
        journal.note(READY, draft.id)
        if not tag(graph, draft, submission):
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
        discard(graph, draft)
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


def tag(graph: Graph, draft: Draft, submission: Submission) -> bool:
    """Give a draft that came as MIME the mark by which it is found again; False where the draft is gone."""
    body = bodies.of_json({"singleValueExtendedProperties": fields.tagged(submission)})
    answer = graph.ask("PATCH", draft.path, "draft", body=body)
    if answer.status == 404 and has_code(answer, "ErrorItemNotFound"):
        return False
    if answer.status != 200:
        raise error_of(answer, "draft")
    return True
