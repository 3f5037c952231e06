"""What is found out about one Outlook: mails are sent by the plugin's own code, and looked at by raw calls."""

from __future__ import annotations

import functools
import secrets
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import attrs

from pillarbox import Account, Attachment, Message, Route, compose
from pillarbox_mapi.accounts import KINDS, OutlookAccount, Wish
from pillarbox_mapi.com import ComError, Dispatch
from pillarbox_mapi.folders import HEADERS, KEY, SENT
from pillarbox_mapi.letter import Letter
from pillarbox_mapi.outlook import Outlook
from pillarbox_mapi.patience import Patience
from pillarbox_mapi.problems import Problem
from pillarbox_mapi.spool import Spool
from tests.live.questions import NotTold

T = TypeVar("T")
SECONDS: Final = 120.0
"""For one operation, and for a mail to reach Sent Items."""
DRAFTS: Final = 16
BLIND: Final = "blind@pillarbox.invalid"
"""Gets a blind copy, and is nobody: a notice that it could not be reached comes back."""
PICTURE: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
"""A PNG of one pixel."""


@attrs.frozen
class Sent:
    """A mail that Outlook took.

    Attributes:
        key: Its key, which its header property carries.
        entry_id: Outlook's name for the draft.
        account: The account that the plugin was told has sent it.
    """

    key: str
    entry_id: str
    account: str


class Study:
    """One Outlook, and what was sent through it; a mail is sent when it is first asked about.

    Args:
        activate: Returns Outlook's Application, starting it where it does not run.
        to: Who gets the mails.
        account: The address of the account that sends, or "" for Outlook's own.
        person: Tells whoever sits there what to do, and returns when it is done; None where nobody does.
        patience: Seconds in which a mail has to reach Sent Items.
    """

    def __init__(
        self,
        activate: Callable[[], Dispatch],
        to: str,
        *,
        account: str = "",
        person: Callable[[str], None] | None = None,
        patience: float = SECONDS,
    ) -> None:
        self.to, self.person, self.patience = to, person, patience
        self._activate, self._account = activate, account
        self._patience = Patience()
        self._outlook = Outlook(activate, self._patience)

    @functools.cached_property
    def application(self) -> Dispatch:
        """Outlook, without the plugin around it."""
        return self._activate()

    @functools.cached_property
    def session(self) -> Dispatch:
        """Its session."""
        found: Dispatch = self.application.call("GetNamespace", "MAPI")
        found.call("Logon", "", "", False, False)
        return found

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """What the plugin is told when it attaches."""
        return self._done(lambda: self._outlook.attach(""))

    def accounts(self) -> list[OutlookAccount]:
        """Return the accounts, as the plugin is told of them."""
        return [
            OutlookAccount(number, kind, address, name)
            for number, (kind, address, name) in enumerate(self.facts["accounts"], 1)
        ]

    def item(self) -> Dispatch:
        """Return a new mail, of which nothing is kept."""
        made: Dispatch = self.application.call("CreateItem", 0)
        return made

    @functools.cached_property
    def plain(self) -> Sent:
        """A mail of plain text."""
        return self._sent("plain text", text="A test of pillarbox. There is nothing to do.\n")

    @functools.cached_property
    def rich(self) -> Sent:
        """A mail of HTML with an inline picture, a blind copy, another address for answers and a wish for a receipt."""
        return self._sent(
            "HTML and a picture",
            html='<p>A test of pillarbox: grün, 発票. <img src="cid:dot"></p>',
            bcc=BLIND,
            reply_to="answers@pillarbox.invalid",
            importance="high",
            attachments=[
                Attachment("dot.png", PICTURE, content_type="image/png", inline=True, content_id="dot"),
                Attachment("Rechnung – größer €.txt", b"1001\r\n", content_type="text/plain"),
            ],
        )

    def draft(self) -> str:
        """Let the plugin prepare a mail, and return its key; it lies in Drafts until `discard`."""
        return self._prepared("a draft", text="A draft.\n").key

    def discard(self) -> None:
        """Let the plugin remove the draft that it has in hand."""
        self._done(self._outlook.discard)

    def where(self, one: Sent) -> str:
        """Return where the plugin finds a mail once it has left the Outbox, or `outbox` where it stays there."""
        self.session.call("SendAndReceive", False)

        def look() -> str | None:
            found = str(self._done(lambda: self._outlook.find(one.key, one.account, ""))["where"])
            return None if found == "outbox" else found

        try:
            return self.awaited(look)
        except NotTold:
            return "outbox"

    def in_folder(self, number: int, key: str) -> list[Dispatch]:
        """Return the mails of *key* in a folder, by the filter that the plugin uses."""
        items = self.session.call("GetDefaultFolder", number).get("Items")
        found = items.call("Restrict", f"@SQL=\"{HEADERS}{KEY}\" = '{key}'")
        return [found.call("Item", number) for number in range(1, found.get("Count") + 1)]

    def copy(self, one: Sent) -> Dispatch:
        """Return the copy of a mail in Sent Items.

        Raises:
            NotTold: It does not come.
        """
        if self.where(one) != "sent":
            raise NotTold("it is not in Sent Items")
        return self.awaited(lambda: next(iter(self.in_folder(SENT, one.key)), None))

    def awaited(self, look: Callable[[], T | None]) -> T:
        """Return what *look* finds, asking again until it does.

        Raises:
            NotTold: It did not, as long as there is patience.
        """
        until = time.monotonic() + self.patience
        while (found := look()) is None:
            if time.monotonic() > until:
                raise NotTold(f"it was not found within {self.patience:g} s")
            time.sleep(min(1.0, self.patience / 10))
        return found

    def _sent(self, subject: str, **fields: Any) -> Sent:
        prepared = self._prepared(subject, **fields)
        self._done(self._outlook.submit)
        return prepared

    def _prepared(self, subject: str, **fields: Any) -> Sent:
        account = Account(owner="company", method="mapi", mailbox=self._account or self.to)
        unique = f"pillarbox live {secrets.token_hex(4)}: {subject}"
        one = compose(
            Message(to=self.to, subject=unique, **fields), Route(account=account, from_address=None)
        )
        wish = Wish(account=self._account, accept=tuple(KINDS.values()))
        spool = Spool()
        try:
            with spool.holding(Letter.of(one)) as written:
                letter = {**written, "key": one.key, "on_behalf": ""}
                ready = self._done(lambda: self._outlook.prepare(letter, wish, "", spool.root, again=False))
        finally:
            spool.remove()
        return Sent(one.key, str(ready["entry_id"]), str(ready["account"]))

    def _done(self, operation: Callable[[], T]) -> T:
        """Return what an operation of the plugin returns.

        Raises:
            NotTold: It ended in a problem.
        """
        self._patience.begin(SECONDS)
        try:
            return operation()
        except Problem as problem:
            raise NotTold(f"{problem.name} at {problem.step} {code(problem.code)}".rstrip()) from None


def code(number: int) -> str:
    """Return an HRESULT as Microsoft writes it, or "" for none."""
    return f"0x{number:08X}" if number else ""


def refusal(call: Callable[[], object]) -> str:
    """Return the HRESULT with which a call is refused, and what it points to; "nothing" where it is not."""
    try:
        call()
    except ComError as error:
        return code(error.hresult) + (f" for {code(error.scode)}" if error.code != error.hresult else "")
    return "nothing"
