"""How a draft is filled: each field of a letter by the member of Outlook's object model that takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .folders import HEADERS, KEY
from .patience import Patient
from .problems import Problem

CONTENT_ID = "http://schemas.microsoft.com/mapi/proptag/0x3712001F"
"""PR_ATTACH_CONTENT_ID_W, by which HTML shows an attachment."""
MIME_TAG = "http://schemas.microsoft.com/mapi/proptag/0x370E001F"
"""PR_ATTACH_MIME_TAG_W."""
_PLAIN, _HTML = 1, 2
_BY_VALUE = 1


def filled(item: Patient, letter: Mapping[str, Any], spool: Path) -> None:
    """Fill *item*, a new MailItem, with *letter*; its bodies and files are in *spool*.

    Raises:
        Problem: Outlook does not know a recipient.
        ComError: Outlook refused something.
    """
    item.put("Subject", letter["subject"])
    _bodies(item, letter, spool)
    _recipients(item.get("Recipients"), letter["people"])
    _recipients(item.get("ReplyRecipients"), ([0, one] for one in letter["answers_to"]))
    item.put("Importance", letter["importance"])
    if letter["read_receipt"]:
        item.put("ReadReceiptRequested", True)
    if letter["on_behalf"]:
        item.put("SentOnBehalfOfName", letter["on_behalf"])
    _files(item, letter["files"], spool)
    properties = item.get("PropertyAccessor")
    for name, value in [[KEY, letter["key"]], *letter["headers"]]:
        properties.call("SetProperty", HEADERS + name, value)


def _bodies(item: Patient, letter: Mapping[str, Any], spool: Path) -> None:
    """Set the HTML, from which Outlook makes the text itself; or the text where there is no HTML."""
    if letter["html"] is None:
        item.put("BodyFormat", _PLAIN)
        item.put("Body", inside(spool, letter["text"]).read_bytes().decode("utf-8"))
    else:
        item.put("BodyFormat", _HTML)
        item.put("HTMLBody", inside(spool, letter["html"]).read_bytes().decode("utf-8"))


def _recipients(recipients: Patient, people: Iterable[tuple[int, str] | list[Any]]) -> None:
    unknown = []
    for kind, shown in people:
        added = recipients.call("Add", shown)
        if kind:
            added.put("Type", kind)
        if not added.call("Resolve"):
            unknown.append(shown)
    if unknown:
        raise Problem("recipient-unknown", step="recipient", who="; ".join(unknown[:10]))


def _files(item: Patient, files: Sequence[Mapping[str, Any]], spool: Path) -> None:
    if not files:
        return
    attachments = item.get("Attachments")
    for file in files:
        path = inside(spool, file["path"])
        added = attachments.call("Add", str(path), _BY_VALUE, 0, file["name"])
        if file["content_id"]:
            properties = added.get("PropertyAccessor")
            properties.call("SetProperty", CONTENT_ID, file["content_id"])
            properties.call("SetProperty", MIME_TAG, file["content_type"])


def inside(spool: Path, name: str) -> Path:
    """Return the absolute path of a file of the *spool*.

    Raises:
        Problem: It would be outside.
    """
    path = (spool / name).resolve()
    if not path.is_relative_to(spool.resolve()):
        raise Problem("protocol", said="a path that leaves the spool")
    return path
