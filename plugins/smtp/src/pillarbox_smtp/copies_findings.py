"""The codes of what is found of the mailbox for sent copies, each with its meaning."""

from __future__ import annotations

from collections.abc import Mapping

COPY_FINDINGS: Mapping[str, str] = {
    "copy-by-provider": "The provider files sent mail by itself, so a message in doubt can be looked for.",
    "copy-connected": "The IMAP server answered, encrypted as the settings say.",
    "copy-signed-in": "The IMAP server accepted the sign-in.",
    "copy-folder": "There is a folder for sent copies.",
    "copy-folder-to-come": "There is no folder for sent copies yet; it will be created.",
    "copy-quota": "The mailbox has room for copies.",
    "copy-nearly-full": "The mailbox for copies is nearly full.",
    "copy-not-reached": "Sending failed at an earlier stage, so the mailbox for copies was not tried.",
    "copy-unreachable": "The IMAP server's name has no address, nothing answered, or it may not be reached.",
    "copy-greeting-refused": "The IMAP server does not take connections.",
    "copy-preauth": "The IMAP server takes us for signed in before we were.",
    "copy-tls-not-offered": "The IMAP server does not offer STARTTLS, which the settings require.",
    "copy-tls-refused": "The IMAP server refused STARTTLS.",
    "copy-tls-injected": "Something came in clear behind the answer to STARTTLS.",
    "copy-sign-in-in-clear": "The connection is not encrypted, so no password was sent.",
    "copy-sign-in-mechanism": "The IMAP server and the account have no sign-in mechanism in common.",
    "copy-sign-in-failed": "There is no credential to sign in with.",
    "copy-sign-in-refused": "The IMAP server refused the sign-in.",
    "copy-sign-in-unavailable": "The IMAP server can't check the sign-in now.",
    "copy-sign-in-wrong": "The sign-in can't be sent, or the server did not prove what it had to.",
    "copy-folders-refused": "The IMAP server does not list its folders.",
    "copy-folder-missing": "There is no folder for sent copies, or it can't be opened.",
    "copy-folder-not-created": "The folder for sent copies could not be created.",
    "copy-search-refused": "The folder can't be searched, so nothing is filed: it might be filed twice.",
    "copy-refused": "The IMAP server refused the copy.",
    "copy-full": "The mailbox for copies is full.",
    "copy-too-large": "The IMAP server takes no copy of this size.",
    "copy-closed": "The IMAP server closed the connection.",
    "copy-reset": "The connection to the IMAP server was broken off.",
    "copy-silent": "The IMAP server did not answer in full in time.",
    "copy-too-much": "The IMAP server said more than is believed.",
    "copy-garbage": "The IMAP server sent what is not IMAP.",
}
"""What each code means."""
OF_TLS = (
    "tls-closed",
    "tls-expired",
    "tls-failed",
    "tls-not-yet-valid",
    "tls-old",
    "tls-plain-port",
    "tls-self-signed",
    "tls-silent",
    "tls-unknown-authority",
    "tls-untrusted",
    "tls-wrong-fingerprint",
    "tls-wrong-name",
)
"""The codes of a handshake that failed; of the IMAP server's they are told with `copy-` before them."""
