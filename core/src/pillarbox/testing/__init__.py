"""For authors of transports and vaults, and for hosts' tests: contracts to inherit, a transport and a server to try with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._contract import CONTRACT_VERSION, Accepted, CaseResult, NotStaged, TransportContract, run_cases
    from ._mailbox import Mailbox
    from ._memory import Box, MemorySettings, MemoryTransport, Sent
    from ._vault_contract import VaultContract
    from .smtp_server import ScriptedServer

_HOMES = {
    "_contract": "Accepted CONTRACT_VERSION CaseResult NotStaged TransportContract run_cases",
    "_mailbox": "Mailbox",
    "_memory": "Box MemorySettings MemoryTransport Sent",
    "_vault_contract": "VaultContract",
    "smtp_server": "ScriptedServer",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "CONTRACT_VERSION",
    "Accepted",
    "Box",
    "CaseResult",
    "Mailbox",
    "MemorySettings",
    "MemoryTransport",
    "NotStaged",
    "ScriptedServer",
    "Sent",
    "TransportContract",
    "VaultContract",
    "run_cases",
]


def __getattr__(name: str) -> object:
    """Import the public *name* from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'pillarbox.testing' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"pillarbox.testing.{_HOME[name]}"), name)
    globals()[name] = value
    return value
