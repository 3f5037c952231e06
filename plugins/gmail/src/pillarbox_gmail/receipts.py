"""Gmail's word for a message, as a receipt."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from pillarbox import Copy, CopyState, PillarboxError, Receipt, Submission

from .api import Api, path
from .exchange import Broken

SENT = "https://mail.google.com/mail/#all/"
"""Where the sent copy opens in a browser; the id follows."""


def receipt(submission: Submission, told: dict[str, Any], provider_message_id: str = "") -> Receipt:
    """Return the receipt for *submission*, which Gmail has as it *told*.

    Its `reference` is Gmail's id, its `detail` names the conversation, and its `copy` opens in a browser.
    """
    name, thread = str(told["id"]), told.get("threadId")
    return Receipt(
        submission.message_id,
        name,
        provider_message_id=provider_message_id,
        detail=f"conversation {thread}" if isinstance(thread, str) else "",
        copy=Copy(CopyState.BY_CARRIER, "Gmail", f"{SENT}{quote(name, safe='')}"),
    )


def message_id(api: Api, name: str) -> str:
    """Return the Message-ID that Gmail gave the message *name*; "" where it can't be told, which changes nothing."""
    where = path("messages", name, format="metadata", metadataHeaders="Message-ID")
    try:
        answer = api.look("GET", where)
    except (PillarboxError, Broken):
        return ""
    payload = (answer.told or {}).get("payload") if answer.status == 200 else None
    headers = payload.get("headers") if isinstance(payload, dict) else None
    for one in headers if isinstance(headers, list) else ():
        if isinstance(one, dict) and str(one.get("name", "")).lower() == "message-id":
            value = str(one.get("value", "")).strip()
            return value if re.fullmatch(r"<[^<>\s]{1,990}>", value) else ""
    return ""
