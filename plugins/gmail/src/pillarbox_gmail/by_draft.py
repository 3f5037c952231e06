"""Send and confirm: a draft first, whose id is noted before it is sent, so that it can be looked what became of it."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from pillarbox import Journal, PillarboxError, SendDeferred, SendRejected, Submission

from .api import JSON, Api, path, required, unknown
from .content import Content
from .exchange import Answer
from .meanings import refusal
from .upload import LARGE, RFC822, Upload

NOTE = "draft"
"""Under which the journal has the draft's id; "" once it was deleted."""
BEGUN = "?"
"""What it has while one is being made: after a crash there may be one whose id nobody knows."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


def drafted(journal: Journal) -> str:
    """Return the id of the draft that *journal* has noted, or ""."""
    noted = journal.notes.get(NOTE, "")
    return noted if _ID.fullmatch(noted) else ""


def where(draft: str) -> str:
    """Return the path of a draft."""
    return path("drafts", draft, format="minimal")


def is_draft(answer: Answer, draft: str) -> bool:
    """Whether *answer*, to a look for *draft*, says that it is one."""
    return answer.status == 200 and (answer.told or {}).get("id") == draft


class ByDraft:
    """One submission by a draft.

    Args:
        api: The account's.
        submission: What is sent.
        content: Its octets.
        journal: Of the attempt.
    """

    def __init__(self, api: Api, submission: Submission, content: Content, journal: Journal) -> None:
        self._api = api
        self._submission = submission
        self._content = content
        self._journal = journal
        self._is_new = False

    def send(self) -> dict[str, Any]:
        """Return the message as Gmail has it after it was sent.

        Raises:
            PillarboxError: What the attempt ended in instead.
        """
        draft = self._again() or self._made()
        body = self._api.json({"id": draft})
        with self._journal.handing_over():
            told = self._api.submit("POST", path("drafts", "send"), body=body, headers=JSON)
        if isinstance(told, Answer):
            raise self._refused(told, draft)
        return told

    def _again(self) -> str:
        """Return the draft of an earlier attempt, where it still is one; "" where there is none.

        One that is gone was sent, by that attempt or by its person out of Drafts, or deleted. It is forgotten, so that
        whoever looks into it can have the message sent again.

        Raises:
            OutcomeUnknown: It is gone.
        """
        draft = drafted(self._journal)
        if not draft:
            return ""
        answer = self._api.look("GET", where(draft))
        if is_draft(answer, draft):
            return draft
        if answer.status != 404:
            _ = required(answer, "draft")
            raise SendDeferred("Gmail's answer can't be read; nothing left.", stage="draft")
        if not self._journal.handed_over:  # else it is this very attempt that is asked to go on
            self._journal.note(NOTE, "")
        raise unknown("its draft is gone: it was sent, or somebody deleted it")

    def _made(self) -> str:
        """Make the draft and note its id, before anything is sent."""
        draft = self._orphan() if self._journal.notes.get(NOTE) == BEGUN else ""
        if not draft:
            self._journal.note(NOTE, BEGUN)
            draft = self._new()
        self._journal.note(NOTE, draft)
        self._is_new = True
        return draft

    def _new(self) -> str:
        try:
            return _id_of(self._created())
        except SendDeferred as error:
            if error.stage not in {"draft", "content"}:  # else it may have been made all the same
                raise
            draft = self._orphan()
            if not draft:
                raise
            return draft

    def _created(self) -> dict[str, Any]:
        if self._content.size <= LARGE:
            place = f"/upload{path('drafts')}?uploadType=media"
            headers = {"Content-Type": RFC822}
            return required(self._api.look("POST", place, body=self._content.all, headers=headers), "content")
        upload = Upload(self._api, self._content, path("drafts"))
        upload.begin()
        answer = upload.bring(self._content.size)
        if answer is None:
            raise SendDeferred("Gmail has all of the message, and made no draft of it.", stage="draft")
        return required(answer, "content")

    def _orphan(self) -> str:
        """Return the draft that was made without an answer saying so, or "".

        Left alone it would lie in Drafts beside the one that is sent, for its person to send as well.
        """
        query = f"rfc822msgid:{self._submission.message_id}"
        with contextlib.suppress(PillarboxError):
            answer = self._api.look("GET", path("drafts", q=query, maxResults="2"))
            listed = (answer.told or {}).get("drafts") if answer.status == 200 else None
            if isinstance(listed, list) and len(listed) == 1:
                return _id_of(listed[0])
        return ""

    def _refused(self, answer: Answer, draft: str) -> PillarboxError:
        """Return what it means that *draft* was not sent, with an answer that says so."""
        if answer.status == 404 and not self._is_new:
            return unknown("its draft is gone")
        if answer.status == 404:
            self._discard(draft)
            return SendDeferred(
                "The draft was deleted before it was sent; nothing left.", code="404", stage="draft"
            )
        error = refusal(answer, "content")
        if isinstance(error, SendDeferred):
            return (
                error
                if self._is_still_there(draft)
                else unknown("it was too much at once; its draft is gone")
            )
        if isinstance(error, SendRejected):
            self._discard(draft)
        return error

    def _is_still_there(self, draft: str) -> bool:
        """Whether a look, made at once, finds *draft* unsent (rule 20); one that fails finds nothing."""
        try:
            return is_draft(self._api.look("GET", where(draft)), draft)
        except PillarboxError:
            return False

    def _discard(self, draft: str) -> None:
        """Delete the draft of a message that will never go, so that it lies in nobody's way."""
        with contextlib.suppress(PillarboxError):
            if self._api.look("DELETE", path("drafts", draft)).status in {200, 204, 404}:
                self._journal.note(NOTE, "")


def _id_of(told: Any) -> str:
    """Return the id of a draft.

    Raises:
        SendDeferred: It is none.
    """
    draft = told.get("id") if isinstance(told, dict) else None
    if not isinstance(draft, str) or not _ID.fullmatch(draft):
        raise SendDeferred("Gmail made a draft and gave it no name; nothing left.", stage="draft")
    return draft
