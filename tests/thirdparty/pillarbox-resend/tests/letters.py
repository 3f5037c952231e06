"""Submissions as core composes them."""

from typing import Any

from pillarbox import Account, Address, Message, Route, Submission, compose


def written(**fields: Any) -> Submission:
    """Return a submission as core composes it."""
    route = Route(
        account=Account(owner="company", method="resend", mailbox="orders@acme.example"),
        from_address=Address("anna@acme.example", "Anna Bérg"),
        envelope_sender="anna@acme.example",
    )
    return compose(
        Message(**{"to": "ap@customer.example", "subject": "Invoice 1001", "text": "Hi", **fields}), route
    )
