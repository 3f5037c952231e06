"""A fake Gmail API on loopback, for tests of programs that send through Gmail.

    with FakeGmail() as gmail:
        gmail.add_mailbox("orders@acme.example", "Acme Ltd", aliases=["sales@acme.example"])
        token = gmail.token("orders@acme.example", "gmail.send")
        ...                                   # the client under test talks to gmail.url with this token
    assert gmail.sent("orders@acme.example")[0].recipients == ("ap@customer.example",)

It serves `users.getProfile`, `messages.send`, `.list` and `.get`, `drafts.create`, `.get`, `.list`, `.send` and
`.delete`, and `settings.sendAs.list`, below /gmail/v1, /upload/gmail/v1 and /resumable/upload/gmail/v1. Which scopes
a method takes, which fields a body has and how large it may be stands in Google's discovery document: give it to
`FakeGmail(discovery=...)`, or rely on the part of it that is built in.
"""

from __future__ import annotations

from .._http.faults import Answer, Fault
from .._http.values import Mail, Request, Token
from ._fake import FakeGmail
from ._mailbox import Alias

__all__ = ["Alias", "Answer", "FakeGmail", "Fault", "Mail", "Request", "Token"]
