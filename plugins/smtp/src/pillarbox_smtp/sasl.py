"""The mechanisms of signing in (RFC 4422), without any I/O: what to say first, and what to answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Protocol

LEAST_ITERATIONS = 4_096
"""Of PBKDF2, below which a server is not believed to be one (RFC 7677 4)."""
MOST_ITERATIONS = 1_000_000
"""Above which a server is taken to be after our time."""


class SaslError(Exception):
    """The server's part of the exchange is not what the mechanism allows. Its text is a clause without secrets."""


class Dialogue(Protocol):
    """One exchange. It is used once.

    Attributes:
        name: The mechanism's.
        secrets: What must not appear anywhere, should the server repeat it; an answer may add to it.
        proven: Whether all is done that the mechanism asks of the server before it may be believed.
    """

    name: str
    secrets: tuple[str, ...]
    proven: bool

    def first(self) -> bytes | None:
        """Return the initial response, or None where the server speaks first."""

    def respond(self, challenge: bytes) -> bytes:
        """Return the answer to *challenge*.

        Raises:
            SaslError: There is none.
        """


class _Scripted:
    """A dialogue whose answers don't depend on the challenges."""

    proven = True

    def __init__(self, name: str, secrets: tuple[str, ...], first: bytes | None, *answers: bytes) -> None:
        self.name = name
        self.secrets = secrets
        self._first = first
        self._answers = list(answers)

    def first(self) -> bytes | None:
        """See `Dialogue`."""
        return self._first

    def respond(self, challenge: bytes) -> bytes:
        """See `Dialogue`."""
        if not self._answers:
            raise SaslError("the server asked for more than the mechanism has to say")
        return self._answers.pop(0)


def plain(username: str, password: str) -> Dialogue:
    """Return PLAIN (RFC 4616)."""
    return _Scripted("PLAIN", (password,), f"\0{_text(username)}\0{_text(password)}".encode())


def login(username: str, password: str) -> Dialogue:
    """Return LOGIN, which no RFC describes: two prompts, two answers."""
    return _Scripted("LOGIN", (password,), None, _text(username).encode(), _text(password).encode())


class Bearer(_Scripted):
    """XOAUTH2 and OAUTHBEARER: a token, and one answer to a challenge, which is an error.

    Attributes:
        told: What that error says of the token, in our words; "" where it says nothing known.
    """

    told: str = ""

    def respond(self, challenge: bytes) -> bytes:
        """See `Dialogue`."""
        self.told = _TOKEN_ERRORS.get(_status(challenge), "")
        return super().respond(challenge)


def xoauth2(username: str, token: str) -> Dialogue:
    """Return XOAUTH2 of Google and Microsoft; an error comes as a challenge and is answered with nothing."""
    first = f"user={_text(username)}\x01auth=Bearer {_text(token)}\x01\x01"
    return Bearer("XOAUTH2", (token,), first.encode(), b"")


def oauthbearer(username: str, token: str) -> Dialogue:
    """Return OAUTHBEARER (RFC 7628); an error comes as a challenge and is answered with ^A (3.2.3)."""
    name = _text(username).replace("=", "=3D").replace(",", "=2C")
    first = f"n,a={name},\x01auth=Bearer {_text(token)}\x01\x01"
    return Bearer("OAUTHBEARER", (token,), first.encode(), b"\x01")


def _status(challenge: bytes) -> str:
    """Return the status in the JSON of a token's error (RFC 7628 3.2.2), or ""."""
    try:
        told = json.loads(challenge)
    except (ValueError, RecursionError):
        return ""
    return str(told.get("status", "")) if isinstance(told, dict) else ""


_TOKEN_ERRORS = {
    "401": "the token is not valid, or is another account's",
    "invalid_token": "the token is not valid, or is another account's",
    "400": "the token does not fit this account",
    "invalid_request": "the token does not fit this account",
    "403": "the token does not allow sending by SMTP",
    "insufficient_scope": "the token does not allow sending by SMTP",
}
"""What the statuses say. Their texts are ours, because a server may put anything there, the token too."""


def external(username: str) -> Dialogue:
    """Return EXTERNAL (RFC 4422, appendix A): TLS has shown who we are, and what is said is whom we act as."""
    return _Scripted("EXTERNAL", (), _text(username).encode())


class CramMd5:
    """CRAM-MD5 (RFC 2195): weak, and used only when the settings name it."""

    name = "CRAM-MD5"
    proven = True

    def __init__(self, username: str, password: str) -> None:
        self.secrets: tuple[str, ...] = (password,)
        self._username = _text(username)
        self._password = _text(password)
        self._answered = False

    def first(self) -> bytes | None:
        """See `Dialogue`."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """See `Dialogue`."""
        if self._answered:
            raise SaslError("the server asked for more than the mechanism has to say")
        self._answered = True
        digest = hmac.new(self._password.encode(), challenge, "md5").hexdigest()
        self.secrets += (digest,)
        return f"{self._username} {digest}".encode()


class ScramSha256:
    """SCRAM-SHA-256 (RFC 5802, RFC 7677): the password is not sent, and the server proves that it knows it.

    Args:
        username: Who signs in.
        password: Their password.
        nonce: Printable, unpredictable, used once.
    """

    name = "SCRAM-SHA-256"

    def __init__(self, username: str, password: str, nonce: str) -> None:
        self.secrets: tuple[str, ...] = (password, nonce)
        self.proven: bool = False
        self._password = saslprep(password)
        self._nonce = nonce
        name = saslprep(username).replace("=", "=3D").replace(",", "=2C")
        self._first_bare = f"n={name},r={nonce}".encode()
        self._signature = b""
        self._next: Callable[[bytes], bytes] = self._proof

    def first(self) -> bytes | None:
        """See `Dialogue`."""
        return b"n,," + self._first_bare

    def respond(self, challenge: bytes) -> bytes:
        """See `Dialogue`."""
        return self._next(challenge)

    def _proof(self, challenge: bytes) -> bytes:
        """Answer the server's first message with the proof that we know the password (RFC 5802 3)."""
        nonce, salt, iterations = self._server_first(challenge)
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), salt, iterations)
        final_bare = b"c=biws,r=" + nonce
        signed = b",".join([self._first_bare, challenge, final_bare])
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = base64.b64encode(bytes(one ^ other for one, other in zip(client_key, signature, strict=True)))
        self.secrets += (proof.decode(),)
        self._signature = _hmac(_hmac(salted, b"Server Key"), signed)
        self._next = self._verify
        return final_bare + b",p=" + proof

    def _server_first(self, challenge: bytes) -> tuple[bytes, bytes, int]:
        fields = _fields(challenge)
        nonce, rounds = fields.get(b"r", b""), fields.get(b"i", b"")
        if b"m" in fields or not nonce.startswith(self._nonce.encode()) or len(nonce) == len(self._nonce):
            raise SaslError("the server's nonce does not answer ours")
        if not rounds.isdigit() or not LEAST_ITERATIONS <= int(rounds[:9]) <= MOST_ITERATIONS:
            raise SaslError(
                f"the server's number of iterations is not from {LEAST_ITERATIONS} to {MOST_ITERATIONS}"
            )
        return nonce, _decoded(fields.get(b"s", b"")), int(rounds)

    def _verify(self, challenge: bytes) -> bytes:
        """Believe the server, when its signature shows that it knows the password; the answer is empty.

        An error that it names (RFC 5802 7) gets an empty answer too, and the refusal follows as a reply.
        """
        self._next = self._nothing_more
        fields = _fields(challenge)
        if b"e" in fields:
            return b""
        if not hmac.compare_digest(_decoded(fields.get(b"v", b"")), self._signature):
            raise SaslError("the server did not prove that it knows the password")
        self.proven = True
        return b""

    def _nothing_more(self, challenge: bytes) -> bytes:
        raise SaslError("the server asked for more than the mechanism has to say")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _fields(message: bytes) -> dict[bytes, bytes]:
    return {name: value for name, _, value in (part.partition(b"=") for part in message.split(b","))}


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise SaslError("a field of the server's message is not base64") from None


def _text(value: str) -> str:
    """Return *value*, which must not hold what separates the fields of a mechanism."""
    if "\0" in value or "\x01" in value:
        raise SaslError("the user name or the password holds a character that can't be sent")
    return value


def saslprep(text: str) -> str:
    """Return *text* prepared as a user name or password for SCRAM (RFC 4013).

    Raises:
        SaslError: It holds what no server may accept.
    """
    if text.isascii() and text.isprintable():
        return text
    import stringprep
    import unicodedata

    mapped = (" " if stringprep.in_table_c12(one) else one for one in text if not stringprep.in_table_b1(one))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", "".join(mapped))
    tables = ["c12", "c21_c22", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]
    forbidden = any(getattr(stringprep, f"in_table_{name}")(one) for name in tables for one in prepared)
    if forbidden or not _reads_one_way(prepared):
        raise SaslError("the user name or the password holds a character that can't be sent")
    return prepared


def _reads_one_way(text: str) -> bool:
    """Whether *text* keeps the rule for text from right to left (RFC 3454 6)."""
    import stringprep

    right = [stringprep.in_table_d1(one) for one in text]
    if not any(right):
        return True
    return right[0] and right[-1] and not any(map(stringprep.in_table_d2, text))
