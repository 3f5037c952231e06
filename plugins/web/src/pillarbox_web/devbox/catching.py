"""The server that takes every mail, for everybody, and sends none of it on."""

from __future__ import annotations

from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from .box import LARGEST_MAIL, Box

MOST_RECIPIENTS = 1_000


class Catcher:
    """Takes mail on a port of this computer, with any password or none, into a box. A context manager."""

    def __init__(self, box: Box, port: int) -> None:
        self.box, self.port = box, port
        self._controller = _Controller(self, "127.0.0.1", port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Take a recipient, up to a bound."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the mail."""
        who = session.auth_data if isinstance(session.auth_data, str) else ""
        octets = envelope.original_content or b""
        try:
            one = self.box.put(envelope.mail_from or "", envelope.rcpt_tos, octets, who)
        except OSError as error:
            return f"452 4.3.1 It can't be written to the folder of --keep: {error.strerror}"
        return f"250 OK caught as {one.id}; it goes nowhere"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            hostname="localhost",
            ident="pillarbox devbox",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=_anybody,
        )


def _anybody(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    """Let everybody sign in: what is tried here is a program, not a password, which nobody keeps."""
    login = getattr(data, "login", b"") or b""
    return AuthResult(success=True, auth_data=login.decode("utf-8", "replace")[:320])
