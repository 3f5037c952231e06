"""What is asked of Outlook, over any object that answers get, put, putref and call: COM, or a double of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .accounts import KINDS, OutlookAccount, Wish, chosen
from .com import ComError, Dispatch
from .drafting import filled
from .folders import discarded, members, where
from .patience import Patience, Patient
from .problems import Problem

T = TypeVar("T")
GONE = frozenset({0x800706BA, 0x800706BE, 0x80010108, 0x80010007, 0x800401FD})
"""Outlook was closed or has crashed: its objects answer no more."""
STARTING = frozenset({0x80080005, 0x80004004})
"""What a cold Outlook answers until its profile is loaded, and one of another privilege always."""
ABORTED = 0x80004004


class Outlook:
    """The operations of a worker. One draft is in hand at a time: `prepare` makes it, `submit` or `discard` ends it.

    Args:
        activate: Returns Outlook's Application, starting it where it does not run.
        patience: The deadline of the operation that runs.
    """

    def __init__(self, activate: Callable[[], Dispatch], patience: Patience) -> None:
        self._activate, self._patience = activate, patience
        self._application: Patient | None = None
        self._draft: Patient | None = None
        self._profile = ""
        self._spool = Path()
        self._step = "start"

    def attach(self, profile: str) -> dict[str, Any]:
        """Return what is to know of the Outlook that runs: its version, profile, accounts, and whether it is online."""
        with self._told("start"):
            self._profile = profile
            session = self._session()
            self._step = "account"
            application = self._opened()
            return {
                "version": str(application.get("Version")),
                "profile": str(session.get("CurrentProfileName") or ""),
                "accounts": [[one.kind, one.address, one.name] for one in self._accounts(session)],
                "offline": bool(session.get("Offline")),
                "trusted": bool(application.get("IsTrusted")),
            }

    def prepare(
        self, letter: Mapping[str, Any], wish: Wish, profile: str, spool: Path, *, again: bool
    ) -> dict[str, Any]:
        """Save a draft of *letter* that goes by the account that *wish* chooses; return its EntryID and the account.

        Args:
            letter: As `Spool.holding` gives it, with `key` and `on_behalf`.
            wish: Which account sends.
            profile: The profile to log on to; "" for the one that is open, or the default.
            spool: Where the letter's bodies and files are.
            again: Whether an earlier try may have left a draft, which is discarded first.

        Raises:
            Problem: There is no draft, and why.
        """
        self._draft, self._profile, self._spool = None, profile, spool
        with self._told("start"):
            try:
                return self._prepared(letter, wish, again=again)
            except ComError as error:
                if error.code not in GONE:
                    raise
            self._application = None  # it was closed since: once more, by an Outlook that is started for it
            return self._prepared(letter, wish, again=True)

    def submit(self) -> dict[str, Any]:
        """Send the draft, once. Only what a busy Outlook refused before it ran is called again.

        Raises:
            Problem: Of the step `send`; `kept` says whether the draft was seen to be unsent afterwards.
        """
        draft, self._draft = self._draft, None
        if draft is None:
            raise Problem("no-draft", step="send")
        try:
            draft.call("Send")
        except ComError as error:
            kept = None if error.code in GONE else _is_kept(draft)
            if kept:
                _discard(draft)
            raise _problem(error, "send", kept=kept) from None
        return {}

    def discard(self) -> dict[str, Any]:
        """Remove the draft that is in hand, if there is one."""
        draft, self._draft = self._draft, None
        if draft is not None:
            _discard(draft)
        return {}

    def find(self, key: str, account: str, profile: str) -> dict[str, Any]:
        """Return where the mail of *key* lies: `sent`, `outbox`, `draft` (removed by now) or `nowhere`."""
        with self._told("look"):
            self._profile = profile
            return {"where": where(self._session(), key, account)}

    def _prepared(self, letter: Mapping[str, Any], wish: Wish, *, again: bool) -> dict[str, Any]:
        session = self._session()
        self._step = "account"
        accounts = self._accounts(session)
        account = chosen(accounts, wish)
        if again:
            self._step = "look"
            discarded(session, str(letter["key"]))
        self._step = "content"
        item = self._opened().call("CreateItem", 0)
        try:
            filled(item, letter, self._spool)
            self._step = "account"
            _use(item, session, account)
            self._step = "save"
            item.call("Save")
            self._draft = item
            return {"entry_id": str(item.get("EntryID")), "account": account.label, "kind": account.kind}
        except BaseException:
            _discard(item)
            raise

    def _opened(self) -> Patient:
        if self._application is None:
            found = self._patience.with_busy(self._activate, also=STARTING)
            self._application = Patient(found, self._patience)
        return self._application

    def _session(self) -> Patient:
        """Return the session, logged on to the profile without any dialog; once more where Outlook was closed since."""
        return self._once_more(self._logged_on)

    def _logged_on(self) -> Patient:
        self._step = "start"
        session: Patient = self._opened().call("GetNamespace", "MAPI")
        self._step = "profile"
        session.call("Logon", self._profile, "", False, False)
        return session

    def _once_more(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ComError as error:
            if error.code not in GONE:
                raise
        self._application = None
        return call()

    def _accounts(self, session: Patient) -> list[OutlookAccount]:
        found = enumerate(members(session.get("Accounts")), 1)
        return [_account(one, number) for number, one in found]

    @contextlib.contextmanager
    def _told(self, step: str) -> Iterator[None]:
        self._step = step
        try:
            yield
        except ComError as error:
            raise _problem(error, self._step) from None
        except (AttributeError, TypeError):
            raise Problem("answer-missing", step=self._step) from None  # nothing in the place of an object
        except Problem as problem:
            problem.step = problem.step or self._step
            raise


def _problem(error: ComError, step: str, *, kept: bool | None = None) -> Problem:
    return Problem("com", step=step, code=error.code, kept=kept, said=error.text)


def _account(account: Patient, number: int) -> OutlookAccount:
    kind = KINDS.get(account.get("AccountType"), "other")
    return OutlookAccount(number, kind, _address(account), str(account.get("DisplayName") or ""))


def _address(account: Patient) -> str:
    """Return its address, or "" where the object model guard does not tell it."""
    try:
        return str(account.get("SmtpAddress") or "")
    except ComError as error:
        if error.code != ABORTED:
            raise
        return ""


def _use(item: Patient, session: Patient, account: OutlookAccount) -> None:
    """Let *item* go by *account*: by reference, and read back, since a put is ignored in silence (pywin32 1862)."""
    item.putref("SendUsingAccount", session.get("Accounts").call("Item", account.number))
    used = item.get("SendUsingAccount")
    if used is None or _account(used, account.number) != account:
        raise Problem("account-not-kept", wanted=account.label)


def _is_kept(draft: Patient) -> bool | None:
    """Whether Outlook says that *draft* was not submitted; None where it does not say."""
    try:
        return not (draft.get("Submitted") or draft.get("Sent"))
    except ComError:
        return None


def _discard(item: Patient) -> None:
    with contextlib.suppress(ComError):  # what can't be removed is found and removed by the next look
        if item.get("EntryID"):
            item.call("Delete")
        else:
            item.call("Close", 1)
