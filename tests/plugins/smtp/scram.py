"""The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), as a script for the scripted server."""

from __future__ import annotations

import base64
import hashlib
import hmac

from pillarbox.testing.smtp_server import Behaviour, Reply, Turn

SALT, ROUNDS = b"0123456789abcdef", 4096


class ScramServer:
    """Signs in who knows the password; one exchange at a time.

    Attributes:
        at: Its script, by point.
    """

    def __init__(self, password: str) -> None:
        self._salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, ROUNDS)
        self._client_first = self._server_first = ""
        self._verified = False
        self.at = {"auth": self._start, "auth-continue": self._continue}

    def _start(self, turn: Turn) -> Behaviour:
        self._verified = False
        self._client_first = _decoded(turn.line.split()[-1]).removeprefix("n,,")
        nonce = self._client_first.partition(",r=")[2]
        salt = base64.b64encode(SALT).decode()
        self._server_first = f"r={nonce}-of-the-server,s={salt},i={ROUNDS}"
        return Reply(334, base64.b64encode(self._server_first.encode()).decode())

    def _continue(self, turn: Turn) -> Behaviour:
        if self._verified:
            return Reply(235, "2.7.0 signed in")
        without_proof, _, proof = _decoded(turn.line.strip()).rpartition(",p=")
        signed = f"{self._client_first},{self._server_first},{without_proof}".encode()
        key = self._key(b"Client Key")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        expected = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        if base64.b64decode(proof) != expected:
            return Reply(535, f"5.7.8 no: {proof} {turn.line.decode().strip()}")
        self._verified = True
        final = b"v=" + base64.b64encode(hmac.digest(self._key(b"Server Key"), signed, "sha256"))
        return Reply(334, base64.b64encode(final).decode())

    def _key(self, name: bytes) -> bytes:
        return hmac.digest(self._salted, name, "sha256")


def _decoded(word: bytes) -> str:
    return base64.b64decode(word).decode()
