"""From a message to the entries of an outbox; and the post that its worker works for."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import attrs

from ._accounts import account_of
from ._address import Address
from ._composition import compose
from ._delivery import Told
from ._directory import Directory
from ._errors import InvalidSettings, MessageError, NoMethod, OutboxError, SettingsError
from ._mail import Envelope, Submission
from ._message import Message
from ._outbox import Enclosure, Entry, Outbox, OutboxSettings
from ._plugins import Plugins, asked
from ._route import Route
from ._schema import Secret, structure
from ._settings import Account, Company, User, desk_of
from ._transports import Limits, Transport
from ._vault import Rows, from_environment, from_file

MOST_ACCOUNTS = 100_000
"""The most accounts that a worker remembers."""
_FIXED = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_NOBODY = Route(
    account=Account(owner="company", method="none", mailbox="digest@pillarbox.invalid"),
    from_address=Address("digest@pillarbox.invalid"),
    envelope_sender="digest@pillarbox.invalid",
)


def submission_key(company: str, key: str) -> str:
    """Return the submission's key for a host's own *key*: the same for the same, within a company.

    Raises:
        MessageError: It is empty or longer than 255 characters.
    """
    if not key or len(key) > 255:
        raise MessageError("The idempotency key must have 1 to 255 characters.")
    return hashlib.blake2b(f"{company}\0{key}".encode(), digest_size=16).hexdigest()


def digest_of(message: Message, key: str, user: str | None, account: str | None) -> str:
    """Return a name for what was asked for, whatever the settings are: equal for equal messages of one writer."""
    composed = compose(message, _NOBODY, key=key, message_id=f"<{key}@pillarbox.invalid>", at=_FIXED)
    digest = hashlib.blake2b(digest_size=16)
    asked_for = [user, account, composed.envelope.recipients, message.reference, str(message.not_after)]
    digest.update(json.dumps([*asked_for, message.options], default=str).encode())
    for chunk in (*composed.chunks, composed.bcc_header):
        digest.update(chunk)
    return digest.hexdigest()


def entry_of(submission: Submission, route: Route, message: Message, **more: Any) -> Entry:
    """Return the outbox entry of *submission*, its identity frozen (rule 27)."""
    account = route.account
    return Entry(
        submission=submission,
        account=account.key,
        owner=account.owner,
        company=account.company,
        method=account.method,
        mailbox=account.mailbox,
        user=route.user,
        subject=message.subject,
        enclosures=tuple(map(_enclosure, message.attachments)),
        **more,
    )


def _enclosure(attachment: Any) -> Enclosure:
    content = attachment.content
    return Enclosure(attachment.filename, len(content), hashlib.sha256(content).hexdigest())


def in_parts(entry: Entry, limits: Limits, *, takes_envelope: bool) -> list[Entry]:
    """Return *entry*, or its parts where the carrier takes fewer recipients at once (rule 25).

    Raises:
        MessageError: It is too large for the carrier, or can't be split.
    """
    one = entry.submission
    if limits.size is not None and one.size > limits.size:
        raise MessageError(
            f"The message has {one.size:,} octets; this account takes {limits.size:,}.",
            cure="Send less, or a link to it.",
        )
    most, everybody = limits.recipients, one.envelope.recipients
    if most is None or len(everybody) <= most:
        return [entry]
    if not takes_envelope:
        raise MessageError(
            f"The message has {len(everybody):,} recipients; this account takes {most:,}, and can't send to some alone.",
            cure="Split it.",
        )
    groups = [everybody[start : start + most] for start in range(0, len(everybody), most)]
    return [_part(entry, number, group) for number, group in enumerate(groups)]


def _part(entry: Entry, number: int, recipients: tuple[str, ...]) -> Entry:
    one = entry.submission
    key = one.key if number == 0 else submission_key(one.key, str(number))
    envelope = Envelope(one.envelope.sender, recipients)
    asked_for = "\n".join([entry.digest or one.key, *recipients])  # split otherwise, it is another part
    digest = hashlib.blake2b(asked_for.encode(), digest_size=16).hexdigest()
    return attrs.evolve(
        entry, submission=attrs.evolve(one, key=key, envelope=envelope), part_of=one.key, digest=digest
    )


def opened(plugins: Plugins, settings: OutboxSettings, beside: Path) -> Outbox:
    """Return the outbox that *settings* name, by default the embedded one beside the settings file.

    Raises:
        SettingsError, Unavailable: It can't be used.
    """
    if settings.kind == "sqlite":
        from ._outbox.sqlite import SqliteOutbox

        return SqliteOutbox(embedded_path(settings, beside), settings)
    found: Outbox = plugins.outbox(settings.kind, settings, beside, _password(settings.password))
    return found


def shared_vault(settings: OutboxSettings, outbox: Outbox | None) -> tuple[Rows, Secret] | None:
    """Return where the vault keeps its rows, if that is to be beside the *outbox*, and where its key is.

    The settings say where, and not the rows: who owns the database could have them name a key of their own.

    Raises:
        SettingsError: The outbox has no place for them, or the key is said to be in a vault.
    """
    key = settings.vault_key
    if key is None or outbox is None:
        return None
    if key.vault:
        raise SettingsError("outbox.vault_key must be an environment or file reference.")
    rows = outbox.vault_rows()
    if rows is None:
        raise SettingsError(
            f"outbox.vault_key is set, and an outbox of the kind {settings.kind} has no place for a vault.",
            cure="Take it out of [outbox]: the vault then lies beside the settings file.",
        )
    return rows, key


def embedded_path(settings: OutboxSettings, beside: Path) -> Path:
    """Return where the embedded outbox lies."""
    if settings.path:
        return beside.parent / settings.path
    return beside.with_name(f"{beside.stem}.outbox.sqlite3")


def _password(secret: Secret | None) -> str | None:
    """Return the secret that the deployer's `[outbox]` refers to; the vault may lie in the very database it opens."""
    if secret is None:
        return None
    if secret.env:
        return from_environment(secret.env)
    if secret.file:
        return from_file(secret.file)
    raise SettingsError("outbox.password must be an environment or file reference.")


def outbox_settings(table: Mapping[str, Any] | None) -> OutboxSettings:
    """Return what `[outbox]` says.

    Raises:
        InvalidSettings: Every problem in it at once.
    """
    found: OutboxSettings = structure(OutboxSettings, table or {}, "outbox")
    return found


class MailerPost:
    """What a worker needs of a mailer; see `Post`."""

    def __init__(
        self,
        directory: Directory,
        plugins: Plugins,
        transport: Callable[[Account], AbstractContextManager[Transport]],
        told: Callable[[], Told | None],
    ) -> None:
        self._directory = directory
        self._plugins = plugins
        self._transport = transport
        self._told = told
        self._accounts: dict[tuple[str, str, str], tuple[Company, User | None, Account]] = {}

    @property
    def told(self) -> Told | None:
        """See `Post`."""
        return self._told()

    def account(self, entry: Entry) -> Account:
        """See `Post`."""
        account = self._current(entry)
        was, now = (entry.method, entry.mailbox), (account.method, account.mailbox)
        if was != now:
            raise OutboxError(
                f"It was written for {was[1]} by {was[0]}; the account is {now[1]} by {now[0]} now.",
                cure="Move it to the account as it is now, or cancel it.",
            )
        return account

    def _current(self, entry: Entry) -> Account:
        """Return the account of the entry's owner; made once for each state of the settings."""
        kind, _, name = entry.owner.partition(":")
        try:
            found, who = self._directory.look_up(name if kind == "user" else None, entry.company)
        except InvalidSettings:
            raise  # says nothing of the account
        except SettingsError as error:
            raise OutboxError(f"The account it was written for is gone: {error.detail}") from None
        name_of = entry.owner, entry.company, desk_of(entry.account)
        known = self._accounts.get(name_of)
        if known is not None and known[0] is found and known[1] is who:
            return known[2]
        try:
            account = account_of(who or found, found, self._plugins)
        except NoMethod as error:
            raise OutboxError(f"The account it was written for is gone: {error.detail}") from None
        if len(self._accounts) >= MOST_ACCOUNTS:
            self._accounts.clear()
        account = attrs.evolve(account, desk=name_of[2])
        self._accounts[name_of] = (found, who, account)
        return account

    def limits(self, account: Account) -> Limits:
        """See `Post`."""
        found: Limits = asked(self._plugins[account.method], "limits", account.settings)
        return found

    def transport(self, account: Account) -> AbstractContextManager[Transport]:
        """See `Post`."""
        return self._transport(account)
