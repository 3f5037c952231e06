"""Real mail servers for tests: Postfix, Dovecot and Exim, each on loopback, in a folder and on ports of its own.

Nothing is a system service and no port is fixed, so any number can run beside each other. Each worker of
pytest-xdist starts its own: one server shared by all would save a second of processor time, and cost every
test the right to clear the inboxes. A server starts with the first test that asks for it.
"""

from __future__ import annotations

from tests.services._authority import SERVER_NAMES, Authority
from tests.services._dovecot import CertifyingDovecot, Dovecot
from tests.services._exim import Exim
from tests.services._postfix import Postfix
from tests.services._server import (
    LOGINS,
    RECIPIENT_LIMIT,
    SENDERS,
    SIZE_LIMIT,
    Server,
    ServerFailure,
    running,
)
from tests.services._sink import ReceivedMail

__all__ = [
    "LOGINS",
    "RECIPIENT_LIMIT",
    "SENDERS",
    "SERVER_NAMES",
    "SIZE_LIMIT",
    "Authority",
    "CertifyingDovecot",
    "Dovecot",
    "Exim",
    "Postfix",
    "ReceivedMail",
    "Server",
    "ServerFailure",
    "running",
]
