"""Encryption: one context for each trust in a process, the handshake, and the reasons why one failed."""

from __future__ import annotations

import functools
import hmac
import socket
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from pillarbox import SendDeferred, SettingsError

from .certificates import Certificate, fingerprint
from .identity import Identity
from .judgement import ALERTS, marked, unwanted


class Trust(NamedTuple):
    """Which certificates are accepted.

    Attributes:
        ca_file: The authorities that are trusted instead of the system's, or "".
        fingerprint: The SHA-256 of the one certificate that is accepted, whoever issued it, or "".
    """

    ca_file: str = ""
    fingerprint: str = ""


class _Socket(ssl.SSLSocket):
    """Closes itself when it is made of a connection that is gone already; the standard library only forgets it then."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise ConnectionResetError from None


def context_for(trust: Trust, identity: Identity | None = None) -> ssl.SSLContext:
    """Return the context for *trust*; reading the authorities costs some 30 ms, so it is made once a process.

    Args:
        trust: Which certificates are accepted.
        identity: What is shown to a server that asks for a certificate.

    Raises:
        SettingsError: The CA file can't be used, or a file of the identity.
    """
    try:
        shown = identity.stamp() if identity else ()
        return _context(trust, _stamp(trust.ca_file), identity, shown)
    except (OSError, ssl.SSLError) as error:
        problem = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it holds no certificate"
        )
    raise SettingsError(
        f"The CA file {trust.ca_file} can't be used: {problem}.", cure="Name a readable PEM file."
    )


def _stamp(path: str) -> tuple[int, int]:
    """Return what changes when the file at *path* is replaced."""
    if not path:
        return (0, 0)
    status = Path(path).stat()
    return (status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=16)
def _context(
    trust: Trust,
    _read: tuple[int, int],
    identity: Identity | None,
    _shown: tuple[tuple[int, int], ...],
) -> ssl.SSLContext:
    """Return the context for these files as their stamps say they are now."""
    context = _unverified() if trust.fingerprint else _verified(trust.ca_file)
    if identity is not None:
        identity.load_into(context)
    return context


def _verified(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    if (
        ca_file
    ):  # as on every Python before 3.13: private authorities are rarely issued to the letter of RFC 5280
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _unverified() -> ssl.SSLContext:
    """Return a context that checks nothing: only for a certificate that is compared, or looked at, before any octet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    return context


def encrypt(
    sock: socket.socket, server: str, trust: Trust, *, seconds: float, identity: Identity | None = None
) -> ssl.SSLSocket:
    """Return *sock* under TLS, its certificate accepted; the whole handshake has so many *seconds*.

    Raises:
        SettingsError: The CA file can't be used, or a file of the identity.
        SendDeferred: The handshake failed (stage `tls`), said why; no octet of ours was sent through it.
    """
    wrapped = _handshake(sock, server, context_for(trust, identity), seconds)
    if trust.fingerprint and not hmac.compare_digest(_fingerprint(wrapped), trust.fingerprint):
        shown = _fingerprint(wrapped)
        wrapped.close()
        raise _failure(
            f"{server} showed another certificate than the pinned one; it has the fingerprint {shown}.",
            "tls-wrong-fingerprint",
            "If the server's certificate was renewed, compare this fingerprint on the server and set it.",
        )
    return wrapped


_looking = functools.cache(_unverified)


def look(sock: socket.socket, server: str, *, seconds: float) -> Certificate | None:
    """Return the certificate that the server shows, trusted or not, and close the connection."""
    try:
        wrapped = _handshake(sock, server, _looking(), seconds)
    except SendDeferred:
        return None
    with wrapped:
        return certificate_of(wrapped)


def certificate_of(wrapped: ssl.SSLSocket) -> Certificate | None:
    """Return what the peer's certificate says, or None where it can't be read."""
    try:
        return Certificate.read(wrapped.getpeercert(binary_form=True) or b"")
    except ValueError:
        return None


def _fingerprint(wrapped: ssl.SSLSocket) -> str:
    return fingerprint(wrapped.getpeercert(binary_form=True) or b"")


def _handshake(sock: socket.socket, server: str, context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    try:
        sock.settimeout(max(0.001, seconds))
        wrapped = context.wrap_socket(sock, server_hostname=server, do_handshake_on_connect=False)
    except (OSError, ValueError) as error:
        sock.close()
        problem: Exception = error
    else:
        try:
            wrapped.do_handshake()
        except (OSError, ValueError) as error:
            wrapped.close()
            problem = error
        else:
            return wrapped
    raise reason(problem, server)


def alert(error: Exception) -> str:
    """Return the alert by which the server refuses our certificate, or the lack of one; else ""."""
    word = str(getattr(error, "reason", "") or "")
    _, found, name = word.partition("_ALERT_")
    return name if found and name in ALERTS else ""


def _failure(detail: str, finding: str, cure: str) -> SendDeferred:
    return marked(SendDeferred(f"{detail} Nothing left.", stage="tls", cure=cure), finding)


_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS", "VERSION_TOO_LOW")
_PLAIN = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH", "UNKNOWN_PROTOCOL")
_AUTHORITY = (
    "If the server is yours, put its authority's certificate into a file and set ca_file, or pin the certificate by"
    " fingerprint. If not, ask its provider."
)


def reason(error: Exception, server: str) -> SendDeferred:
    """Return why a handshake with *server* failed. It is deferred: somebody in the middle must not fail mail for good."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, server)
    if word := alert(error):
        return unwanted(server, word)
    word = str(getattr(error, "reason", "") or "").replace(" ", "_").upper()
    if isinstance(error, TimeoutError):
        return _failure(f"{server} did not finish the TLS handshake in time.", "tls-silent", _PORT)
    if any(part in word for part in _OLD):
        return _failure(
            f"{server} offers no TLS of version 1.2 or newer.",
            "tls-old",
            "Have the server updated, or use another.",
        )
    if any(part in word for part in _PLAIN):
        return _failure(f"{server} answered the TLS handshake in clear.", "tls-plain-port", _PORT)
    if isinstance(error, ssl.SSLError) and word and "EOF" not in word:
        return _failure(
            f"The TLS handshake with {server} failed: {word.replace('_', ' ').lower()}.", "tls-failed", ""
        )
    return _failure(f"{server} broke the connection off in the TLS handshake.", "tls-closed", _PORT)


_PORT = "Check that the port and the encryption belong together: STARTTLS 587, TLS 465."


def _distrust(error: ssl.SSLCertVerificationError, server: str) -> SendDeferred:
    """Return what is wrong with a certificate, by OpenSSL's numbers (X509_V_ERR_...)."""
    match error.verify_code:
        case 10:
            return _failure(f"{server}'s certificate has expired.", "tls-expired", _RENEW)
        case 9:
            return _failure(f"{server}'s certificate is not valid yet.", "tls-not-yet-valid", _CLOCK)
        case 62 | 63 | 64:
            return _failure(f"{server}'s certificate is for another name.", "tls-wrong-name", _NAME)
        case 18:
            return _failure(
                f"{server}'s certificate is signed by nobody but itself.", "tls-self-signed", _AUTHORITY
            )
        case 2 | 19 | 20 | 21:
            return _failure(
                f"{server}'s certificate comes from an authority that is not trusted here.",
                "tls-unknown-authority",
                _AUTHORITY,
            )
        case _:
            return _failure(
                f"{server}'s certificate is not accepted: {error.verify_message.lower()}.",
                "tls-untrusted",
                _AUTHORITY,
            )


_RENEW = "Whoever runs the server has to renew it. If it has not expired, check this machine's clock."
_CLOCK = "Check this machine's clock; if it is right, whoever runs the server has to look."
_NAME = "Set server to one of the names that the certificate is for, or have it made for this name."
