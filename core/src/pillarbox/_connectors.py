"""The sign-in by OAuth 2: what a connector is, what core asks of it, and the one way to a token."""

from __future__ import annotations

import abc
import enum
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import attrs

from ._declared import settings_class
from ._errors import SendDeferred, SettingsError, SignInNeeded, quotation
from ._route import Finding
from ._schema import Secret, at
from ._settings import Account, secrets_of
from ._vault import AGAIN, CONNECT, NEVER, Credentials, Stored, from_environment, from_file

MARGIN = 300.0
"""Seconds before its end at which a token is replaced: what is begun with it has to end with it."""
LATER = 600.0
"""Seconds for which nobody asks again after the provider refused the registration, whoever's account it is."""


class Grant(enum.Enum):
    """What a person allows when they connect (rule 23)."""

    SEND = "send"
    """To send, and nothing else: whether a mail of which no answer came was sent can't be looked up."""
    CONFIRM = "confirm"
    """To send, and to look whether it was sent."""


@attrs.frozen
class App:
    """A provider's registration, once for a deployment: `[apps.<name>]`. Users never see it.

    Attributes:
        settings: An instance of the connector's own class; the table as it stands, for a connector that declares none.
    """

    settings: Any

    def secret(self, field: str) -> str:
        """Return the secret that *field* refers to.

        Raises:
            SettingsError: There is none, or the reference can't be followed.
        """
        reference = at(self.settings, field)
        if not isinstance(reference, Secret):
            raise SettingsError(f"The registration has no {field}.", cure=f"Set {field} in [apps].")
        if reference.vault:
            raise SettingsError(
                f"The {field} of a registration is the deployer's, and lies in no vault.",
                cure='Refer to it as { env = "NAME" } or { file = "PATH" }.',
            )
        return from_environment(reference.env) if reference.env else from_file(reference.file)


@attrs.frozen(kw_only=True)
class SignIn:
    """One sign-in as core asks a connector for it.

    Attributes:
        account: Whose; `signs_in_as` is who has to.
        grant: What is asked for.
        purpose: What the token is for: `send` by the provider's own interface, `smtp` for SMTP and IMAP.
        redirect_uri: Where the provider sends the person back to; None asks for a code to type (RFC 8628).
        state: The `state` parameter (RFC 6749, section 10.12), made by core: unguessable and used once.
    """

    account: Account
    grant: Grant = Grant.SEND
    purpose: str = "send"
    redirect_uri: str | None = None
    state: str = attrs.field(default="", repr=False)


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class Connection:
    """What a sign-in learned: the half of a vault row that may be read.

    Attributes:
        issuer, tenant, subject: Who signed in, pinned (rule 37).
        address: The verified address; shown, not trusted.
        scopes: What was granted.
        aliases: The addresses the account may show, where the grant lets it list them.
        connected_at: ISO 8601, UTC.
        grant: What was asked for: `send` or `confirm`.
        purpose: What it is for: `send` or `smtp`.
        connector: Whose sign-in it is, by its name; core writes it down.
        refused: Why the provider gives no more tokens, a sentence; "" while it does.
        refused_until: Until when nobody asks it again, in seconds since 1970; 0 until somebody connects again.
    """

    issuer: str
    subject: str
    tenant: str = ""
    address: str = ""
    scopes: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    aliases: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    connected_at: str = ""
    grant: str = ""
    purpose: str = ""
    connector: str = ""
    refused: str = ""
    refused_until: float = 0.0


@attrs.frozen(kw_only=True)
class Prompt:
    """What a person has to do to sign in; nothing, where it has neither an URL nor a code.

    Attributes:
        url: A page to open, or None.
        code: A code to enter there (RFC 8628), or None.
        interval: Seconds between two polls, where there is a code.
        expires_in: Seconds in which it has to be done.
        state: Names the sign-in, for the host alone; the redirect brings it along.
        kept: What the connector needs to finish; core seals it and shows it to nobody.
    """

    url: str | None = attrs.field(default=None, repr=False)
    code: str | None = None
    interval: float = 5.0
    expires_in: float = 600.0
    state: str = attrs.field(default="", repr=False)
    kept: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Pending:
    """The person has not finished yet; ask again after `interval` seconds."""

    interval: float = 5.0


class RefusedReason(enum.Enum):
    """Why a sign-in ended without a connection."""

    CANCELLED = "cancelled"
    EXPIRED = "expired"
    WRONG_ACCOUNT = "wrong account"
    OTHER_PERSON = "another person"
    SCOPE_MISSING = "scope missing"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Refused:
    """A sign-in that ended without a connection; nothing is stored.

    Attributes:
        reason: Why.
        wanted: Who should have signed in.
        signed_in_as: Who did.
        missing: The scopes that were not granted.
        detail: The provider's words, or "".
        cure: What to do, a sentence.
    """

    reason: RefusedReason
    wanted: str = ""
    signed_in_as: str = ""
    missing: tuple[str, ...] = ()
    detail: str = ""
    cure: str = ""

    @property
    def sentence(self) -> str:
        """Why it came to nothing, for the person who signed in."""
        who, wanted = self.signed_in_as or "somebody else", self.wanted or "another account"
        said = f" ({self.detail})" if self.detail else ""
        sentences = {
            RefusedReason.CANCELLED: f"The sign-in was cancelled{said}.",
            RefusedReason.EXPIRED: f"The sign-in took too long, was finished already, or was begun by somebody else{said}.",
            RefusedReason.WRONG_ACCOUNT: f"{who} signed in, and the account is {wanted}.",
            RefusedReason.OTHER_PERSON: f"{who} is not the person who connected this account before.",
            RefusedReason.SCOPE_MISSING: f"{who} did not allow all that is needed: {', '.join(self.missing)}.",
            RefusedReason.FAILED: f"The provider refused the sign-in{said}.",
        }
        return sentences[self.reason]

    def __str__(self) -> str:
        return f"{self.sentence} {self.cure}".strip()


@attrs.frozen(kw_only=True)
class Connected:
    """A sign-in that succeeded, as far as the connector can tell: what it learned, and the secret to seal."""

    connection: Connection
    secret: bytes = attrs.field(repr=False)


@attrs.frozen
class Held:
    """An access token that is held.

    Attributes:
        token: The token.
        expires_at: When it ends, in seconds since 1970.
    """

    token: str = attrs.field(repr=False)
    expires_at: float


class Connector(abc.ABC):
    """The OAuth 2 sign-in of one provider. Its app is registered once for a deployment, in `[apps.<name>]`.

    An annotation of `app` names the class of that table, made of attrs and `pillarbox.settings.setting`; the fields
    that say where a sign-in goes are marked `binds`. Core decides whether the right person signed in and everything was
    granted, keeps what was learned, and asks for tokens so that each expiry is refreshed once: a connector speaks with
    its provider and decides nothing.
    """

    app: Any
    label: ClassVar[str] = ""
    has_codes: ClassVar[bool] = False
    """Whether a person can sign in on another device, by a code (RFC 8628)."""

    @abc.abstractmethod
    def start(self, app: App, asked: SignIn) -> Prompt:
        """Return what the person has to do; an URL carries `asked.state`, the address to sign in with, and PKCE.

        Raises:
            SettingsError: The registration or the account can't be used for it.
            SendDeferred: The provider does not answer.
        """

    @abc.abstractmethod
    def finish(
        self, app: App, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None
    ) -> Connected | Pending | Refused:
        """Return what came of it.

        Args:
            app: The registration.
            asked: As `start` was asked.
            kept: What `start` returned as `Prompt.kept`.
            callback: The redirect's parameters; None polls, or where there was nothing to do.

        Raises:
            SettingsError: The provider refused the registration.
            SendDeferred: It does not answer.
        """

    def wanted(self, app: App, asked: SignIn) -> tuple[str, ...]:
        """Return the scopes without which the grant that was *asked* for is not worth keeping."""
        return ()

    def held(self, app: App, secret: bytes, purpose: str) -> Held | None:
        """Return the access token for *purpose* that *secret* holds, or None. Asks nobody."""
        raise NotImplementedError

    def refresh(self, app: App, secret: bytes, purpose: str) -> bytes:
        """Return the secret with a new access token for *purpose*, whatever it holds.

        Raises:
            SignInNeeded: A person has to connect again; says why.
            SettingsError: The provider refused the registration: an administrator's business.
            SendDeferred: The provider gives none now.
        """
        raise NotImplementedError

    def revoke(self, app: App, secret: bytes) -> bool:
        """Tell the provider that the grant is over; False where it has no such call.

        Raises:
            SendError: It does not answer, or refuses.
        """
        return False

    def consent_url(self, app: App, redirect_uri: str, state: str) -> str | None:
        """Return the page where an administrator allows the app for everybody, or None where there is none."""
        return None

    def hosts(self, app: App, purpose: str) -> tuple[str, ...] | None:
        """Return the only servers that a token for *purpose* may be shown to; None where core need not ask."""
        return None

    def check(self, app: App, connection: Connection | None, *, mailbox: str = "") -> Iterator[Finding]:
        """Look at the registration and what was granted, stage by stage; signs nobody in."""
        yield from ()

    def token(self, app: App, credentials: Credentials, purpose: str) -> str:
        """Return an access token for *purpose*: the one that is held, or a new one got alone among all processes.

        One that equals `credentials.refused` is replaced whatever its age. A refused refresh is noted beside the
        sign-in, so that nobody asks again with what was refused.

        Raises:
            SignInNeeded: A person has to connect again.
            SendDeferred: The provider gives none now.
        """
        return _Tokens(self, app, credentials, purpose).token()

    @classmethod
    def app_class(cls) -> type | None:
        """Return the class that the annotation of `app` names, or None where there is none."""
        return settings_class(cls, "app", Connector)


@attrs.frozen
class _Tokens:
    """How a connector's tokens are got: one refresh for one expiry, whatever the number of threads and processes."""

    connector: Connector
    app: App
    credentials: Credentials
    purpose: str
    clock: Callable[[], float] = time.time

    def token(self) -> str:
        stored = self.credentials.stored()
        if (held := self._usable(stored, MARGIN)) is not None:
            return held
        refusal: list[SignInNeeded] = []
        try:
            after = self.credentials.update(lambda now: self._refreshed(now, refusal.append))
        except TimeoutError:
            raise SendDeferred(
                "Another process has been at this sign-in for long.", stage="sign-in"
            ) from None
        if refusal:
            raise refusal[0]
        if (held := self._usable(after, 0.0)) is None:  # a provider may give tokens for less than the margin
            raise SignInNeeded("The provider gave no token that can be used.", stage="sign-in", cure=AGAIN)
        return held

    def _usable(self, stored: Stored | None, margin: float) -> str | None:
        if stored is None:
            raise SignInNeeded(NEVER, stage="sign-in", cure=CONNECT)
        _raise_if_refused(stored.connection, self.clock())
        held = self.connector.held(self.app, stored.secret, self.purpose)
        if held is None or held.token == self.credentials.refused:
            return None
        return held.token if held.expires_at > self.clock() + margin else None

    def _refreshed(
        self, stored: Stored | None, refused: Callable[[SignInNeeded], None]
    ) -> tuple[bytes, Mapping[str, Any]] | None:
        """Change what is stored *now*, under the lock: another may have refreshed it since it was looked at."""
        if self._usable(stored, MARGIN) is not None:
            return None
        assert stored is not None
        for field in secrets_of(self.app.settings):
            self.app.secret(
                field
            )  # what this process can't read is its own matter, and no word of the provider's
        try:
            secret = self.connector.refresh(self.app, stored.secret, self.purpose)
        except SignInNeeded as error:
            refused(error)
            return stored.secret, _marked(stored, error.detail, 0.0)
        except SettingsError as error:
            refused(SignInNeeded(error.detail, stage="sign-in", cure=error.cure))
            return stored.secret, _marked(stored, error.detail, self.clock() + LATER)
        return secret, _marked(stored, "", 0.0)


def _marked(stored: Stored, refused: str, until: float) -> Mapping[str, Any]:
    """Return what is known of a sign-in, with why the provider gives no more tokens, if it does not."""
    return {**stored.connection, "refused": quotation(refused), "refused_until": until}


def _raise_if_refused(connection: Mapping[str, Any], now: float) -> None:
    why, until = str(connection.get("refused", "")), float(connection.get("refused_until", 0.0))
    if why and not until:
        raise SignInNeeded(why, stage="sign-in", cure=AGAIN)
    if why and now < until <= now + LATER:  # later than that it was written by a clock that was ahead
        raise SignInNeeded(
            why, stage="sign-in", cure="Mend the registration in [apps]; it is tried again by itself."
        )
