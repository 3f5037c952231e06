"""The transport: sends by the Gmail API, and tells by the stage it had reached what became of a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pillarbox import (
    Capabilities,
    Connection,
    Description,
    Finding,
    Journal,
    Limits,
    MessageError,
    Outbound,
    PillarboxError,
    Proof,
    Receipt,
    SenderMismatch,
    SenderPolicy,
    Sighting,
    SightingState,
    SignInNeeded,
    Submission,
    Transport,
)

from .app import registration
from .grants import Allowed
from .limits import LARGEST, MOST_RECIPIENTS, PER_DAY, PER_MINUTE
from .settings import GmailSettings, Mode

if TYPE_CHECKING:
    from .api import Api
    from .content import Content

_SEND_ONLY = "Send only: it can't be looked whether a mail was sent of which no answer came."


class GmailTransport(Transport):
    """Sends by the Gmail API. See `Transport` for what each method promises."""

    settings: GmailSettings
    label: ClassVar[str] = "Gmail"
    sender_policy: ClassVar[SenderPolicy] = SenderPolicy.ACCOUNT
    takes_envelope: ClassVar[bool] = False
    saves_copy: ClassVar[bool] = True
    connector: ClassVar[str] = "gmail"
    marks_hand_over: ClassVar[bool] = True
    _open: Api | None = None

    def send(self, submission: Submission, journal: Journal) -> Receipt:
        """Submit once; see `Transport.send`."""
        from .content import Content
        from .receipts import message_id, receipt

        content = Content.of(submission)
        _refuse_unfit(submission, content)
        allowed = self._allowed()
        _refuse_strange_sender(submission, allowed)
        api = self._api()
        api.begin()
        told = self._told(api, submission, content, journal, allowed)
        word = receipt(submission, told)
        journal.accepted(word)
        return receipt(submission, told, message_id(api, word.reference)) if allowed.reads else word

    def find(self, submission: Submission, journal: Journal) -> Sighting:
        """Look by the draft, and in Sent where the sign-in allows it; see `Transport.find`."""
        from .looking import looked_for

        try:
            return looked_for(submission, journal, self._api(), self._allowed())
        except PillarboxError as error:
            return Sighting(SightingState.UNCLEAR, detail=f"The look failed: {error}")

    def check(self) -> Iterator[Finding]:
        """Look stage by stage, sending nothing; see `Transport.check`."""
        from .checks import looked_at

        shown = self.route.from_address.address if self.route and self.route.from_address else ""
        api = self._api()
        yield from looked_at(api, self._allowed(), shown)
        self.tell_clock(api.date)

    def may_show(self, address: str) -> Proof | None:
        """Return how it is known that the account may show *address*: its own, or a verified alias."""
        how = self._allowed().shows(address)
        return Proof(how) if how else None

    def close(self) -> None:
        """Let the connection go; see `Transport.close`."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    @classmethod
    def limits(cls, settings: GmailSettings) -> Limits:
        """Return what Gmail allows one mailbox."""
        return Limits(
            concurrency=2,
            per_minute=PER_MINUTE,
            per_day=PER_DAY,
            recipients=MOST_RECIPIENTS,
            size=LARGEST,
        )

    @classmethod
    def outbound(cls, settings: GmailSettings) -> Outbound:
        """Return the name by which domains include Google's servers in SPF (https://support.google.com/a/answer/10684623)."""
        return Outbound(include="_spf.google.com")

    @classmethod
    def describe(cls, settings: GmailSettings) -> Description:
        """Return the account in words, without a network."""
        who = settings.signs_in_as or settings.mailbox
        if settings.mode is Mode.SERVICE:
            sign_in = f"acts for {who} by a service account" if who else "acts by a service account"
        else:
            sign_in = f"signs in with Google as {who}" if who else "signs in with Google"
        return Description(sign_in=sign_in, via="the Gmail API", copy="filed by Gmail")

    @classmethod
    def capabilities(cls, connection: Connection | None) -> Capabilities:
        """Return what the account can do, by the scopes that were granted."""
        allowed = Allowed.of(connection)
        note = "" if allowed.drafts or not allowed.sends else _SEND_ONLY
        return Capabilities(find=allowed.drafts, send_as=bool(allowed.aliases), note=note)

    def _told(
        self, api: Api, submission: Submission, content: Content, journal: Journal, allowed: Allowed
    ) -> dict[str, object]:
        from .at_once import AtOnce
        from .by_draft import ByDraft

        if allowed.drafts:
            return ByDraft(api, submission, content, journal).send()
        return AtOnce(api, content, journal).send()

    def _allowed(self) -> Allowed:
        """Return what the stored sign-in allows.

        Raises:
            SignInNeeded: There is none.
        """
        stored = self.credentials.stored() if self.credentials is not None else None
        if stored is None:
            raise SignInNeeded("This account was never connected.", stage="sign-in", cure="Connect it.")
        return Allowed.of(stored.connection)

    def _api(self) -> Api:
        if self._open is None:
            from .api import Api

            assert self.credentials is not None
            self._open = Api(registration(self.app), self.credentials, self.settings.timeout, self.trace)
        return self._open


def _refuse_unfit(submission: Submission, content: Content) -> None:
    """Refuse what the Gmail API can't take.

    Raises:
        MessageError: An address beyond ASCII, or too large.
    """
    if submission.smtputf8:
        raise MessageError(
            "An address has letters beyond ASCII before its @, which the Gmail API is not known to take.",
            cure="Use another address of that person.",
        )
    if content.size > LARGEST:
        raise MessageError(
            f"The message has {content.size:,} octets, Bcc included; Gmail takes {LARGEST:,}.",
            cure="Send less, or a link to it.",
        )


def _refuse_strange_sender(submission: Submission, allowed: Allowed) -> None:
    """Refuse an address that Gmail would replace without a word (rule 9).

    Raises:
        SenderMismatch: It is neither the mailbox nor a verified alias.
    """
    shown = submission.from_header or ""
    if not allowed.shows(shown):
        raise SenderMismatch(
            f"{allowed.address} is not known to be allowed to show {shown or 'no address'}; Gmail would replace it.",
            cure="Add it in Gmail (Settings, Accounts, Send mail as), set list_aliases in [apps.gmail] and connect"
            ' again; or set from_policy = "account".',
        )
