"""AUTH PLAIN and LOGIN as the server sees them (RFC 4954, RFC 4616); no sockets here."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

_CHALLENGES = {"PLAIN": (b"",), "LOGIN": (b"Username:", b"Password:")}

ACCEPTED = b"235 2.7.0 signed in\r\n"
REFUSED = b"535 5.7.8 the credentials are not valid\r\n"
CANCELLED = b"501 5.7.0 cancelled\r\n"
MALFORMED = b"501 5.5.2 that is not base64\r\n"
UNKNOWN = b"504 5.5.4 no such mechanism\r\n"


class SignIn:
    """One AUTH exchange: hears what the client sends and knows the usual answer.

    Args:
        command: The AUTH command, without its line end.
        users: Who can sign in: name -> password.

    Attributes:
        usual: The reply a well-behaved server gives now.
        user: Who wants to sign in, as far as that was said; the mechanism's name where only a script could tell.
    """

    def __init__(self, command: bytes, users: Mapping[str, str]) -> None:
        _, _, parameters = command.partition(b" ")
        mechanism, _, initial = parameters.partition(b" ")
        self._mechanism = mechanism.decode("ascii", "replace").upper()
        self._users = users
        self._said: list[bytes] = []
        self.usual = self._next()
        if initial and self.usual != UNKNOWN:
            self.hear(b"" if initial == b"=" else initial)

    @property
    def user(self) -> str:
        parts = self._parts()
        return parts[0] if parts else self._mechanism

    def hear(self, response: bytes) -> None:
        """Take a line of the client's, without its line end."""
        try:
            self._said.append(base64.b64decode(response, validate=True))
        except binascii.Error:
            self.usual = CANCELLED if response == b"*" else MALFORMED
        else:
            self.usual = self._next()

    def _next(self) -> bytes:
        challenges = _CHALLENGES.get(self._mechanism)
        if challenges is None:
            return UNKNOWN
        if len(self._said) < len(challenges):
            return b"334 %s\r\n" % base64.b64encode(challenges[len(self._said)])
        parts = self._parts()
        return ACCEPTED if parts and self._users.get(parts[0]) == parts[1] else REFUSED

    def _parts(self) -> tuple[str, str] | None:
        """Return user and password, where both were said."""
        said = self._said
        if self._mechanism == "PLAIN" and said:
            said = said[0].split(b"\0")[1:]
        if len(said) != 2:
            return None
        user, password = (octets.decode("utf-8", "backslashreplace") for octets in said)
        return user, password
