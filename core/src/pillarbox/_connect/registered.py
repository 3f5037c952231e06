"""A connector with the registration that `[apps]` has for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from .. import _log
from .._connectors import App, Connected, Connection, Connector, Pending, Prompt, Refused, SignIn
from .._errors import InvalidSettings, PillarboxError, SettingsError, Unavailable, quotation
from .._plugins import Plugins
from .._route import Finding, Level
from .._schema import form, structure
from .._vault import Credentials
from . import pending

T = TypeVar("T")
SHORTEST, LONGEST = 0.01, 120.0
"""Seconds between two polls."""


@attrs.frozen
class Registered:
    """A connector and its registration.

    Attributes:
        name: What the entry point is called.
        connector: The plugin's.
        app: The registration.
    """

    name: str
    connector: Connector
    app: App

    @property
    def label(self) -> str:
        """What people call the provider."""
        return self.connector.label or self.name

    def start(self, asked: SignIn) -> Prompt:
        """See `Connector`; whatever it raises that is not pillarbox's own is its fault, and told as such."""
        return self._asked(lambda: _sound(self.connector.start(self.app, asked)), Prompt)

    def finish(
        self, asked: SignIn, kept: bytes, callback: Mapping[str, str] | None
    ) -> Connected | Pending | Refused:
        """See `Connector`; what the provider says is fit to be shown to a person."""
        kinds = (Connected, Pending, Refused)
        answer = self._asked(lambda: self.connector.finish(self.app, asked, kept, callback), *kinds)
        if isinstance(answer, Pending):
            return Pending(_interval(answer.interval))
        if not isinstance(answer, Refused):
            return answer
        who, said = quotation(answer.signed_in_as), quotation(answer.detail)
        wanted = answer.wanted or asked.account.signs_in_as
        return attrs.evolve(answer, wanted=wanted, signed_in_as=who, detail=said)

    def wanted(self, asked: SignIn) -> tuple[str, ...]:
        """See `Connector`."""
        return self._asked(lambda: tuple(self.connector.wanted(self.app, asked)), tuple)

    def consent_url(self, redirect_uri: str, state: str) -> str | None:
        """See `Connector`."""
        return self._asked(lambda: self.connector.consent_url(self.app, redirect_uri, state), str, type(None))

    def checked(self, connection: Connection | None, mailbox: str) -> Iterator[Finding]:
        """Yield what the connector finds of the registration; where it has no look of its own, that it is complete."""
        count = 0
        try:
            for finding in self.connector.check(self.app, connection, mailbox=mailbox):
                count += 1
                yield finding
        except PillarboxError as error:
            yield _broke_off(error.detail, error.cure, error.exit_code)
        except Exception as error:  # noqa: BLE001  (a plugin's fault is a finding, not a crash)
            yield _broke_off(
                f"{self.label}'s look broke off: {type(error).__name__}", "", Unavailable.exit_code
            )
        else:
            if not count:
                seen = f"[apps.{self.name}] is complete"
                yield Finding("registration", Level.OK, "registration-ok", seen)

    def revoke(self, secret: bytes) -> bool:
        """Return whether the provider was told that the grant is over; raises nothing."""
        try:
            return self._asked(lambda: bool(self.connector.revoke(self.app, secret)), bool)
        except PillarboxError as error:
            _log.event("warning", "pillarbox.not_revoked", connector=self.name, error=type(error).__name__)
        return False

    def _asked(self, question: Callable[[], T], *kinds: type) -> T:
        """Return the answer, which is one of *kinds*; nothing of what a plugin raises is passed on but its class."""
        try:
            answer = question()
        except PillarboxError:
            raise
        except Exception as error:  # noqa: BLE001  (a plugin may raise anything, and its text may hold secrets)
            problem = type(error).__name__
        else:
            if isinstance(answer, kinds):
                return answer
            problem = f"an answer of the type {type(answer).__name__}"
        raise Unavailable(f"{self.label} failed with {problem}.", cure="It is a fault of the connector.")

    def token(self, credentials: Credentials, purpose: str, host: str) -> str:
        """Return a token for *purpose*, which will be shown to *host*.

        A person's settings may name the host, and whoever has the token has the mailbox: so the connector says where
        its tokens go.

        Raises:
            SignInNeeded, SendDeferred: As `Connector.token`.
            SettingsError: It may not be shown to *host*.
        """
        known = self.connector.hosts(self.app, purpose)
        if host and known is not None and host.lower().rstrip(".") not in map(str.lower, known):
            raise SettingsError(
                f"A sign-in by {self.label} is shown to {' and '.join(known)} alone, not to {host}.",
                cure=f"Set that server; or have the deployer add this one to hosts in [apps.{self.name}].",
            )
        return self.connector.token(self.app, credentials, purpose)


def _sound(prompt: Prompt) -> Prompt:
    """Return *prompt* fit to be followed: some of it are a provider's words, and a host opens, shows and waits by them.

    Raises:
        Unavailable: What is to be opened is no page.
    """
    if prompt.url is not None and not prompt.url.startswith(("https://", "http://")):
        raise Unavailable("The provider names a page to sign in that is none.", cure="Check [apps].")
    lifetime = prompt.expires_in if 0.0 < prompt.expires_in < pending.LIFETIME else pending.LIFETIME
    code = prompt.code and quotation(prompt.code)
    kept, interval = bytes(prompt.kept), _interval(prompt.interval)
    return attrs.evolve(prompt, code=code, interval=interval, expires_in=lifetime, kept=kept)


def _interval(said: float) -> float:
    """Return the seconds between two polls; where what the provider *said* is none, what a provider need not say."""
    return said if SHORTEST <= said <= LONGEST else Pending().interval


def _broke_off(seen: str, cure: str, code: int) -> Finding:
    return Finding("registration", Level.FAIL, "registration-check-failed", seen, cure, exit_code=code)


def registered(name: str, plugins: Plugins, apps: Mapping[str, Any]) -> Registered:
    """Return the connector *name* with its registration in *apps*.

    Raises:
        Unavailable: It is not installed.
        InvalidSettings: The registration is missing, or can't be used.
    """
    connector = plugins.connector(name)
    cls, table = connector.app_class(), apps.get(name, {})
    if cls is None:
        return Registered(name, connector, App(table))
    try:
        return Registered(name, connector, App(structure(cls, table, f"apps.{name}")))
    except InvalidSettings as error:
        if not table:
            raise _unregistered(name, connector) from None
        raise error from None


def _unregistered(name: str, connector: Connector) -> SettingsError:
    cls = connector.app_class()
    wanted = [field.name for field in form(cls) if field.required] if cls is not None else []
    what = " and ".join(wanted) or "what the provider gave you"
    return SettingsError(
        f"No registration with {connector.label or name} is set, so nobody can connect.",
        cure=f"Register the application there once, and set {what} in [apps.{name}].",
    )
