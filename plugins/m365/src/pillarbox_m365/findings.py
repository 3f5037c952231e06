"""The codes of what `check` finds, each with its meaning: for the documentation and its tests."""

from __future__ import annotations

_OWN = {
    "token-given": "Microsoft gives a token to the connection.",
    "token-refused": "Microsoft gives no token to the connection, or there is none; the reason is told.",
    "mailbox-reached": "The mailbox answers, and drafts can be kept in it.",
    "mailbox-not-asked": "A connection that may only send can't look into the mailbox, so it was not asked.",
    "mailbox-refused": "The mailbox can't be used by this connection, for a reason that is told.",
    "mailbox-unreachable": "Microsoft Graph does not answer.",
    "sender-own": "The mail shows the mailbox's own address.",
    "sender-unproven": "The mail shows another address; only sending tells whether Send As is granted for it.",
    "limits-by-draft": "What Microsoft 365 allows a connection that may keep drafts.",
    "limits-at-once": "What Microsoft 365 allows a connection that may only send.",
    "not-reached": "An earlier stage failed, so this one was not tried.",
}
_REGISTRATION = {
    "registration-client-id": "The client_id is no GUID, as Entra gives them.",
    "registration-shared-tenant": "The tenant lets anybody sign in, and is refused for a company's account.",
    "registration-tenant": "The tenant is known.",
    "registration-tenant-unknown": "The authority knows no such tenant.",
    "registration-unreachable": "The authority can't be reached, or its answer can't be read.",
    "registration-public": "There is neither a client secret nor a certificate: people sign in on a desktop, or by a code.",
    "registration-secret": "There is a client secret.",
    "registration-unreadable": "The client secret or the certificate can't be read.",
    "registration-certificate": "There is a certificate, with its key.",
    "registration-certificate-ends-soon": "The certificate expires within a month.",
    "registration-certificate-expired": "The certificate has expired.",
}


def finding_codes() -> dict[str, str]:
    """Return every code with the sentence that says what it means."""
    return dict(sorted((_OWN | _REGISTRATION).items()))
