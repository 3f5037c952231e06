"""The fake Outlook as a whole: its accounts, its folders, its faults, and what of it outlives a crash."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ._faults import ABORT, CALL_FAILED, EXCEPTION, SERVER_UNAVAILABLE, Fault, OutlookFault, Script
from ._mails import OUTBOX, SENT, Mail
from ._objects import FakeObject
from ._session import Account, Application, NameSpace, Store


@dataclasses.dataclass(frozen=True)
class FakeAccount:
    """An account of Outlook's profile.

    Attributes:
        address: Its SmtpAddress; "" for one that shows its name alone.
        kind: Of OlAccountType: 0 Exchange, 1 IMAP, 2 POP, 3 HTTP, 4 EAS, 5 other.
        name: Its DisplayName; the address by default.
        store: The store into which it delivers, and files what it sent; "" for the session's own.
    """

    address: str
    kind: int = 0
    name: str = ""
    store: str = ""


class FakeOutlook:
    """An Outlook with its mailbox, in memory.

    Args:
        accounts: Of its profile; the first is the session's own.
        profile: The name of the profile.
        faults: What goes wrong, and when.
        guard: Whether the object model guard denies every guarded member.
        offline: Whether it works offline.
        trusted: What `Application.IsTrusted` says.
        unresolvable: Names and addresses that Outlook does not know.
        store: A file to which each change is written, so that the mailbox and the faults that happened outlive the
            process; each line is an object of JSON.
        on_crash: Called in place of the crash; a server process ends itself in it.
        sleep: Waits in a stall.

    Attributes:
        mails: Whatever was saved or sent, wherever it lies now.
        calls: Each call that arrived, as (class, member).
        has_quit: Whether `Quit` was called, which nobody should.
    """

    def __init__(
        self,
        accounts: Iterable[FakeAccount] = (FakeAccount("anna@acme.example", name="Anna Berg"),),
        *,
        profile: str = "Outlook",
        faults: Iterable[Fault] = (),
        guard: bool = False,
        offline: bool = False,
        trusted: bool = True,
        unresolvable: Iterable[str] = (),
        store: Path | None = None,
        on_crash: Callable[[], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.accounts: tuple[FakeAccount, ...] = tuple(accounts)
        self.profile: str = profile
        self.offline: bool = offline
        self.trusted: bool = trusted
        self.guard: bool = guard
        self.unresolvable: frozenset[str] = frozenset(unresolvable)
        self.script: Script = Script(tuple(faults))
        self.store: Path | None = store
        self.on_crash: Callable[[], None] | None = on_crash
        self.sleep: Callable[[float], None] = sleep
        self.mails: list[Mail] = []
        self.calls: list[tuple[str, str]] = []
        self.life: int = 0
        self.is_running: bool = False
        self.has_quit: bool = False
        if store is not None and store.exists():
            self._restore(store.read_text(encoding="utf-8"))
        self._begin()

    @classmethod
    def from_json(cls, text: str, **more: Any) -> FakeOutlook:
        """Return the world that `text` describes: the arguments' names, with accounts and faults as objects."""
        given = json.loads(text)
        given["faults"] = [Fault.from_json(one) for one in given.get("faults", ())]
        if "accounts" in given:
            given["accounts"] = [FakeAccount(**one) for one in given["accounts"]]
        if given.get("store"):
            given["store"] = Path(given["store"])
        return cls(**given, **more)

    def to_json(self) -> str:
        """Return what `from_json` takes; the mailbox is not in it."""
        return json.dumps(
            {
                "accounts": [dataclasses.asdict(one) for one in self.accounts],
                "profile": self.profile,
                "faults": [one.to_json() for one in self.script.faults],
                "guard": self.guard,
                "offline": self.offline,
                "trusted": self.trusted,
                "unresolvable": sorted(self.unresolvable),
                "store": str(self.store or ""),
            }
        )

    def activate(self) -> Application:
        """Return the running Outlook's Application; start it where it does not run."""
        self._meet("Class", "Activate", self._start)
        return self.application

    @property
    def sent(self) -> list[Mail]:
        """What left by `Send`, in order: what is in the Outbox or in Sent."""
        return [mail for mail in self.mails if mail.folder in {OUTBOX, SENT}]

    def in_folder(self, name: str, store: str | None = None) -> list[Mail]:
        """Return the mails of a folder, `Drafts`, `Outbox`, `Sent Items` or `Deleted Items`, in one store or in all."""
        return [mail for mail in self.mails if mail.folder == name and store in {None, mail.store}]

    def transmit(self) -> None:
        """Let Outlook send what is in its Outbox: it moves to Sent."""
        stores = {_called(one): one.store for one in self.accounts}
        for mail in self.in_folder(OUTBOX):
            mail.store = stores.get(mail.account, "")
            self.keep(mail, SENT)

    def misbehave(self, faults: Iterable[Fault] = ()) -> None:
        """Let *faults* happen from now on, in the place of those there were."""
        self.script = Script(tuple(faults))

    def crash(self) -> None:
        """End this life of Outlook: its objects answer no more, its mailbox stays."""
        self.is_running = False
        self.life += 1
        if self.on_crash is not None:
            self.on_crash()

    def run(self, who: FakeObject, name: str, action: Callable[[], Any], *, guarded: bool = False) -> Any:
        """Run a call of an object, unless a crash, the guard or the script says otherwise."""
        if who.life != self.life:
            raise OutlookFault(SERVER_UNAVAILABLE, text="The RPC server is unavailable.")
        if guarded and self.guard:
            raise OutlookFault(EXCEPTION, ABORT, "Operation aborted")
        return self._meet(who.kind, name, action)

    def keep(self, mail: Mail, folder: str) -> None:
        """File *mail* in *folder*; it has an EntryID from then on."""
        mail.folder = folder
        if not mail.entry_id:
            mail.entry_id = (
                f"00000000{secrets.token_hex(8).upper()}"  # its own, also where two processes share a store
            )
            self.mails.append(mail)
        self._write({"mail": mail.to_json()})

    def resolve(self, name: str) -> str | None:
        """Return the address that a recipient's *name* holds, or None for one that Outlook does not know."""
        address = name.rpartition("<")[2].rstrip(">").strip()
        known = "@" in address and not self.unresolvable & {name, address}
        return address if known else None

    @property
    def default_address(self) -> str:
        """The address, or the name, of the session's own account; "" where there is none."""
        return _called(self.accounts[0]) if self.accounts else ""

    def account_objects(self) -> list[Account]:
        """Return the accounts as the object model shows them."""
        return [self._account(one) for one in self.accounts]

    def account(self, called: str) -> Account | None:
        """Return the account of that address or name."""
        return next((self._account(one) for one in self.accounts if _called(one) == called), None)

    def address_of(self, account: Any) -> str:
        """Return by what *account*, an object of the model, is known here."""
        return account.values["SmtpAddress"] or str(account.values["DisplayName"])

    def _account(self, one: FakeAccount) -> Account:
        shown = Account(self)
        shown.values = {
            "AccountType": one.kind,
            "DisplayName": one.name or one.address,
            "SmtpAddress": one.address,
            "UserName": one.address,
            "ExchangeConnectionMode": 700 if one.kind == 0 else 0,
            "DeliveryStore": Store(self, one.store),
        }
        return shown

    def _meet(self, target: str, member: str, action: Callable[[], Any]) -> Any:
        self.calls.append((target, member))
        fault = self.script.next(target, member)
        if fault is None:
            return action()
        self._write({"met": self.script.met})
        if fault.action == "silent":
            return None
        if fault.action == "stall":
            self.sleep(fault.seconds)
            return action()
        if fault.ran:
            action()
        if fault.action == "crash":
            self.crash()
            raise OutlookFault(CALL_FAILED, text="The remote procedure call failed.")
        raise fault.error()

    def _start(self) -> None:
        if not self.is_running:
            self._begin()
            self.is_running = True

    def _begin(self) -> None:
        self.session: NameSpace = NameSpace(self)
        self.application: Application = Application(self)

    def _write(self, line: dict[str, Any]) -> None:
        if self.store is not None:
            with self.store.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def _restore(self, text: str) -> None:
        kept: dict[str, Mail] = {}
        for line in map(json.loads, text.splitlines()):
            if "mail" in line:
                mail = Mail.from_json(line["mail"])
                kept[mail.entry_id] = mail
            else:
                self.script.met = line["met"]
        self.mails = list(kept.values())


def _called(account: FakeAccount) -> str:
    return account.address or account.name
