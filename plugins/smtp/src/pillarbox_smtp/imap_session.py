"""A session with an IMAP server: opened stage by stage, every end of it told as trouble with a code."""

from __future__ import annotations

import contextlib
import hashlib
import imaplib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from pillarbox import Credentials, Network, PillarboxError, SendDeferred, quotation

from . import tls
from .fields import Encryption
from .imap_folders import quoted
from .imap_wire import CRLF, Client, Deadline, How, Lost, Secrets
from .judgement import finding_of
from .line import is_loopback
from .sasl import Dialogue, SaslError
from .signing_in import dialogue_for

TOKEN_PURPOSE = "imap"  # noqa: S105  (what the token is for)
Way = Callable[[str, int, float], socket.socket]


@attrs.frozen(kw_only=True)
class Access:
    """Where a mailbox is, and who opens it.

    Attributes:
        secret: The field of the password, or "" for a token.
        mechanisms: The SASL mechanisms that may be used, the preferred first.
        is_direct: Whether nothing stands between; what a proxy connects is never this machine itself.
    """

    server: str
    port: int
    encryption: Encryption
    username: str
    secret: str
    mechanisms: tuple[str, ...]
    trust: tls.Trust = tls.Trust()
    is_direct: bool = True

    @property
    def place(self) -> str:
        """Host and port, as a person reads them."""
        return f"[{self.server}]:{self.port}" if ":" in self.server else f"{self.server}:{self.port}"


class Trouble(Exception):
    """Why a mailbox could not be used.

    Attributes:
        code: Of the finding.
        detail: A sentence.
        cure: What to do, or "".
        how: How the connection was lost; None where it stands.
        in_doubt: Whether what was asked for may have been done all the same.
    """

    def __init__(
        self, code: str, detail: str, cure: str = "", *, how: How | None = None, in_doubt: bool = False
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.cure = cure
        self.how = how
        self.in_doubt = in_doubt


class Session:
    """One connection to one server. Whatever goes wrong is `Trouble`; `deadline` is for all that follows.

    Args:
        access: Where it is.
        network: How to reach it.
        credentials: The account's, or None.
        way: Gives the way through a proxy, or None.
        trace: Takes lines of the conversation, redacted.
    """

    def __init__(
        self,
        access: Access,
        network: Network,
        credentials: Credentials | None,
        way: Callable[[], Way | None],
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.access = access
        self.deadline: Deadline = Deadline(0)
        self._network = network
        self._credentials = credentials
        self._way = way
        self._trace = trace
        self._client: Client | None = None
        self._capabilities: frozenset[str] = frozenset()
        self._examined: str = ""
        self._refused = b""
        self._secrets = Secrets()
        self._secured: str = ""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    @property
    def protection(self) -> str:
        """The version of TLS, or ""."""
        return self._secured

    def connect(self) -> None:
        """Connect, be greeted, and begin TLS as the settings say; nothing but that is said in clear."""
        self._note(f"-- connecting to {self.access.place} by IMAP")
        with self._closed_on_error():
            with self._foreign("copy-unreachable"):
                sock = self._network.connect(
                    self.access.server, self.access.port, timeout=self.deadline.left, through=self._way()
                )
            self._greet(self._wrapped(sock) if self.access.encryption is Encryption.TLS else sock)
            if self.access.encryption is Encryption.STARTTLS:
                self._start_tls()

    def _greet(self, sock: socket.socket) -> None:
        with self._told("copy-greeting-refused", "does not take connections"):
            self._client = Client(sock, self.deadline, self._trace, self._secrets)
        self._capabilities = frozenset(self._client.capabilities)
        if self._client.state != "NONAUTH":
            raise Trouble(
                "copy-preauth",
                f"{self.access.server} takes us for signed in before we were; it got no password.",
                "Somebody on the way may be putting words into the server's mouth. Ask who runs it.",
            )

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        with self._foreign("copy-tls-failed"):
            wrapped = tls.encrypt(
                sock, self.access.server, self.access.trust, seconds=max(0.001, self.deadline.left)
            )
        self._secured = (wrapped.version() or "").removeprefix("TLSv") or "?"
        return wrapped

    def _start_tls(self) -> None:
        client = self._open_client()
        if "STARTTLS" not in self._capabilities:
            raise Trouble(
                "copy-tls-not-offered", f"{self.access.server} does not offer STARTTLS.", _OTHER_PORT
            )
        with self._told("copy-tls-refused", "refused STARTTLS"):
            self._must(client.xatom("STARTTLS"), "copy-tls-refused", "refused STARTTLS")
        if client.pending:
            raise Trouble(
                "copy-tls-injected",
                f"{self.access.server} sent something in clear behind its answer to STARTTLS.",
                "Somebody on the way may be putting words into the server's mouth. Set encryption = tls (port 993).",
            )
        client.swap(self._wrapped)
        client.untagged_responses = {}  # what was said in clear
        self._ask_capabilities()

    def _ask_capabilities(self) -> None:
        client = self._open_client()
        with self._told("copy-garbage", "does not say what it can do"):
            typ, data = client.capability()
        words = b" ".join(one for one in data if isinstance(one, bytes)) if typ == "OK" else b""
        self._capabilities = frozenset(words.decode("ascii", "replace").upper().split())

    def sign_in(self) -> None:
        """Sign in by the first mechanism of the account that is offered, and by no other should it be refused."""
        with self._closed_on_error():
            client = self._open_client()
            self._refuse_clear_text(client)
            mechanism = self._mechanism()
            with self._foreign("copy-sign-in-failed"):
                proof = self._secret()
            self._refuse_again(proof)
            self._secrets.add(proof)
            client.is_hidden = True
            try:
                with self._told("copy-sign-in-refused", "refused the sign-in", self._cure):
                    self._say_who(client, mechanism, proof)
            except Trouble as trouble:
                raise self._remembered(trouble, proof) from None
            client.is_hidden = False
            self._ask_capabilities()

    def _refuse_again(self, proof: str) -> None:
        if self._refused == _digest(proof):
            what = "password" if self.access.secret else "token"
            said = f"{self.access.server} has refused this {what}; it is not tried again."
            raise Trouble("copy-sign-in-refused", said, self._cure)

    def has_another_token(self) -> bool:
        """Whether the connector gives another token than the one that was refused last; of a password there is no other.

        Raises:
            Trouble: It gives none.
        """
        if self.access.secret or self._credentials is None or not self._refused:
            return False
        with self._foreign("copy-sign-in-failed"):
            token = self._secret()
            if self._refused == _digest(token):
                self._credentials.refuse(token)
                token = self._secret()
        return self._refused != _digest(token)

    @property
    def _cure(self) -> str:
        return _SIGN_IN if self.access.secret else _CONNECT

    def _remembered(self, trouble: Trouble, proof: str) -> Trouble:
        """Return *trouble* with a sign-in, and keep in mind which password it is about."""
        if trouble.code != "copy-sign-in-refused":
            return trouble
        if any(word in trouble.detail.upper() for word in _FOR_NOW):
            return Trouble("copy-sign-in-unavailable", trouble.detail)
        self._refused = _digest(proof)
        return trouble

    def _say_who(self, client: Client, mechanism: str, proof: str) -> None:
        try:
            if mechanism == "LOGIN" and "AUTH=LOGIN" not in self._capabilities:
                _ = quoted(proof)  # raises for what a quoted string can't hold
                client.login(quoted(self.access.username), proof)
                return
            with self._foreign("copy-sign-in-wrong"):
                dialogue = dialogue_for(mechanism, self.access.username, proof)
            client.authenticate(mechanism, _answering(dialogue))
        except (SaslError, ValueError) as error:
            said = (
                str(error) if isinstance(error, SaslError) else "the server or the password is not plain text"
            )
            raise Trouble("copy-sign-in-wrong", f"Signing in by IMAP is not possible: {said}.") from None
        if not dialogue.proven:
            raise Trouble(
                "copy-sign-in-wrong", f"{self.access.server} did not prove that it knows the password."
            )

    def _secret(self) -> str:
        if self._credentials is None:
            raise Trouble("copy-sign-in-failed", "No credentials were given for this account.")
        if self.access.secret:
            return self._credentials.secret(self.access.secret)
        return self._credentials.token(TOKEN_PURPOSE, host=self.access.server)

    def _refuse_clear_text(self, client: Client) -> None:
        is_here = self.access.is_direct and is_loopback(client.peer)
        if not self._secured and not is_here:
            raise Trouble(
                "copy-sign-in-in-clear",
                f"The connection to {self.access.server} is not encrypted, and a password is not sent like that.",
                "Set encryption = tls or starttls.",
            )

    def _mechanism(self) -> str:
        for name in self.access.mechanisms:
            by_command = name == "LOGIN" and "LOGINDISABLED" not in self._capabilities
            if by_command or f"AUTH={name}" in self._capabilities:
                return name
        wanted = ", ".join(self.access.mechanisms)
        raise Trouble(
            "copy-sign-in-mechanism", f"{self.access.server} offers none of {wanted} for signing in by IMAP."
        )

    def close(self) -> None:
        """Take leave without waiting for an answer, and close."""
        if self._client is not None:
            self._client.begin(Deadline(1))
            with contextlib.suppress(Lost):
                self._client.send(b"Z0 LOGOUT" + CRLF)
        self.drop()

    def drop(self) -> None:
        """Close at once."""
        client, self._client = self._client, None
        self._examined, self._secured = "", ""
        if client is not None:
            client.shutdown()

    def _open_client(self) -> Client:
        if self._client is None:
            raise Trouble("copy-closed", f"There is no connection to {self.access.server}.", how=How.CLOSED)
        return self._client

    @contextlib.contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.drop()
            raise

    @contextlib.contextmanager
    def _told(self, code: str, did: str, cure: str = "") -> Iterator[None]:
        """Begin an exchange, and tell what goes wrong in it: a refusal as *code*, the end of the connection as it is."""
        if self._client is not None:
            self._client.begin(self.deadline)
        try:
            yield
        except Lost as lost:
            if self._client is not None and self._client.untagged_responses.get("BYE"):
                raise self._broken_off(lost) from None  # it took leave, and only did not close
            how = lost.how
        except imaplib.IMAP4.abort as error:
            raise self._broken_off(error) from None
        except imaplib.IMAP4.error as error:
            raise Trouble(code, f'{self.access.server} {did}: "{self._words(error)}".', cure) from None
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._broken_off(error) from None
        else:
            return
        self.drop()
        code = f"copy-{how.name.lower().replace('_', '-')}"
        raise Trouble(code, f"{self.access.server} {how.value}.", _ON_THE_WAY, how=how)

    def _broken_off(self, error: Exception) -> Trouble:
        """Return what it means that the server took leave, or said what imaplib can't read; and close."""
        farewell = self._client.response("BYE")[1][-1] if self._client is not None else None
        self.drop()
        server = self.access.server
        if farewell is not None:
            said = f'{server} took leave: "{self._words(farewell)}".'
            return Trouble("copy-closed", said, _ON_THE_WAY, how=How.CLOSED)
        said = f"{server} {How.GARBAGE.value} ({type(error).__name__})."
        return Trouble("copy-garbage", said, _OTHER_PORT, how=How.GARBAGE)

    @contextlib.contextmanager
    def _foreign(self, code: str) -> Iterator[None]:
        """Tell an error of pillarbox's own, which speaks of a message, as trouble with a mailbox."""
        try:
            yield
        except PillarboxError as error:
            found = finding_of(error, "") if isinstance(error, SendDeferred) else ""
            detail = error.detail.removesuffix(" Nothing left.").replace("; nothing left", "")
            raise Trouble(f"copy-{found}" if found.startswith("tls-") else code, detail, error.cure) from None

    def _must(self, answer: tuple[str, Any], code: str, did: str, cure: str = "") -> list[Any]:
        """Return the data of an *answer* that is OK."""
        typ, data = answer
        if typ == "OK":
            return list(data)
        raise Trouble(code, f'{self.access.server} {did}: "{self._words(data[-1])}".', cure)

    def _words(self, said: object) -> str:
        """Return what a server said, out of the exceptions and answers of imaplib, as a quotation without secrets."""
        inner = said.args[0] if isinstance(said, Exception) and said.args else said
        return self._secrets.blank(quotation(inner if isinstance(inner, (str, bytes)) else "nothing"))

    def _note(self, line: str) -> None:
        if self._trace is not None:
            self._trace(line)


_OTHER_PORT = "Check that the port and the encryption belong together: TLS 993, STARTTLS 143."
_ON_THE_WAY = f"Look whether the server and what lies on the way are well. {_OTHER_PORT}"
_SIGN_IN = "Check that the mailbox allows IMAP, and the user name and the password of saved_copy."
_CONNECT = "Check that the mailbox allows IMAP, and connect the account again, with send and confirm."
_FOR_NOW = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


def _digest(secret: str) -> bytes:
    """Return what a refused secret is known by again; forty copies must not lock a mailbox (rule 28)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _answering(dialogue: Dialogue) -> Callable[[bytes], bytes]:
    """Return what answers challenges: the first, which is empty, with the initial response where there is one."""
    first = dialogue.first()
    waiting = [] if first is None else [first]
    return lambda challenge: waiting.pop() if waiting else dialogue.respond(challenge)
