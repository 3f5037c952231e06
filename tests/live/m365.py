"""What is asked of Microsoft Graph."""

from __future__ import annotations

import base64
import functools
from typing import Any, Final
from urllib.parse import quote

from pillarbox import Attachment
from pillarbox_m365.fields import TAG
from tests.live.asking import Connected, Sent, status
from tests.live.questions import NotTold, Question, seconds_since, whether

SEND: Final = ("Mail.Send",)
CONFIRM: Final = ("Mail.Send", "Mail.ReadWrite")
STRANGER: Final = "somebody.else@pillarbox.invalid"
"""An address that no account may show."""
HEADER: Final = "X-Pillarbox-Live"
IMMUTABLE: Final = {"Prefer": 'IdType="ImmutableId"'}
LARGE: Final = bytes(3_200_000)
"""Goes by an upload session."""
MIME: Final = {"Content-Type": "text/plain"}


class Study:
    """What is found out about one account; mails are sent when they are first asked about."""

    def __init__(self, one: Connected) -> None:
        self.one = one

    @functools.cached_property
    def at_once(self) -> Sent:
        """A mail sent in one request, as MIME."""
        return self.one.send("in one request", SEND, headers={HEADER: "kept"})

    @functools.cached_property
    def by_draft(self) -> Sent:
        """A mail sent by a draft that was made of MIME."""
        self._require_confirm()
        return self.one.send("by a draft", CONFIRM, headers={HEADER: "kept"})

    @functools.cached_property
    def by_upload(self) -> Sent:
        """A mail sent by a draft that was made of JSON, its file brought by an upload session."""
        self._require_confirm()
        return self.one.send("by an upload", CONFIRM, attachments=[Attachment("zeros.bin", LARGE)])

    def copy(self, sent: Sent) -> dict[str, Any]:
        """Return the copy in Sent Items; it is looked for by its subject, whatever became of its ids."""
        self._require_confirm()
        subject = str(sent.submission.message()["Subject"])
        return self.one.awaited(lambda: self.find(f"subject eq '{subject}'"))

    def find(self, asked: str) -> dict[str, Any] | None:
        """Return the first message in Sent Items that the filter *asked* finds."""
        values = self.get("/mailFolders/sentitems/messages", {"$filter": asked}).get("value", [])
        return values[0] if values else None

    def get(self, where: str, query: dict[str, str] | None = None) -> dict[str, Any]:
        """Return what is at *where*; {} where an error is."""
        found = self.one.ask("GET", f"/v1.0/me{where}", params=query, headers=IMMUTABLE)
        told: dict[str, Any] = found.json() if found.status_code == 200 else {}
        return told

    def post(self, where: str, **given: Any) -> str:
        """Return the status and the error code that a POST is answered with."""
        headers = {**IMMUTABLE, **given.pop("headers", {})}
        answer = self.one.ask("POST", f"/v1.0/me{where}", headers=headers, **given)
        return status(answer, lambda told: (told.get("error") or {}).get("code"))

    def _require_confirm(self) -> None:
        self.one.require("Mail.ReadWrite", "https://graph.microsoft.com/Mail.ReadWrite")


def _keeps(study: Study, sent: Sent) -> str:
    return whether(study.copy(sent).get("internetMessageId") == sent.submission.message_id)


def _keeps_header(study: Study, sent: Sent) -> str:
    where = f"/v1.0/me/messages/{quote(study.copy(sent)['id'], safe='')}/$value"
    answer = study.one.ask("GET", where, headers=IMMUTABLE)
    if answer.status_code != 200:
        raise NotTold(f"its source was answered with {answer.status_code}")
    return whether(f"{HEADER}: kept".lower() in answer.text.partition("\r\n\r\n")[0].lower())


def _appears(study: Study) -> str:
    sent = study.by_draft
    name = sent.submission.message_id.replace("'", "''")
    tag = f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq '{sent.submission.key}')"
    study.one.awaited(lambda: study.find(f"internetMessageId eq '{name}'") or study.find(tag))
    return seconds_since(sent.at)


def _is_found(study: Study, asked: str, sent: Sent) -> str:
    study.copy(sent)
    return whether(study.find(asked))


def _tag(sent: Sent) -> str:
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{TAG}' and ep/value eq '{sent.submission.key}')"


def _by_id(study: Study) -> str:
    study.copy(study.by_draft)
    found = study.get(f"/messages/{quote(study.by_draft.receipt.reference, safe='')}")
    return {True: "no: it is still called a draft", False: "yes"}.get(found.get("isDraft"), "no: it is gone")  # type: ignore[call-overload]


def _again(study: Study) -> str:
    study.copy(study.by_draft)
    return study.post(f"/messages/{quote(study.by_draft.receipt.reference, safe='')}/send")


def _strange_json(study: Study) -> str:
    message = {
        "subject": "pillarbox live: another From, in JSON",
        "body": {"contentType": "text", "content": "A test of pillarbox."},
        "from": {"emailAddress": {"address": STRANGER}},
        "toRecipients": [{"emailAddress": {"address": study.one.to}}],
    }
    return study.post("/sendMail", json={"message": message})


def _strange_mime(study: Study) -> str:
    mime = study.one.composed("another From, as MIME", STRANGER).content
    return study.post("/sendMail", data=base64.b64encode(mime), headers=MIME)


def _large_mime(study: Study) -> str:
    whole = study.one.composed("too large", attachments=[Attachment("zeros.bin", LARGE)]).content
    return study.post("/sendMail", data=base64.b64encode(whole), headers=MIME)


def _large_file(study: Study) -> str:
    study._require_confirm()
    draft = study.one.ask("POST", "/v1.0/me/messages", json={"subject": "pillarbox live"}).json()["id"]
    where = f"/messages/{quote(draft, safe='')}"
    file = {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": "zeros.bin",
        "contentBytes": base64.b64encode(bytes(4_000_000)).decode(),
    }
    try:
        return study.post(f"{where}/attachments", json=file)
    finally:
        study.one.ask("DELETE", f"/v1.0/me{where}")


def _nonsense(study: Study) -> str:
    return study.post("/sendMail", data=b"this is not base64!", headers=MIME)


QUESTIONS: Final[tuple[Question[Study], ...]] = (
    Question("Sent in one request as MIME: is our Message-ID kept?", lambda it: _keeps(it, it.at_once)),
    Question("Sent in one request as MIME: is a header of ours kept?", lambda it: _keeps_header(it, it.at_once)),
    Question("Sent by a draft of MIME: is our Message-ID kept?", lambda it: _keeps(it, it.by_draft)),
    Question("Sent by a draft of MIME: is a header of ours kept?", lambda it: _keeps_header(it, it.by_draft)),
    Question("Sent by a draft of JSON with an upload: is our Message-ID kept?", lambda it: _keeps(it, it.by_upload)),
    Question("When can the copy be found in Sent Items?", _appears),
    Question("Does $filter find the copy by our tag (draft of MIME)?", lambda it: _is_found(it, _tag(it.by_draft), it.by_draft)),
    Question("Does $filter find the copy by our tag (draft of JSON)?", lambda it: _is_found(it, _tag(it.by_upload), it.by_upload)),
    Question(
        "Does $filter find the copy by our Message-ID?",
        lambda it: _is_found(it, f"internetMessageId eq '{it.by_draft.submission.message_id}'", it.by_draft),
    ),
    Question("Does an immutable id name the mail after it was sent?", _by_id),
    Question("What is a draft answered that is sent a second time?", _again),
    Question("What is a From answered that is nobody's, in JSON?", _strange_json),
    Question("What is a From answered that is nobody's, as MIME?", _strange_mime),
    Question("What is MIME of more than 4 MB answered?", _large_mime),
    Question("What is a file of 4 MB answered, attached in one request?", _large_file),
    Question("What is MIME answered that is no base64?", _nonsense),
)  # fmt: skip
"""In this order: what is asked later may have been sent before."""
