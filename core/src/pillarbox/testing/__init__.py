"""For authors of transports, outboxes and vaults, and for hosts' tests: contracts to inherit, a transport and a server to try with.

The behaviours of the scripted server (`Reply`, `Cut`, ...) are in `pillarbox.testing.smtp_server`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._certificate import Certificate, certify, contracts_in
    from ._connector import ConnectedTransport, MemoryConnector
    from ._contract import (
        CONTRACT_VERSION,
        FAULTS,
        Accepted,
        CaseResult,
        Fault,
        NotStaged,
        TransportContract,
        run_cases,
    )
    from ._mailbox import Mailbox
    from ._memory import Box, MemorySettings, MemoryTransport, Sent
    from ._outbox_contract import OutboxContract
    from ._vault_contract import VaultContract
    from .smtp_server import ScriptedServer, SmtpFault, every_fault

_HOMES = {
    "_certificate": "Certificate certify contracts_in",
    "_contract": "Accepted CONTRACT_VERSION CaseResult FAULTS Fault NotStaged TransportContract run_cases",
    "_connector": "ConnectedTransport MemoryConnector",
    "_mailbox": "Mailbox",
    "_memory": "Box MemorySettings MemoryTransport Sent",
    "_outbox_contract": "OutboxContract",
    "_vault_contract": "VaultContract",
    "smtp_server": "ScriptedServer SmtpFault every_fault",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "CONTRACT_VERSION",
    "FAULTS",
    "Accepted",
    "Box",
    "CaseResult",
    "Certificate",
    "ConnectedTransport",
    "Fault",
    "Mailbox",
    "MemoryConnector",
    "MemorySettings",
    "MemoryTransport",
    "NotStaged",
    "OutboxContract",
    "ScriptedServer",
    "Sent",
    "SmtpFault",
    "TransportContract",
    "VaultContract",
    "certify",
    "contracts_in",
    "every_fault",
    "run_cases",
]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox.testing' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
