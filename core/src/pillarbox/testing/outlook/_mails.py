"""What lies in the folders of the fake Outlook: mails, with their recipients and files."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from typing import Any

CONTENT_ID = "http://schemas.microsoft.com/mapi/proptag/0x3712001F"
MIME_TAG = "http://schemas.microsoft.com/mapi/proptag/0x370E001F"
HEADERS = "http://schemas.microsoft.com/mapi/string/{00020386-0000-0000-C000-000000000046}/"
"""Behind it stands the name of a header of the Internet message."""
DRAFTS, OUTBOX, SENT, DELETED = "Drafts", "Outbox", "Sent Items", "Deleted Items"
FOLDERS: Mapping[int, str] = {3: DELETED, 4: OUTBOX, 5: SENT, 6: "Inbox", 16: DRAFTS}
"""Of OlDefaultFolders."""


@dataclasses.dataclass
class Person:
    """A recipient, or an address for answers.

    Attributes:
        name: As it was added.
        kind: Of OlMailRecipientType: 1 to, 2 cc, 3 bcc.
        address: What it was resolved to, or "".
    """

    name: str
    kind: int = 1
    address: str = ""


@dataclasses.dataclass
class File:
    """An attachment, with the octets it had when it was added."""

    name: str
    content: bytes
    kind: int = 1
    properties: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def content_id(self) -> str:
        """By which the HTML body shows it, or ""."""
        return str(self.properties.get(CONTENT_ID, ""))


@dataclasses.dataclass
class Mail:
    """A mail in one of Outlook's folders.

    Attributes:
        values: Its plain members as they were put: `Subject`, `Body`, `HTMLBody`, `Importance` ...
        folder: Where it lies; "" while it was never saved.
        account: The address of the account that sends it, or "" for the session's own.
        store: The store in which it lies; "" for the session's own.
        properties: What was set by its PropertyAccessor, by schema.
    """

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    entry_id: str = ""
    folder: str = ""
    account: str = ""
    store: str = ""
    recipients: list[Person] = dataclasses.field(default_factory=list)
    reply_to: list[Person] = dataclasses.field(default_factory=list)
    files: list[File] = dataclasses.field(default_factory=list)
    properties: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def subject(self) -> str:
        return str(self.values.get("Subject", ""))

    @property
    def text(self) -> str:
        return str(self.values.get("Body", ""))

    @property
    def html(self) -> str:
        return str(self.values.get("HTMLBody", ""))

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the Internet message that were set, by name."""
        found = self.properties.items()
        return {name.removeprefix(HEADERS): str(value) for name, value in found if name.startswith(HEADERS)}

    def addresses(self, kind: int | None = None) -> tuple[str, ...]:
        """Return the recipients' addresses: all, or those of one kind."""
        return tuple(one.address for one in self.recipients if kind in (None, one.kind))

    def to_json(self) -> dict[str, Any]:
        """Return it as an object of JSON; the files' octets in base64."""
        shown = dataclasses.asdict(self)
        for file in shown["files"]:
            file["content"] = base64.b64encode(file["content"]).decode()
        return shown

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mail:
        """Return the mail that `to_json` wrote."""
        people = {name: [Person(**one) for one in value[name]] for name in ("recipients", "reply_to")}
        files = [File(**{**one, "content": base64.b64decode(one["content"])}) for one in value["files"]]
        return cls(**{**value, **people, "files": files})
