"""A line to the server: the stages that open it, in their order, and whether it may be used again."""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping

from pillarbox import Answer, Credentials, Network, SendDeferred, SignInNeeded, Submission

from . import lockstep, tls
from .certificates import Certificate
from .connection import Connection
from .envelope import Transaction
from .fields import Encryption
from .identity import Identity
from .judgement import finding_of, marked
from .protocol import Phase, Session
from .proxies import way
from .settings import SmtpSettings
from .signing_in import (
    another_token,
    dialogue_for,
    is_of_token,
    mechanism_for,
    proof_for,
    required,
    understood,
)

ASK_AFTER = 30.0
"""Seconds of rest after which the server is asked with NOOP whether it is still there: some networks drop a quiet
connection without a word."""
RENEW_AFTER = 240.0
"""Seconds of rest after which a connection is not tried again: servers hang up after 300 (RFC 5321 4.5.3.2.7)."""
LOOK_SECONDS = 10.0


class Line:
    """One connection and its session. `stages` opens it; `is_usable` says whether it may carry another message.

    Args:
        settings: The account's.
        network: How to reach the server.
        credentials: The account's; None where it has no secrets.
        trace: Takes lines of the conversation.
    """

    connection: Connection
    session: Session

    def __init__(
        self,
        settings: SmtpSettings,
        network: Network,
        credentials: Credentials | None,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self._network = network
        self.credentials = credentials
        self._trace = trace

    @classmethod
    def open(
        cls,
        settings: SmtpSettings,
        network: Network,
        credentials: Credentials | None,
        trace: Callable[[str], None] | None = None,
    ) -> Line:
        """Return a line that has passed all its stages.

        Raises:
            SendDeferred, SignInNeeded, SettingsError: One of them failed; the connection is closed.
        """
        line = cls(settings, network, credentials, trace)
        for _, stage in line.stages():
            line.pass_stage(stage)
        return line

    def stages(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """Return the stages that open the line, by name, in order."""
        encrypted = {
            Encryption.TLS: (("tls", self.encrypt), ("greeting", self.greet)),
            Encryption.STARTTLS: (("tls", self.start_tls), ("greeting", self.greet_again)),
            Encryption.NONE: (("greeting", self.greet),),
        }
        sign_in = (("sign-in", self.sign_in),) if self.settings.authenticate else ()
        return (("connect", self.connect), *encrypted[self.settings.encryption], *sign_in)

    def pass_stage(self, stage: Callable[[], None]) -> None:
        """Go through one of the `stages`, and close the connection when anything fails.

        Raises:
            SendDeferred, SignInNeeded, SettingsError: It failed.
        """
        try:
            stage()
        except BaseException:
            self.drop()
            raise

    def connect(self) -> None:
        """Connect to the server.

        Raises:
            SendDeferred: Its name has no address, or nothing answers, or the proxy does not lead there.
            SignInNeeded: The proxy wants another sign-in (stage `proxy`).
            Unavailable: There is a proxy, and the library for it is missing.
        """
        settings = self.settings
        through = f" through {settings.proxy}" if settings.proxy else ""
        self._note(f"-- connecting to {settings.server}:{settings.port}{through}")
        sock = self._reached()
        self.connection = Connection(
            sock, timeout=settings.timeout, final_timeout=settings.final_timeout, trace=self._trace
        )
        self.session = Session(settings.server, settings.local_hostname or literal(self.connection.local))

    def _reached(self) -> socket.socket:
        settings = self.settings
        through = way(settings, self.credentials)
        if through is None:
            return self._network.connect(settings.server, settings.port, timeout=settings.timeout)
        return self._network.connect(
            settings.server, settings.port, timeout=settings.timeout, through=through
        )

    def encrypt(self) -> None:
        """Begin TLS and forget what was said in clear.

        Raises:
            SendDeferred: The handshake failed, or the certificate is not accepted, or ours is not.
            SettingsError: The CA file can't be used, or a file of the client certificate.
            SignInNeeded: There is no password for the key of the client certificate.
        """
        try:
            self.connection.encrypt(self.settings.server, self.trust, self.identity())
        except SendDeferred as error:
            raise self._with_certificate(error) from None
        self.session.secured()

    def start_tls(self) -> None:
        """Be greeted in clear and say nothing there but STARTTLS, then begin TLS.

        Raises:
            SendDeferred, SettingsError: As `greet` and `encrypt`, or STARTTLS is not offered or refused.
        """
        self.connection.run(self.session.greet())
        self.connection.run(self.session.start_tls())
        self.encrypt()

    def greet(self) -> None:
        """Be greeted, and learn what the server offers.

        Raises:
            SendDeferred: It did not go as it should.
        """
        self.connection.run(self.session.greet())

    def greet_again(self) -> None:
        """Learn what the server offers under encryption (RFC 3207 4.2).

        Raises:
            SendDeferred: It did not answer as it should.
        """
        self.connection.run(self.session.hello())

    def sign_in(self) -> None:
        """Sign in by the first mechanism of the settings that is offered, and by no other should it be refused.

        Where a token is refused and the connector has another, that is tried once, on a new connection (rule 24).

        Raises:
            SignInNeeded: The credential was refused, or there is none.
            SendDeferred: The server can't check it now, or offers no way that the settings allow.
        """
        self._refuse_clear_text()
        mechanism = self.mechanism
        proof = proof_for(self.credentials, mechanism, self.settings.server)
        refused = self._signed_in(mechanism, proof)
        if refused is None:
            return
        again = another_token(self.credentials, proof, self.settings.server)
        if again:
            self._connect_again()
            refused = self._signed_in(self.mechanism, again)
        if refused is not None:
            raise refused

    def _connect_again(self) -> None:
        """Open the line anew up to the sign-in: after a refused one servers hang up, or count against the account.

        Raises:
            SendDeferred: It did not go as it should, or leads to another machine than before, in clear.
        """
        self.drop()
        for _, stage in self.stages()[:-1]:
            stage()
        self._refuse_clear_text()

    def _signed_in(self, mechanism: str, proof: str) -> SignInNeeded | None:
        """Sign in; return the refusal of a token, for which there may be another, and raise any other."""
        dialogue = dialogue_for(mechanism, self.settings.username, proof)
        try:
            self.connection.run(self.session.sign_in(dialogue))
        except SignInNeeded as error:
            refusal = understood(error, self.settings, dialogue)
        else:
            return None
        if is_of_token(refusal):
            return refusal
        raise refusal

    def prepare(self, submission: Submission) -> Transaction:
        """Return *submission* ready for this server; nothing is said to it.

        Raises:
            MessageError: It can't go to this server.
        """
        return Transaction.of(
            submission, self.session.offered, encrypted=self.session.encrypted, security=self.security
        )

    def announce(self, submission: Submission) -> tuple[Transaction, Mapping[str, Answer]]:
        """Announce *submission*, unless that was done already, and return what was answered for each recipient.

        Raises:
            MessageError: It can't go to this server.
            SendDeferred, SendRejected, SignInNeeded: The server does not want it. Nothing left.
        """
        ahead = self.session.ahead
        transaction = ahead or self.prepare(submission)
        answers = self.connection.run(self.session.announce(transaction))
        # One that was announced behind the last message may have waited long for us.
        in_step = self.connection.in_step and (ahead is None or self.connection.is_quiet())
        if not in_step:
            raise self.session.out_of_step(closed=self.connection.in_step)
        return transaction, answers

    def is_usable(self, submission: Submission) -> bool:
        """Whether the line may carry *submission*: in step, not closed, and, after a long rest, answering.

        One on which another message was announced may not.
        """
        rested = time.monotonic() - self.connection.last_used
        if not self.may_be_kept or rested > RENEW_AFTER:
            return False
        if self.session.ahead is not None:
            return self.session.ahead.submission is submission
        return self.connection.is_quiet() and (rested < ASK_AFTER or self._answers())

    @property
    def takes_ahead(self) -> bool:
        """Whether the next message may be announced behind the content of the one in hand."""
        known = lockstep.is_remembered(self.settings.server, self.settings.port)
        return self.session.offered.pipelining and self.session.takes_ahead and not known

    @property
    def may_be_kept(self) -> bool:
        """Whether a command may follow some time."""
        return self.session.phase in _KEPT and not self.connection.is_busy

    def close(self) -> None:
        """Take leave where a command may stand, and close."""
        if not hasattr(self, "connection"):
            return
        if self.session.phase in _KEPT and self.session.ahead is None:
            self.connection.quit()
        self.connection.drop()

    def drop(self) -> None:
        """Close at once, whatever is half said; what was not ended by its dot is forgotten by the server."""
        if hasattr(self, "connection"):
            self.connection.drop()

    @property
    def mechanism(self) -> str:
        """The SASL mechanism that is used here.

        Raises:
            SendDeferred: The server offers none that the settings allow.
        """
        return mechanism_for(self.settings, self.session.offered.mechanisms)

    def identity(self) -> Identity | None:
        """Return what this side shows of itself under TLS, or None.

        Raises:
            SignInNeeded, SettingsError: The password for its key can't be read.
        """
        settings = self.settings
        if not settings.client_certificate:
            return None
        known = required(self.credentials, "tls") if settings.client_key_password else None
        password = known.secret("client_key_password") if known else ""
        return Identity(settings.client_certificate, settings.client_key, password)

    @property
    def greeting(self) -> str:
        """The server's first words, "" before it has spoken."""
        return self.session.greeting if hasattr(self, "session") else ""

    @property
    def trust(self) -> tls.Trust:
        """Which certificates of the server are accepted."""
        return tls.Trust(self.settings.ca_file, self.settings.fingerprint)

    @functools.cached_property
    def security(self) -> str:
        """How the open line is protected, for the receipt: version, cipher, and how the certificate was checked."""
        wrapped = self.connection.encrypted
        if wrapped is None:
            return "in clear"
        version = (wrapped.version() or "").replace("TLSv", "TLS ")
        cipher = (wrapped.cipher() or ("",))[0]
        checked = "certificate as pinned" if self.settings.fingerprint else "certificate verified"
        return ", ".join(filter(None, (version, cipher, checked)))

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace(line)

    def _answers(self) -> bool:
        try:
            self.connection.run(self.session.still_there())
        except SendDeferred:
            self.connection.drop()
            return False
        return True

    def _refuse_clear_text(self) -> None:
        """Keep a credential from going in clear to any other machine, whatever its name says (rule 17).

        What is connected with a proxy is the proxy, so nothing is known of the machine behind it.

        Raises:
            SendDeferred: It would.
        """
        is_here = not self.settings.proxy and is_loopback(self.connection.peer)
        if self.session.encrypted or is_here:
            return
        error = SendDeferred(
            f"The connection to {self.settings.server} is not encrypted, and a password is not sent like that; nothing"
            " left.",
            stage="sign-in",
            cure="Set encryption = starttls or tls.",
        )
        raise marked(error, "sign-in-in-clear")

    def _with_certificate(self, error: SendDeferred) -> SendDeferred:
        """Return *error* with what the refused certificate says of itself, from a second look at it."""
        finding = finding_of(error, "")
        if finding not in _ABOUT_CERTIFICATE:
            return error
        shown = self._shown_certificate()
        if shown is None:
            return error
        about = {
            "tls-expired": f"It expired on {shown.not_after:%Y-%m-%d}.",
            "tls-not-yet-valid": f"It is valid from {shown.not_before:%Y-%m-%d}; here it is {today():%Y-%m-%d}.",
            "tls-wrong-name": f"It is for {shown.shown_names}.",
        }.get(finding, f"It is for {shown.shown_names}; its fingerprint is {shown.fingerprint}.")
        told = SendDeferred(f"{error.detail} {about}", stage=error.stage, cure=error.cure)
        return marked(told, finding)

    def _shown_certificate(self) -> Certificate | None:
        """Connect once more, look at the certificate, and say nothing but what leads to it."""
        again = Line(self._hasty_settings, self._network, self.credentials)
        try:
            again.connect()
            if self.settings.encryption is Encryption.STARTTLS:
                again.connection.run(again.session.greet())
                again.connection.run(again.session.start_tls())
            return again.connection.look(self.settings.server)
        except SendDeferred:
            return None
        finally:
            again.drop()

    @property
    def _hasty_settings(self) -> SmtpSettings:
        import attrs

        return attrs.evolve(self.settings, timeout=min(self.settings.timeout, LOOK_SECONDS))


_KEPT = frozenset({Phase.READY, Phase.BEGUN, Phase.AHEAD})
_ABOUT_CERTIFICATE = {
    "tls-expired", "tls-not-yet-valid", "tls-wrong-name", "tls-self-signed", "tls-unknown-authority",
}  # fmt: skip


def today() -> dt.datetime:
    """Return this moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


@functools.lru_cache(maxsize=64)
def literal(address: str) -> str:
    """Return a numeric *address* as an address literal (RFC 5321 4.1.3)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return f"[{inner}]" if inner.version == 4 else f"[IPv6:{inner}]"


def is_loopback(address: str) -> bool:
    """Whether the numeric *address* is this machine itself; of no address, that it is not."""
    if not address:
        return False
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
