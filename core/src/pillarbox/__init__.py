"""Sends a host application's mail from the right account, and tells the truth about what became of it.

The public names, each imported when it is first used, so that `import pillarbox` costs a host next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; importing typing would cost more than all the rest
if TYPE_CHECKING:
    from ._address import Address
    from ._aio import AsyncMailer
    from ._attachment import Attachment, Calendar
    from ._composition import compose
    from ._connectors import (
        App,
        Connected,
        Connection,
        Connector,
        Grant,
        Held,
        Pending,
        Prompt,
        Refused,
        RefusedReason,
        SignIn,
    )
    from ._directory import Change, Directory, MemoryDirectory
    from ._errors import (
        Changed,
        InvalidSettings,
        MessageError,
        NoMethod,
        OutboxError,
        OutcomeUnknown,
        PillarboxError,
        ReportRefused,
        SendDeferred,
        SenderMismatch,
        SendError,
        SendRejected,
        SettingsError,
        SignInNeeded,
        TransportNotInstalled,
        Unavailable,
        quotation,
    )
    from ._event_source import EventSource
    from ._hookspecs import hookimpl
    from ._mail import (
        Answer,
        AnswerState,
        Copy,
        CopyState,
        Envelope,
        Receipt,
        Sighting,
        SightingState,
        State,
        Submission,
    )
    from ._mailer import Mailer
    from ._message import Message, Unsubscribe
    from ._moving import Stranded
    from ._network import Network
    from ._outbox import Entry, Outbox
    from ._plugins import Plugins
    from ._reports import KeptReport, Polled, Recorded, Report, ReportKind
    from ._resolution import resolve
    from ._route import Attempt, Finding, Level, Reason, Route, Suggestion, Suggestions
    from ._schema import Role, Secret
    from ._settings import Account, Actor, Choice, Company, EnvelopeSender, FromPolicy, User
    from ._sqlite_rows import SqliteRows
    from ._status import AccountState, AccountStatus, Health
    from ._suggestion import suggest
    from ._toml import TomlDirectory
    from ._transports import (
        Capabilities,
        Description,
        Journal,
        Limits,
        Outbound,
        Proof,
        SenderPolicy,
        Transport,
    )
    from ._vault import Credentials, MemoryRows, MemoryVault, Row, Rows, Sealer, Stored, Vault

_HOMES = {
    "_address": "Address",
    "_aio": "AsyncMailer",
    "_attachment": "Attachment Calendar",
    "_composition": "compose",
    "_connectors": "App Connected Connection Connector Grant Held Pending Prompt Refused RefusedReason SignIn",
    "_directory": "Change Directory MemoryDirectory",
    "_errors": (
        "Changed InvalidSettings MessageError NoMethod OutboxError OutcomeUnknown PillarboxError ReportRefused SendDeferred SendError"
        " SendRejected SenderMismatch SettingsError SignInNeeded TransportNotInstalled Unavailable quotation"
    ),
    "_event_source": "EventSource",
    "_hookspecs": "hookimpl",
    "_mail": "Answer AnswerState Copy CopyState Envelope Receipt Sighting SightingState State Submission",
    "_mailer": "Mailer",
    "_message": "Message Unsubscribe",
    "_moving": "Stranded",
    "_network": "Network",
    "_outbox": "Entry Outbox",
    "_plugins": "Plugins",
    "_reports": "KeptReport Polled Recorded Report ReportKind",
    "_resolution": "resolve",
    "_route": "Attempt Finding Level Reason Route Suggestion Suggestions",
    "_schema": "Role Secret",
    "_settings": "Account Actor Choice Company EnvelopeSender FromPolicy User",
    "_sqlite_rows": "SqliteRows",
    "_status": "AccountState AccountStatus Health",
    "_suggestion": "suggest",
    "_toml": "TomlDirectory",
    "_transports": "Capabilities Description Journal Limits Outbound Proof SenderPolicy Transport",
    "_vault": "Credentials MemoryRows MemoryVault Row Rows Sealer Stored Vault",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Account",
    "AccountState",
    "AccountStatus",
    "Actor",
    "Address",
    "Answer",
    "AnswerState",
    "App",
    "AsyncMailer",
    "Attachment",
    "Attempt",
    "Calendar",
    "Capabilities",
    "Change",
    "Changed",
    "Choice",
    "Company",
    "Connected",
    "Connection",
    "Connector",
    "Copy",
    "CopyState",
    "Credentials",
    "Description",
    "Directory",
    "Entry",
    "Envelope",
    "EnvelopeSender",
    "EventSource",
    "Finding",
    "FromPolicy",
    "Grant",
    "Health",
    "Held",
    "InvalidSettings",
    "Journal",
    "KeptReport",
    "Level",
    "Limits",
    "Mailer",
    "MemoryDirectory",
    "MemoryRows",
    "MemoryVault",
    "Message",
    "MessageError",
    "Network",
    "NoMethod",
    "Outbound",
    "Outbox",
    "OutboxError",
    "OutcomeUnknown",
    "Pending",
    "PillarboxError",
    "Plugins",
    "Polled",
    "Prompt",
    "Proof",
    "Reason",
    "Receipt",
    "Recorded",
    "Refused",
    "RefusedReason",
    "Report",
    "ReportKind",
    "ReportRefused",
    "Role",
    "Route",
    "Row",
    "Rows",
    "Sealer",
    "Secret",
    "SendDeferred",
    "SendError",
    "SendRejected",
    "SenderMismatch",
    "SenderPolicy",
    "SettingsError",
    "Sighting",
    "SightingState",
    "SignIn",
    "SignInNeeded",
    "SqliteRows",
    "State",
    "Stored",
    "Stranded",
    "Submission",
    "Suggestion",
    "Suggestions",
    "TomlDirectory",
    "Transport",
    "TransportNotInstalled",
    "Unavailable",
    "Unsubscribe",
    "User",
    "Vault",
    "compose",
    "hookimpl",
    "quotation",
    "resolve",
    "suggest",
]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pillarbox")
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
