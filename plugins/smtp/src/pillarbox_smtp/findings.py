"""The codes of what `check` finds, each with its meaning: for the documentation and its tests."""

from __future__ import annotations

from .copies_findings import COPY_FINDINGS, OF_TLS
from .judgement import How
from .meanings import MEANINGS

_OWN = {
    "not-reached": "An earlier stage failed, so this one was not tried.",
    "dns-found": "The server's name has an address.",
    "dns-no-address": "The server's name has no address now.",
    "dns-not-told": "Addresses are not told for a server that a person typed.",
    "connect-answered": "The port answered.",
    "connect-failed": "Nothing answered at the port, or it may not be reached.",
    "connect-failed-by-proxy": "The proxy could not reach the server, or did not say that it could.",
    "connect-forbidden-by-proxy": "The proxy's rules do not allow this server and port.",
    "dns-by-proxy": "The proxy looks the server's name up.",
    "proxy-answered": "The proxy answered, and took the sign-in where there is one.",
    "proxy-closed": "The proxy closed the connection.",
    "proxy-failed": "The proxy can't be used, for a reason that is told.",
    "proxy-garbage": "The proxy does not speak what its setting says.",
    "proxy-not-told": "Whether the proxy was asked is not told for a server that a person typed and that can't be reached.",
    "proxy-sign-in-needed": "The proxy wants a user name and a password of its own.",
    "proxy-sign-in-refused": "The proxy refused the user name or the password.",
    "proxy-sign-in-wrong": "The user name or the password can't be sent to such a proxy.",
    "proxy-silent": "The proxy did not answer in time.",
    "proxy-unreachable": "Nothing answered where the proxy should be.",
    "tls-verified": "The connection is encrypted and the certificate is trusted.",
    "tls-pinned": "The connection is encrypted and the certificate is the pinned one.",
    "tls-ends-soon": "The certificate is trusted and expires within two weeks.",
    "tls-none": "The connection is not encrypted.",
    "tls-client-ends-soon": "The client certificate expires within two weeks.",
    "tls-client-expired": "The client certificate has expired.",
    "tls-client-file": "The file of the client certificate can't be used.",
    "tls-client-key": "The key of the client certificate can't be used, or others can read it.",
    "tls-client-key-password": "The key of the client certificate is encrypted, and its password is wrong or not set.",
    "tls-client-not-yet-valid": "The client certificate is not valid yet, or this machine's clock is wrong.",
    "tls-client-refused": "The server does not accept the client certificate.",
    "tls-client-required": "The server wants a client certificate, and the settings name none.",
    "tls-client-shown": "There is a client certificate, with its key, for a server that asks for one.",
    "tls-expired": "The certificate has expired.",
    "tls-not-yet-valid": "The certificate is not valid yet, or this machine's clock is wrong.",
    "tls-wrong-name": "The certificate is for other names than the server's.",
    "tls-self-signed": "The certificate is signed by nobody but itself.",
    "tls-unknown-authority": "The certificate comes from an authority that is not trusted here.",
    "tls-untrusted": "The certificate is not accepted for another reason, which is told.",
    "tls-wrong-fingerprint": "The certificate is another than the pinned one.",
    "tls-not-offered": "The server does not offer STARTTLS, which the settings require.",
    "tls-refused": "The server refused STARTTLS.",
    "tls-injected": "Something came in clear behind the answer to STARTTLS.",
    "tls-plain-port": "The port does not begin with TLS.",
    "tls-old": "The server speaks no TLS of version 1.2 or newer.",
    "tls-failed": "The TLS handshake failed.",
    "greeting-offers": "The server greeted, and says what it can do.",
    "greeting-refused": "The server does not take connections.",
    "greeting-tls-port": "The port speaks TLS from the first octet, and the settings say otherwise.",
    "sign-in-accepted": "The server accepted the sign-in.",
    "sign-in-app-password": "The provider wants an app password here, not the account's own.",
    "sign-in-password-ends": "The server accepted the password, and its provider has said when it will take none any more.",
    "sign-in-none": "The settings ask for no sign-in.",
    "sign-in-failed": "There is no credential to sign in with.",
    "sign-in-in-clear": "The connection is not encrypted, so no password was sent.",
    "sign-in-mechanism": "The server and the settings have no sign-in mechanism in common.",
    "sign-in-not-offered": "The server offers no sign-in, which the settings require.",
    "sign-in-refused": "The server refused the sign-in, with a reason of its own.",
    "sign-in-certificate-refused": "The server does not sign in who shows this client certificate under this name.",
    "sign-in-token-refused": "The server refused the connector's token, and there is no other.",
    "sender-accepted": "The server takes mail from the address that would send it.",
    "sender-refused": "The server does not take mail from the address that would send it.",
    "sender-unknown": "The account has no address to try.",
    "recipient-accepted": "The server takes mail to the account's address.",
    "recipient-refused": "The server does not take mail to the account's own address.",
    "reset-done": "The server forgot the attempt; nothing was sent.",
    "reset-refused": "The server did not start over.",
}
_BROKEN = {
    How.CLOSED: "The server closed the connection.",
    How.RESET: "The connection was broken off.",
    How.SILENT: "The server did not answer in full in time.",
    How.GARBAGE: "The server sent what is not SMTP.",
}
_TALKING = ("tls", "greeting", "sign-in", "sender", "recipient", "reset")
"""A check writes a few octets at a time, which no server can keep it from; so none of them is stalled."""


def finding_codes() -> dict[str, str]:
    """Return every code with the sentence that says what it means."""
    broken = {f"{stage}-{how.name.lower()}": told for stage in _TALKING for how, told in _BROKEN.items()}
    refused = {row.finding: f"The server said that {row.meaning}." for row in reversed(MEANINGS)}
    own = broken | refused | _OWN
    of_copies = {f"copy-{code}": own[code] for code in OF_TLS}
    return dict(sorted((own | of_copies | dict(COPY_FINDINGS)).items()))
