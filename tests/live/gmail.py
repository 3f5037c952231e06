"""What is asked of the Gmail API."""

from __future__ import annotations

import base64
import functools
from typing import Any, Final

import requests

from pillarbox import Attachment
from pillarbox_gmail.app import COMPOSE, READONLY, SEND
from pillarbox_gmail.grants import DRAFTS, READS
from tests.live.asking import Connected, Sent, status
from tests.live.questions import NotTold, Question, seconds_since, whether

STRANGER: Final = "somebody.else@pillarbox.invalid"
"""An address that no account may show."""
HEADER: Final = "X-Pillarbox-Live"
LARGE: Final = bytes(4_200_000)
"""Makes a message that is brought in chunks."""
TOO_LARGE: Final = 36_700_161
"""Octets: one more than the discovery document says that Gmail takes."""
RFC822: Final = "message/rfc822"
ME: Final = "/gmail/v1/users/me"


class Study:
    """What is found out about one account; mails are sent when they are first asked about."""

    def __init__(self, one: Connected) -> None:
        self.one = one

    @functools.cached_property
    def at_once(self) -> Sent:
        """A mail sent by the upload endpoint, in one request."""
        return self.one.send("in one request", (SEND,), headers={HEADER: "kept"})

    @functools.cached_property
    def by_draft(self) -> Sent:
        """A mail sent by a draft."""
        self.one.require(*DRAFTS)
        return self.one.send("by a draft", (COMPOSE,), headers={HEADER: "kept"})

    @functools.cached_property
    def by_chunks(self) -> Sent:
        """A mail sent by a resumable upload."""
        return self.one.send("in chunks", (SEND,), attachments=[Attachment("zeros.bin", LARGE)])

    @functools.cached_property
    def as_json(self) -> tuple[str, str]:
        """Our Message-ID and Gmail's id of a mail sent as JSON."""
        submission = self.one.composed("as JSON")
        raw = base64.urlsafe_b64encode(submission.content).decode()
        return submission.message_id, _id(self.one.ask("POST", f"{ME}/messages/send", json={"raw": raw}))

    @functools.cached_property
    def uploaded(self) -> tuple[str, requests.Response]:
        """Gmail's id of a mail sent by an upload of our own, and what the finished upload says when it is asked."""
        content = self.one.composed("a finished upload").content
        session = self._session(len(content)).headers["Location"]
        whole = {"Content-Type": RFC822, "Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"}
        name = _id(self.one.ask("PUT", session, data=content, headers=whole))
        asked = {"Content-Range": f"bytes */{len(content)}"}
        return name, self.one.ask("PUT", session, data=b"", headers=asked)

    def announced(self, size: int) -> requests.Response:
        """Return the answer to an upload of *size* octets that is announced."""
        return self._session(size)

    def headers(self, name: str) -> dict[str, str]:
        """Return the header of the mail *name*, its names in lower case."""
        self.one.require(*READS)
        told = self.get(f"/messages/{name}", format="metadata")
        if not told:
            raise NotTold("the mail can't be read")
        return {one["name"].lower(): one["value"] for one in told["payload"]["headers"]}

    def get(self, where: str, **query: str) -> dict[str, Any]:
        """Return what is at *where*; {} where an error is."""
        found = self.one.ask("GET", f"{ME}{where}", params=query)
        told: dict[str, Any] = found.json() if found.status_code == 200 else {}
        return told

    def _session(self, size: int) -> requests.Response:
        where = f"/resumable/upload{ME}/messages/send?uploadType=resumable"
        named = {"X-Upload-Content-Type": RFC822, "X-Upload-Content-Length": str(size)}
        return self.one.ask("POST", where, data=b"", headers=named)


def _id(answer: requests.Response) -> str:
    if answer.status_code != 200:
        raise NotTold(f"it was answered with {_said(answer)}")
    return str(answer.json()["id"])


def _said(answer: requests.Response) -> str:
    def reason(told: Any) -> object:
        error = told.get("error")
        errors = error.get("errors") if isinstance(error, dict) else None
        return errors[0].get("reason") if errors else ""

    return status(answer, reason)


def _keeps(study: Study, ours: str, name: str) -> str:
    return whether(study.headers(name).get("message-id") == ours)


def _kept(study: Study, sent: Sent) -> str:
    return _keeps(study, sent.submission.message_id, sent.receipt.reference)


def _is_found(study: Study, sent: Sent) -> str:
    study.one.require(*READS)
    found = study.get("/messages", q=f"rfc822msgid:{sent.submission.message_id}")
    return whether(found.get("messages"))


def _appears(study: Study) -> str:
    study.one.require(*READS)
    sent = study.by_draft

    def labelled() -> object:
        told = study.get(f"/messages/{sent.receipt.reference}", format="minimal")
        return "SENT" in told.get("labelIds", ()) or None

    study.one.awaited(labelled)
    return seconds_since(sent.at)


def _draft_of(study: Study) -> tuple[str, str]:
    study.one.require(*DRAFTS)
    raw = base64.urlsafe_b64encode(study.one.composed("a draft sent twice").content).decode()
    draft = _id(study.one.ask("POST", f"{ME}/drafts", json={"message": {"raw": raw}}))
    return draft, _id(study.one.ask("POST", f"{ME}/drafts/send", json={"id": draft}))


def _gone(study: Study) -> str:
    draft, _ = _draft_of(study)
    return _said(study.one.ask("GET", f"{ME}/drafts/{draft}"))


def _again(study: Study) -> str:
    draft, _ = _draft_of(study)
    return _said(study.one.ask("POST", f"{ME}/drafts/send", json={"id": draft}))


def _finished(study: Study) -> str:
    name, answer = study.uploaded
    if answer.status_code == 200:
        return f"200 with {'the same' if answer.json().get('id') == name else 'another'} id"
    return _said(answer)


def _strange(study: Study) -> str:
    raw = base64.urlsafe_b64encode(study.one.composed("another From", STRANGER).content).decode()
    answer = study.one.ask("POST", f"{ME}/messages/send", json={"raw": raw})
    if answer.status_code != 200:
        return f"refused: {_said(answer)}"
    shown = study.headers(_id(answer)).get("from", "")
    return "taken, and kept" if STRANGER in shown else "taken, and rewritten"


def _nonsense(study: Study) -> str:
    return _said(study.one.ask("POST", f"{ME}/messages/send", json={"raw": "not base64!"}))


QUESTIONS: Final[tuple[Question[Study], ...]] = (
    Question("Sent by the upload endpoint: is our Message-ID kept?", lambda it: _kept(it, it.at_once)),
    Question("Sent as JSON: is our Message-ID kept?", lambda it: _keeps(it, *it.as_json)),
    Question("Sent by a draft: is our Message-ID kept?", lambda it: _kept(it, it.by_draft)),
    Question("Sent in chunks: is our Message-ID kept?", lambda it: _kept(it, it.by_chunks)),
    Question("Is a header of ours kept?", lambda it: whether(HEADER.lower() in it.headers(it.at_once.receipt.reference))),
    Question("Does rfc822msgid: find the copy by our Message-ID?", lambda it: _is_found(it, it.by_draft)),
    Question("When does the copy have the label SENT?", _appears),
    Question("What does a finished upload say when it is asked?", _finished),
    Question("What is a draft answered that is looked for after it was sent?", _gone),
    Question("What is a draft answered that is sent a second time?", _again),
    Question("What becomes of a From that is nobody's?", _strange),
    Question("What is a message answered that is announced with an octet too many?", lambda it: _said(it.announced(TOO_LARGE))),
    Question("What is raw answered that is no base64?", _nonsense),
    Question("What is getProfile answered?", lambda it: _said(it.one.ask("GET", f"{ME}/profile"))),
)  # fmt: skip
"""In this order: what is asked later may have been sent before."""
EVERYTHING: Final = (COMPOSE, READONLY)
"""The grant that all of them can be answered with: send and confirm, and `look_in_sent` in [apps.gmail]."""
