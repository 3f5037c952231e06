"""What a mailer does to sign an account in: begins it, finishes it, and ends it again."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from . import _log, _secrets
from ._accounts import account_of, connect_command, sign_in_of, with_connect_command
from ._connect import pending
from ._connect.callback import parameters
from ._connect.judging import judged
from ._connect.registered import Registered, registered
from ._connect.standing import Standing, found_of_grant, found_of_sign_in, grant_of, standing
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
from ._errors import Changed, PillarboxError, SendDeferred, SettingsError, SignInNeeded, Unavailable
from ._lanes import Lanes
from ._plugins import Plugins
from ._records import refuse_actor
from ._route import Finding, Level, Route
from ._schema import SIGN_IN, Role
from ._settings import Account, Actor, Company, User
from ._vault import Credentials, Refresh, Vault

_STATE_OCTETS = 32
_CHANGED = "The account was changed or removed while somebody signed in; nothing is kept."


class Connecting:
    """The half of a `Mailer` that connects accounts to Microsoft 365, Gmail, or what a plugin brings."""

    directory: Directory
    vault: Vault | None
    _apps: dict[str, Any]
    _lanes: Lanes

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

        def _try_to_resume(self, record: Company | User, company: str | None) -> None: ...

    def _clock(self) -> float:
        """Return the moment, in seconds since 1970."""
        return time.time()

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
            SettingsError: The account can't be connected: no such method, no registration, not *by* whom it may be. One
                that nobody signs in to is the deployer's alone to connect.
            Unavailable: The method, its connector or a vault is not installed.
            SendDeferred: The provider does not answer.
        """
        record, account = self._to_connect(user, company)
        refuse_actor(record, by)
        known, vault = self._registered_for(account), _secrets.required(self.vault)
        if not account.signs_in_as:
            raise SettingsError(
                f"{record} has no address, so nobody can tell who has to sign in.", cure="Give it one."
            )
        asked = SignIn(
            account=account,
            grant=_grant(grant),
            purpose=self._purpose(account),
            redirect_uri=redirect_uri,
            state=secrets.token_urlsafe(_STATE_OCTETS),
        )
        prompt = known.start(asked)
        if prompt.url is None and prompt.code is None:
            _refuse_unproven(record, by)
        now = self._clock()
        wish = pending.Wish(
            user=user,
            company=account.company,
            destination=_secrets.sign_in_bound_to(account, known.name, known.app),
            grant=asked.grant,
            purpose=asked.purpose,
            redirect_uri=redirect_uri,
            redirects=prompt.url is not None and prompt.code is None,
            kept=prompt.kept,
            expires_at=now + prompt.expires_in,
        )
        pending.put(vault, asked.state, wish, by, now)
        return attrs.evolve(prompt, kept=b"", state=asked.state)

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
        given = parameters(callback)
        state, redirected = given.get("state", ""), not set(given) <= {"state"}
        vault = _secrets.required(self.vault)
        wish = pending.take(vault, state, by, self._clock(), redirected=redirected)
        if wish is None:
            return Refused(
                reason=RefusedReason.EXPIRED, cure="Begin again: it has to be finished in ten minutes."
            )
        if wish.redirects and not redirected:
            return Pending()
        record, account = self._to_connect(wish.user, wish.company)
        known = self._registered_for(account)
        if _secrets.sign_in_bound_to(account, known.name, known.app) != wish.destination:
            pending.forget(vault, state)
            raise SettingsError(_CHANGED, cure="Connect again.")
        asked = SignIn(
            account=account,
            grant=wish.grant,
            purpose=wish.purpose,
            redirect_uri=wish.redirect_uri,
            state=state,
        )
        answer = known.finish(asked, wish.kept, given if wish.redirects else None)
        if isinstance(answer, Pending):
            return answer
        pending.forget(vault, state)
        if isinstance(answer, Refused):
            return answer
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
                listener.expect(prompt.state)
                (show or loopback.browse)(prompt.url)
                answer = listener.wait(
                    lambda given: self.finish_connect(given, by=by), min(timeout, prompt.expires_in)
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
        return known.consent_url(redirect_uri, state or secrets.token_urlsafe(_STATE_OCTETS))

    def connection(self, user: str | None = None, *, company: str | None = None) -> Connection | None:
        """Return what the sign-in of an account learned: as whom, since when, with which grant; None where there is none.

        It is that of *user*'s personal account, or the company's. Where `refused` is not empty the provider gives no more
        tokens, and somebody has to connect again.

        Raises:
            SettingsError, Unavailable: As `connect`.
        """
        _, account = self._to_connect(user, company)
        return self._standing_of(account).connection if self._connector_of(account) else None

    def connects(self, user: str | None = None, *, company: str | None = None) -> str:
        """Return at whose page the account of *user*, or the company's, is signed in, for people; "" where a password does.

        Raises:
            SettingsError, Unavailable: There is no such account, or its connector is not installed.
        """
        _, account = self._to_connect(user, company)
        name = self._connector_of(account)
        return self._registered(name).label if name else ""

    def _standing_of(self, account: Account, *, opened: bool = False) -> Standing:
        known = self._registered_for(account)
        name = _secrets.prefix(account.company, account.owner) + SIGN_IN
        bound = _secrets.sign_in_bound_to(account, known.name, known.app)
        connect = connect_command(account.owner)
        return standing(self.vault, name, bound, self._clock(), connect, opened=opened)

    def _sign_in_problem(self, owner: str, company: str) -> PillarboxError | None:
        """Return why the account of *owner* gets no token until somebody connects it, or None; opens nothing."""
        try:
            _, account = self._to_connect(owner.partition(":")[2] or None, company)
            return self._standing_of(account).problem if self._connector_of(account) else None
        except (SettingsError, Unavailable):  # told where mail is sent
            return None

    def _sign_in_findings(self, route: Route) -> Iterator[Finding]:
        """Yield what is found of registration, sign-in and grant, for an account that is connected."""
        account = route.account
        if not self._connector_of(account):
            return
        try:
            known = self._registered_for(account)
            one = self._standing_of(account, opened=True)
        except PillarboxError as error:
            yield Finding(
                "registration",
                Level.FAIL,
                "registration-unusable",
                error.detail,
                error.cure,
                0.0,
                error.exit_code,
            )
            return
        yield from known.checked(one.connection, account.mailbox)
        yield found_of_sign_in(one, self._clock())
        if one.connection is not None:
            yield from self._grant_findings(account, one.connection)

    def _grant_findings(self, account: Account, connection: Connection) -> Iterator[Finding]:
        """Yield what is found of what *connection* was granted, for *account*."""
        grant = grant_of(connection)
        if grant is not None:
            asked = SignIn(account=account, grant=grant, purpose=self._purpose(account))
            wanted = self._registered_for(account).wanted(asked)
            yield from found_of_grant(connection, wanted, connect_command(account.owner))

    def _to_connect(self, user: str | None, company: str | None) -> tuple[Company | User, Account]:
        found, who = self.directory.look_up(user, company)
        record: Company | User = found if who is None else who
        return record, account_of(record, found, self.plugins)

    def _refresh_of(self, account: Account, known: Registered) -> Refresh:
        """Return what gets a token for *account*, and names the command that connects it where one is needed."""

        def token(credentials: Credentials, purpose: str, host: str) -> str:
            try:
                return known.token(credentials, purpose, host)
            except SignInNeeded as error:
                error.cure = with_connect_command(error.cure, account.owner)
                raise

        return token

    def _connector_of(self, account: Account) -> str:
        return sign_in_of(account, self.plugins[account.method])[0]

    def _purpose(self, account: Account) -> str:
        return sign_in_of(account, self.plugins[account.method])[1]

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
        now = attrs.evolve(
            answer.connection,
            connected_at=dt.datetime.fromtimestamp(self._clock(), dt.UTC).isoformat(timespec="seconds"),
            grant=asked.grant.value,
            purpose=asked.purpose,
            connector=known.name,
        )
        bound = _secrets.sign_in_bound_to(account, known.name, known.app)
        with _alone(vault, name):
            refused = judged(asked, _before(vault, name), now, known.wanted(asked), by)
            if refused is None:
                _save(vault, name, answer.secret, bound, attrs.asdict(now))
            changed = refused is None and not self._is_still(record, account, bound)
            if changed:  # whoever is called so next shall not find it
                vault.delete(name)
        if changed or refused is not None:
            if not _is_connected(vault, now):
                known.revoke(answer.secret)
            if refused is None:
                raise SettingsError(_CHANGED, cure="Connect again.")
            return refused
        _log.event(
            "info", "pillarbox.connected", owner=account.owner, connector=known.name, grant=asked.grant.value
        )
        self._try_to_resume(record, account.company)
        return now

    def _is_still(self, record: Company | User, account: Account, bound: Mapping[str, str]) -> bool:
        """Whether *record* is still there, and its account leads where it led: else it was removed, renamed or changed."""
        user = record.id if isinstance(record, User) else None
        try:
            _, now = self._to_connect(user, account.company)
            known = self._registered_for(now)
        except (SettingsError, Unavailable):
            return False
        is_where = _secrets.sign_in_bound_to(now, known.name, known.app) == dict(bound)
        return is_where and (now.signs_in_as, now.mailbox) == (account.signs_in_as, account.mailbox)

    def _revoke(self, company: Company, record: Company | User) -> bool | None:
        """End what *record* is connected to, whatever its settings say now; None where that is nothing."""
        vault, name = self.vault, _secrets.prefix(company.id, record.owner) + SIGN_IN
        if vault is None or vault.rows.load(name) is None:
            return None
        with _alone(vault, name):  # a refresh under way ends first: what it got is revoked as well
            told = self._told_it_is_over(vault, name)
            vault.delete(name)
        self._lanes.close()  # a connection that is open was signed in with it
        _log.event("info", "pillarbox.disconnected", owner=record.owner, revoked=told)
        return told

    def _told_it_is_over(self, vault: Vault, name: str) -> bool:
        """Revoke what lies under *name*; what can't be opened, or is nobody's any more, is destroyed all the same."""
        row = vault.rows.load(name)
        bound = {} if row is None else row.readable.get("destination", {})
        with contextlib.suppress(PillarboxError):
            stored, connector = vault.load(name, bound), str(bound.get("connector", ""))
            if stored is not None and connector:
                known, learned = self._registered(connector), _secrets.connection_of(stored.connection)
                return not _is_connected(vault, learned, but=name) and known.revoke(stored.secret)
        return False


@contextlib.contextmanager
def _alone(vault: Vault, name: str) -> Iterator[None]:
    try:
        with vault.lock(name):
            yield
    except TimeoutError:
        raise SendDeferred(
            "Another process has been at this sign-in for long.", stage="sign-in", cure="Try it again."
        ) from None


def _refuse_unproven(record: Company | User, by: Actor) -> None:
    """Refuse to let anybody but the deployer connect a mailbox to which nobody has to sign in.

    The application reaches the mailboxes of others as well, and an administrator of ours may name any of them; nobody
    at the provider is asked whether it is theirs.
    """
    if not by.role.may_act_as(Role.DEPLOYER):
        raise SettingsError(
            f"Nobody signs in to the account of {record}: the application does, so only the deployer can connect it.",
            cure="Have the deployer run: pillarbox company connect, or pillarbox user connect USER.",
        )


def _grant(wish: Grant | str) -> Grant:
    try:
        return Grant(wish)
    except ValueError:
        raise SettingsError(f"There is no grant {wish!r:.60}.", cure="Ask for send or confirm.") from None


def _before(vault: Vault, name: str) -> Connection | None:
    """Return what the last sign-in under *name* learned, if it can still be read."""
    learned = vault.connection(name)
    with contextlib.suppress(SignInNeeded):
        return _secrets.connection_of(learned) if learned else None
    return None


def _save(
    vault: Vault, name: str, secret: bytes, bound: Mapping[str, str], learned: Mapping[str, Any]
) -> None:
    """Keep a sign-in in the place of the last, also while the vault's keys are being changed."""
    while True:
        row = vault.rows.load(name)
        with contextlib.suppress(Changed):
            vault.save(name, secret, bound, connection=learned, version=0 if row is None else row.version)
            return


def _is_connected(vault: Vault, one: Connection, *, but: str = "") -> bool:
    """Whether another account is signed in as the same person: some providers end all their grants with one of them."""
    names = (name for name in vault.names() if name.endswith(f"/{SIGN_IN}") and name != but)
    who = (one.connector, one.issuer, one.tenant, one.subject)
    others = (vault.connection(name) or {} for name in names)
    return any(who == tuple(other.get(key) for key in _PERSON) for other in others)


_PERSON = ("connector", "issuer", "tenant", "subject")
