"""The transport: submits by Microsoft Graph and looks what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from pillarbox import (
    Capabilities,
    Connection,
    Credentials,
    Description,
    Finding,
    Journal,
    Limits,
    Outbound,
    Proof,
    Receipt,
    SenderPolicy,
    SettingsError,
    Sighting,
    SightingState,
    SignInNeeded,
    Submission,
    Transport,
)

from . import scopes
from .settings import M365Settings, Mode

if TYPE_CHECKING:
    from .graph import Graph

CONCURRENCY = 2
"""Requests at once for one mailbox; Graph answers 429 from the fifth on."""
PER_MINUTE = 28
"""Messages a minute; Exchange Online allows 30."""
RECIPIENTS = 500
"""Of one message, as Exchange Online allows by default."""
_SENDS_ONLY = (
    "The connection may only send, so it can't be looked up whether a message in doubt was sent. Connect with send and"
    " confirm to have it looked up."
)


class M365Transport(Transport):
    """Submits by Microsoft Graph. See `Transport` for what each method promises."""

    settings: M365Settings
    label: ClassVar[str] = "Microsoft 365"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.ACCOUNT
    takes_envelope: ClassVar[bool] = False
    saves_copy: ClassVar[bool] = True
    connector: ClassVar[str] = "m365"
    marks_hand_over: ClassVar[bool] = True

    def __init__(
        self,
        settings: Any,
        credentials: Credentials | None = None,
        *,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(settings, credentials, trace=trace)
        self._kept: Graph | None = None

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once: by a draft where the connection may keep one, else in one request.

        Raises:
            SendRejected, SendDeferred, SignInNeeded, OutcomeUnknown, MessageError, SettingsError: As `Transport.send` says.
        """
        from . import direct, drafts, fields, parts
        from .looking import READY

        fields.require_all(parts.header_of(submission), submission)
        graph, as_mime = self._graph(), self._is_own(submission.from_header)
        if self._can_look() or journal.notes.get(READY):
            return drafts.submit(graph, submission, journal, as_mime=as_mime)
        return direct.submit(graph, submission, journal, as_mime=as_mime, save_sent=self.settings.save_sent)

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look by the draft that was noted, then in Sent Items; see `Transport.find`."""
        try:
            seen = self._looked(submission, journal)
        except Exception as error:  # noqa: BLE001  (a look that fails is unclear, whatever fails)
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {type(error).__name__}.")
        redact = self.credentials.redact if self.credentials else str
        return attrs.evolve(seen, detail=redact(seen.detail))

    def check(self) -> Iterator[Finding]:
        """Look at the sign-in, the mailbox and what was granted; see `Transport.check`."""
        from .checks import look_at

        yield from look_at(self._graph, self._scopes, self._mailbox, self._shown())
        if self._kept is not None:
            self.tell_clock(self._kept.date)

    def may_show(self, address: str) -> Proof | None:
        """Return that the mailbox may show its own address; of others only sending tells."""
        return Proof("same mailbox") if self._is_own(address) else None

    def close(self) -> None:
        """Let the connection go."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def _looked(self, submission: Submission, journal: Journal) -> Sighting:
        from .looking import BEGUN, READY, look

        if not self._can_look():
            return Sighting(SightingState.UNCLEAR, detail=_SENDS_ONLY, is_final=True)
        return look(self._graph(), submission, journal.notes.get(READY) or journal.notes.get(BEGUN, ""))

    def _graph(self) -> Graph:
        from .graph import Graph, segment

        if self._kept is None:
            if self.app is None:
                raise SettingsError(
                    "No registration with Microsoft 365 is set.", cure="Fill in [apps.m365]; see the guide."
                )
            owner = f"users/{segment(self._mailbox)}" if self._is_others else "me"
            self._kept = Graph(self.app.settings, self.credentials, owner, self.settings.timeout, self.trace)
        return self._kept

    @property
    def _mailbox(self) -> str:
        return (self.account.mailbox if self.account else "") or self.settings.mailbox

    @property
    def _is_others(self) -> bool:
        """Whether the mailbox is not the one of who signed in."""
        if self.settings.mode is Mode.APP:
            return True
        signs_in_as = (self.account.signs_in_as if self.account else "") or self.settings.signs_in_as
        return bool(signs_in_as) and signs_in_as.casefold() != self._mailbox.casefold()

    def _is_own(self, address: str | None) -> bool:
        return address is None or not self._mailbox or address.casefold() == self._mailbox.casefold()

    def _shown(self) -> str:
        shown = self.route.from_address if self.route else None
        return shown.wire if shown else self._mailbox

    def _scopes(self) -> tuple[str, ...]:
        """Return what the connection was granted.

        Raises:
            SignInNeeded: There is none.
        """
        stored = self.credentials.stored() if self.credentials else None
        if stored is None:
            raise SignInNeeded("This account was never connected.", stage="sign-in", cure="Connect it.")
        return tuple(stored.connection.get("scopes", ()))

    def _can_look(self) -> bool:
        return scopes.can_look(self._scopes())

    @classmethod
    def limits(cls, settings: Any) -> Limits:
        """Return what Exchange Online allows a mailbox; how large a message may be depends on what was granted."""
        return Limits(concurrency=CONCURRENCY, per_minute=PER_MINUTE, recipients=RECIPIENTS)

    @classmethod
    def outbound(cls, settings: Any) -> Outbound:
        """Return the name by which domains include Microsoft's worldwide servers in SPF (https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure)."""
        return Outbound(include="spf.protection.outlook.com")

    @classmethod
    def describe(cls, settings: Any) -> Description:
        """Return the account in words."""
        who = settings.signs_in_as or settings.mailbox
        as_app = settings.mode is Mode.APP
        signs_in = "signs in as the registered application" if as_app else f"signs in as {who}" if who else ""
        sends = (
            f", for {settings.mailbox}" if settings.mailbox and (as_app or settings.mailbox != who) else ""
        )
        return Description(
            sign_in=f"{signs_in}{sends}", via="Microsoft Graph, TLS required", copy="filed by Microsoft 365"
        )

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return whether it can look, and how large a message may be, by what was granted."""
        if connection is None:
            return Capabilities(note="The account is not connected.", size=scopes.LARGEST_REQUEST)
        if scopes.can_look(connection.scopes):
            return Capabilities(find=True, send_as=True)
        return Capabilities(send_as=True, note=_SENDS_ONLY, size=scopes.LARGEST_REQUEST)
