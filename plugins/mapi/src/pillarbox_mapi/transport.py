"""The transport: sends by the Outlook of this computer, through a worker process, and tells by the step what became of it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from pillarbox import (
    Capabilities,
    Connection,
    Copy,
    CopyState,
    Description,
    Finding,
    Journal,
    Limits,
    PillarboxError,
    Receipt,
    SenderMismatch,
    SenderPolicy,
    Sighting,
    SightingState,
    Submission,
    Transport,
    Unavailable,
)

from .accounts import Wish
from .settings import Interface, MapiSettings

if TYPE_CHECKING:
    from .host import Host
    from .letter import Letter

ENTRY_ID, ACCOUNT = "entry_id", "account"
"""The journal's notes: Outlook's name for the draft, which changes when it moves; and the account that sends it."""
_PER_OCTET = 1e-6
_WAITS = "submitted to Outlook's Outbox"


class MapiTransport(Transport):
    """Sends by the Outlook of this computer. See `Transport` for what each method promises."""

    settings: MapiSettings
    label: ClassVar[str] = "Microsoft Mail (Outlook)"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.CLIENT
    takes_envelope: ClassVar[bool] = False
    saves_copy: ClassVar[bool] = True
    platforms: ClassVar[tuple[str, ...]] = ("win32",)
    marks_hand_over: ClassVar[bool] = True
    _opened: Host | None = None

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once; see `Transport.send`."""
        self.require_platform(self.settings)
        letter = self._letter(submission)
        with self.host.spool.holding(letter) as written:  # Simple MAPI's programs read the files in Send
            account = self._prepared(submission, letter, written, journal)
            with self._discarding(journal), journal.handing_over():
                self._ask("submit", self.settings.send_timeout, "send")
        if self._is_simple:
            return self._by_program(submission, account, letter)
        return self._receipt(submission, account, f"{_WAITS}{letter.without}")

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look in Outlook's Drafts, Outbox and Sent Items for the submission's key; see `Transport.find`."""
        if self._is_simple:
            return Sighting(
                SightingState.UNCLEAR, detail="Simple MAPI can't look what was sent.", is_final=True
            )
        account = journal.notes.get(ACCOUNT, "")
        try:
            self.require_platform(self.settings)
            found = self._ask("find", self._patient, "look", key=submission.key, account=account)
        except PillarboxError as error:
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error}")
        return self._sighting(submission, account, str(found.get("where")))

    def check(self) -> Iterator[Finding]:
        """Look at this computer, then at the Outlook that runs; nothing is sent. See `Transport.check`."""
        from .check import looked_at

        yield from looked_at(self)

    def close(self) -> None:
        """End the worker; see `Transport.close`."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    @classmethod
    def require_platform(cls, settings: Any = None) -> None:
        """Do nothing on Windows, or where the settings name a worker that may run on one.

        Raises:
            Unavailable: Neither.
        """
        if sys.platform != "win32" and not getattr(settings, "worker_command", ()):
            raise Unavailable(
                f"{cls.label} needs Windows with classic Outlook installed; this is {sys.platform}.",
                cure="Send from the user's Windows computer, or use Microsoft 365 or SMTP for this account.",
            )

    @classmethod
    def limits(cls, settings: MapiSettings) -> Limits:
        """Return what Outlook allows: one message at a time."""
        return Limits(concurrency=1)

    @classmethod
    def describe(cls, settings: MapiSettings) -> Description:
        """Return the account in words, without a network."""
        if settings.interface is Interface.SIMPLE:
            whose = "the default mail program"
            return Description(
                sign_in=f"uses the account of {whose}", via="Simple MAPI", copy=f"left to {whose}"
            )
        who = (
            f"Outlook's account {settings.account}"
            if settings.account
            else "the account that Outlook is set up with"
        )
        return Description(
            sign_in=f"uses {who}", via="Outlook on the user's computer", copy="filed by Outlook"
        )

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return that Outlook can be asked what it sent."""
        return Capabilities(find=True, note="Simple MAPI can't look what was sent.")

    @classmethod
    def warnings(cls, settings: MapiSettings) -> tuple[str, ...]:
        """Return what is doubtful about settings that are valid."""
        if settings.interface is Interface.SIMPLE:
            from .simple_letter import doubts

            return tuple(doubts(settings))
        by_smtp = sorted({"imap", "pop3"} & set(settings.accept))
        if not by_smtp:
            return ()
        kinds = " or ".join(by_smtp)
        return (f"An Outlook account of the kind {kinds} sends by SMTP; the SMTP method tells more.",)

    def _letter(self, submission: Submission) -> Letter:
        """Return what is sent of *submission*.

        Raises:
            MessageError: The interface can't carry all of it, and the settings are not lossy.
            SettingsError: Simple MAPI can't send as it is asked to.
        """
        from .letter import Letter
        from .simple_letter import narrowed, require_sender

        letter = Letter.of(submission, lossy=self.settings.lossy)
        if not self._is_simple:
            return letter
        require_sender(self.settings, self.wish(submission.from_header or ""))
        return narrowed(letter, self.settings)

    def _prepared(
        self, submission: Submission, letter: Letter, written: dict[str, Any], journal: Journal
    ) -> str:
        """Save the draft, of which the spool has *written* the files, and note it; return the account that will send."""
        ready = self._ask(
            "prepare",
            self._patient + letter.size * _PER_OCTET,
            "prepare",
            letter={**written, "key": submission.key, "on_behalf": self.settings.on_behalf},
            wish=attrs.asdict(self.wish(submission.from_header or "")),
            again=ENTRY_ID in journal.notes,
        )
        account = str(ready.get("account", ""))
        with self._discarding(journal):
            journal.note(ENTRY_ID, str(ready.get("entry_id", "")))
            journal.note(ACCOUNT, account)
        return account

    def wish(self, shown: str) -> Wish:
        """Return which account has to send: a personal one its owner's, `require_match` the one that is shown.

        Raises:
            SenderMismatch: The user's address has to match, and there is none.
        """
        settings, account = self.settings, self.account
        personal = account is not None and account.owner.startswith("user:")
        must_be = (
            account.mailbox if personal and account is not None else shown if settings.require_match else ""
        )
        if settings.require_match and not must_be:
            raise SenderMismatch(
                "Only the user's own account may send, and the user has no address.",
                cure="Set the user's address.",
            )
        return Wish(account=settings.account, must_be=must_be, accept=settings.accept)

    @property
    def _is_simple(self) -> bool:
        return self.settings.interface is Interface.SIMPLE

    @contextlib.contextmanager
    def _discarding(self, journal: Journal) -> Iterator[None]:
        """Remove the draft where the block is left before the hand-over."""
        try:
            yield
        except BaseException:
            if not journal.handed_over:
                with contextlib.suppress(PillarboxError):
                    self._ask("discard", self.settings.call_timeout, "discard")
            raise

    def _sighting(self, submission: Submission, account: str, where: str) -> Sighting:
        match where:
            case "sent":
                word = self._receipt(submission, account, "seen in Outlook's Sent Items")
                return Sighting(SightingState.SENT, word)
            case "outbox":
                return Sighting(SightingState.SENT, self._receipt(submission, account, _WAITS))
            case "draft":
                return Sighting(SightingState.ABSENT, detail="It was still a draft; the draft was removed.")
        return Sighting(
            SightingState.UNCLEAR, detail="It is neither in Outlook's Drafts nor in Outbox nor in Sent Items."
        )

    def _receipt(self, submission: Submission, account: str, detail: str) -> Receipt:
        return Receipt(
            submission.message_id,
            sender=account or "Outlook's own account",
            submitted_only=True,
            detail=detail,
            copy=Copy(CopyState.BY_CARRIER, "Outlook"),
        )

    @property
    def _who(self) -> str:
        return "the mail program" if self._is_simple else "Outlook"

    def _by_program(self, submission: Submission, program: str, letter: Letter) -> Receipt:
        """Return the receipt of what Simple MAPI's mail *program* took: it shows no account, and says of no copy."""
        return Receipt(
            submission.message_id,
            sender=f"{program}'s own account",
            submitted_only=True,
            detail=f"taken by {program}{letter.without}",
            copy=Copy(CopyState.UNCLEAR, program, "Simple MAPI does not tell."),
        )

    def look(self) -> dict[str, Any]:
        """Return what the worker says of its computer; nothing is started but the worker."""
        return self._ask("look", self.settings.attach_timeout, "look")

    def attach(self) -> dict[str, Any]:
        """Return what the worker says of the Outlook that runs.

        Raises:
            Problem: Outlook can't be asked.
            PillarboxError: The worker can't.
        """
        from .host import WorkerFault
        from .meanings import error_of_fault

        try:
            return self.host.ask("attach", self._patient, **self._about())
        except WorkerFault as fault:
            error = error_of_fault(fault, "attach", who=self._who)
        raise error

    @property
    def shown(self) -> str:
        """The address that mail shows by the route that `check` is asked about, or ""."""
        return self.route.from_address.wire if self.route and self.route.from_address else ""

    @property
    def _patient(self) -> float:
        return self.settings.attach_timeout + self.settings.call_timeout

    @property
    def host(self) -> Host:
        """The worker's host, made when it is first needed."""
        if self._opened is None:
            from .host import Host

            self._opened = Host(self.settings.worker_command, trace=self.trace)
        return self._opened

    def _about(self) -> dict[str, str]:
        return {"interface": self.settings.interface.value, "profile": self.settings.profile}

    def _ask(self, op: str, seconds: float, step: str, **fields: Any) -> dict[str, Any]:
        """Ask the worker; what it could not do is an error by the step.

        Raises:
            PillarboxError: As `meanings` says.
        """
        from .host import WorkerFault
        from .meanings import error_of, error_of_fault
        from .problems import Problem

        try:
            return self.host.ask(op, seconds, **self._about(), **fields)
        except Problem as problem:
            error = error_of(problem)
        except WorkerFault as fault:
            error = error_of_fault(fault, step, who=self._who)
        raise error
