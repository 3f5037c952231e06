"""What a mailer does to sign an account in: begins it, finishes it, and ends it again."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import attrs

from . import _log, _secrets
from ._accounts import account_of
from ._connect import pending
from ._connect.judging import judged
from ._connect.registered import Registered, registered
from ._connectors import (
    Connected,
    Connection,
    Grant,
    Pending,
    Prompt,
    Refused,
    RefusedReason,
    SignIn,
)
from ._directory import Directory
from ._errors import PillarboxError, SettingsError
from ._plugins import Plugins
from ._records import refuse_actor
from ._schema import SIGN_IN
from ._settings import Account, Actor, Company, User
from ._vault import Vault

LONGEST_CALLBACK = 16_384
"""Octets of a redirect; more is none."""
_STATE_OCTETS = 32


class Connecting:
    """The half of a `Mailer` that connects accounts to Microsoft 365, Gmail, or what a plugin brings."""

    directory: Directory
    vault: Vault | None
    _apps: dict[str, Any]

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

        def _try_to_resume(self, record: Company | User, company: str | None) -> None: ...

    def connect(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        by: Actor,
        grant: Grant | str = Grant.CONFIRM,
        redirect_uri: str | None = None,
    ) -> Prompt:
        """Begin to sign in the account of *user*, or the company's, and return what the person has to do.

        A host with pages opens `url` and hands the redirect's parameters to `finish_connect`. With a `code` the person
        enters it at `url` on any device, and the host calls `finish_connect({"state": prompt.state})` every `interval`
        seconds. With neither nobody has to do anything, and it is called at once. `connect_here` does all of it on a desktop.

        Args:
            user: Whose personal account; None for the company's.
            company: Which, where the directory knows several.
            by: Who asks; nobody else can finish it.
            grant: What is asked for: `confirm` also lets it be looked up whether a mail was sent.
            redirect_uri: The host's own page, as it was registered; None asks for a code.

        Raises:
            SettingsError: The account can't be connected: no such method, no registration, not *by* whom it may be.
            Unavailable: The method, its connector or a vault is not installed.
            SendDeferred: The provider does not answer.
        """
        record, account = self._to_connect(user, company)
        refuse_actor(record, by)
        known, vault = self._registered_for(account), _secrets.required(self.vault)
        asked = SignIn(
            account=account,
            grant=Grant(grant),
            purpose=self._purpose(account),
            redirect_uri=redirect_uri,
            state=secrets.token_urlsafe(_STATE_OCTETS),
        )
        prompt = known.connector.start(known.app, asked)
        lifetime = min(prompt.expires_in, pending.LIFETIME)
        wish = pending.Wish(
            user=user,
            company=account.company,
            destination=_secrets.sign_in_bound_to(account, known.name, known.app),
            grant=asked.grant,
            purpose=asked.purpose,
            redirect_uri=redirect_uri,
            kept=prompt.kept,
            expires_at=time.time() + lifetime,
        )
        pending.put(vault, asked.state, wish, by)
        return attrs.evolve(prompt, kept=b"", state=asked.state, expires_in=lifetime)

    def finish_connect(
        self, callback: Mapping[str, str] | str, *, by: Actor
    ) -> Connection | Pending | Refused:
        """Finish a sign-in and return what it learned; or that the person is not done; or why it came to nothing.

        Args:
            callback: The parameters of the redirect, or its whole URL as a person copied it; `{"state": ...}` alone polls.
            by: Who asks: it has to be who began it.

        Raises:
            SettingsError: The provider refused the registration, or the account is no longer what it was.
            SendDeferred: The provider does not answer; a redirect is used up, so begin again.
        """
        given = _parameters(callback)
        state, is_poll = given.get("state", ""), set(given) <= {"state"}
        vault = _secrets.required(self.vault)
        wish = pending.take(vault, state, by, once=not is_poll)
        if wish is None:
            return Refused(
                reason=RefusedReason.EXPIRED, cure="Begin again: it has to be finished in ten minutes."
            )
        record, account = self._to_connect(wish.user, wish.company)
        known = self._registered_for(account)
        if _secrets.sign_in_bound_to(account, known.name, known.app) != wish.destination:
            pending.forget(vault, state)
            raise SettingsError("The settings of the account were changed meanwhile.", cure="Connect again.")
        asked = SignIn(
            account=account,
            grant=wish.grant,
            purpose=wish.purpose,
            redirect_uri=wish.redirect_uri,
            state=state,
        )
        answer = known.connector.finish(known.app, asked, wish.kept, None if is_poll else given)
        if isinstance(answer, Pending):
            return answer
        pending.forget(vault, state)
        if isinstance(answer, Refused):
            return attrs.evolve(answer, wanted=answer.wanted or account.signs_in_as)
        return self._kept_or_refused(vault, known, asked, answer, record, by)

    def connect_here(
        self,
        user: str | None = None,
        *,
        company: str | None = None,
        by: Actor,
        grant: Grant | str = Grant.CONFIRM,
        show: Callable[[str], object] | None = None,
        timeout: float = 300.0,
    ) -> Connection | Refused:
        """Sign in on this computer: open the provider's page in a browser and wait for its redirect (RFC 8252).

        Args:
            user: As for `connect`, and so are the next three.
            company: Of which.
            by: Who asks.
            grant: What is asked for.
            show: Gets the page's URL; by default the browser opens it.
            timeout: Seconds to wait for the person.

        Raises:
            SettingsError, Unavailable, SendDeferred: As `connect` and `finish_connect`.
        """
        from ._connect import loopback

        with loopback.Listener() as listener:
            prompt = self.connect(
                user, company=company, by=by, grant=grant, redirect_uri=listener.redirect_uri
            )
            if prompt.url is None:
                answer = self.finish_connect({"state": prompt.state}, by=by)
            else:
                (show or loopback.browse)(prompt.url)
                answer = listener.wait(
                    prompt.state,
                    lambda given: self.finish_connect(given, by=by),
                    min(timeout, prompt.expires_in),
                )
        if isinstance(answer, Pending):
            return Refused(reason=RefusedReason.EXPIRED, cure="Begin again, and finish in the browser.")
        return answer

    def disconnect(self, user: str | None = None, *, company: str | None = None, by: Actor) -> bool | None:
        """End the sign-in of an account: revoke it at the provider, and destroy what is stored.

        Returns:
            Whether the provider was told; False where it has no such call, or does not answer; None where there was none.

        Raises:
            SettingsError: Not *by* whom it may be.
        """
        found, who = self.directory.look_up(user, company)
        record: Company | User = found if who is None else who
        refuse_actor(record, by)
        return self._revoke(found, record)

    def consent_url(
        self, redirect_uri: str, *, user: str | None = None, company: str | None = None, state: str = ""
    ) -> str | None:
        """Return the page where an administrator allows the app for everybody; None where the provider has none.

        Raises:
            SettingsError, Unavailable: As `connect`.
        """
        _, account = self._to_connect(user, company)
        known = self._registered_for(account)
        return known.connector.consent_url(
            known.app, redirect_uri, state or secrets.token_urlsafe(_STATE_OCTETS)
        )

    def _to_connect(self, user: str | None, company: str | None) -> tuple[Company | User, Account]:
        found, who = self.directory.look_up(user, company)
        record: Company | User = found if who is None else who
        return record, account_of(record, found, self.plugins)

    def _connector_of(self, account: Account) -> str:
        return getattr(account.settings, "sign_in", "") or self.plugins[account.method].connector

    def _purpose(self, account: Account) -> str:
        return "smtp" if getattr(account.settings, "sign_in", "") else "send"

    def _registered(self, name: str) -> Registered:
        return registered(name, self.plugins, self._apps)

    def _registered_for(self, account: Account) -> Registered:
        name = self._connector_of(account)
        if not name:
            raise SettingsError(
                f"The method {account.method} signs in with a password; there is nothing to connect.",
                cure="Choose m365 or gmail, or set sign_in for SMTP.",
            )
        return self._registered(name)

    def _kept_or_refused(
        self,
        vault: Vault,
        known: Registered,
        asked: SignIn,
        answer: Connected,
        record: Company | User,
        by: Actor,
    ) -> Connection | Refused:
        account, name = asked.account, _secrets.prefix(asked.account.company, asked.account.owner) + SIGN_IN
        with vault.lock(name):
            row = vault.rows.load(name)
            learned = {} if row is None else row.readable.get("connection", {})
            before = _secrets.connection_of(learned) if learned else None
            refused = judged(asked, before, answer.connection, known.connector.wanted(known.app, asked), by)
            if refused is None:
                now = attrs.evolve(
                    answer.connection,
                    connected_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                    grant=asked.grant.value,
                    purpose=asked.purpose,
                )
                bound = _secrets.sign_in_bound_to(account, known.name, known.app)
                version = 0 if row is None else row.version
                vault.save(name, answer.secret, bound, connection=attrs.asdict(now), version=version)
        if refused is not None:
            _try_to_revoke(known, answer.secret)
            return refused
        _log.event(
            "info", "pillarbox.connected", owner=account.owner, connector=known.name, grant=asked.grant.value
        )
        self._try_to_resume(record, account.company)
        return now

    def _revoke(self, company: Company, record: Company | User) -> bool | None:
        """End what *record* is connected to, whatever its settings say now; None where that is nothing."""
        name = _secrets.prefix(company.id, record.owner) + SIGN_IN
        row = None if self.vault is None else self.vault.rows.load(name)
        if row is None or self.vault is None:
            return None
        told = False
        bound = row.readable.get("destination", {})
        with contextlib.suppress(
            PillarboxError
        ):  # what can't be opened can't be revoked, and is destroyed all the same
            stored = self.vault.load(name, bound)
            connector = str(bound.get("connector", ""))
            if stored is not None and connector:
                told = _try_to_revoke(self._registered(connector), stored.secret)
        self.vault.delete(name)
        _log.event("info", "pillarbox.disconnected", owner=record.owner, revoked=told)
        return told


def _try_to_revoke(known: Registered, secret: bytes) -> bool:
    try:
        return known.connector.revoke(known.app, secret)
    except PillarboxError as error:
        _log.event("warning", "pillarbox.not_revoked", connector=known.name, error=type(error).__name__)
        return False


def _parameters(callback: Mapping[str, str] | str) -> dict[str, str]:
    """Return the parameters of a redirect, each of which may stand there once (RFC 6749, section 3.1)."""
    if isinstance(callback, str):
        if len(callback) > LONGEST_CALLBACK:
            return {}
        try:
            parts = urlsplit(callback.strip())
            pairs = parse_qsl(parts.query or parts.fragment, keep_blank_values=True, max_num_fields=50)
        except ValueError:
            return {}
        return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else {}
    return {str(name): str(value) for name, value in callback.items()}
