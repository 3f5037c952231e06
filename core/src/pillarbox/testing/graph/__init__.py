"""A fake Microsoft Graph for mail on loopback, for the tests of any client that sends by it.

It knows mailboxes, tokens with scopes, drafts, attachments, upload sessions, sending and looking; it refuses what Graph
is documented to refuse, and goes wrong where a test says so:

    with FakeGraph() as graph:
        graph.add_mailbox("orders@acme.example", "Acme Orders")
        token = graph.token("orders@acme.example", "Mail.ReadWrite", "Mail.Send")
        graph.fault("send", Fault.CUT_AFTER)
        ...                                         # the client under test talks to graph.url

What can be asked for is called a step: `me`, `draft`, `get`, `patch`, `delete`, `attach`, `session` (the upload session
of a large attachment: begun, asked or given up), `range` (a part of it), `send` (of a draft), `sendMail`, `list`.
"""

from __future__ import annotations

from .._http.faults import Answer, Fault
from .._http.values import Mail, Request, Token
from ._fake import FakeGraph
from ._manners import Manners

__all__ = ["Answer", "FakeGraph", "Fault", "Mail", "Manners", "Request", "Token"]
