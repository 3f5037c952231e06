"""The demo's mail server: aiosmtpd on loopback, which asks for a sign-in and keeps what it accepts in memory."""

from __future__ import annotations

import contextlib
import email
import hashlib
import logging
import secrets
import socket
import warnings
from collections.abc import Callable, Sequence
from email import policy
from typing import Any, Self

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

LARGEST = 10 * 1024 * 1024
"""Octets of one message."""
MOST_MAILS = 1_000
"""What is kept; older ones are forgotten."""


@attrs.frozen
class Mail:
    """A message that the server accepted."""

    queue_id: str
    shown: str
    subject: str
    envelope_sender: str
    recipients: tuple[str, ...]
    signed_in_as: str
    attachment: str
    attachment_size: int
    attachment_sha256: str


class DemoServer:
    """A server with three logins. A context manager.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        passwords: User name -> password, made anew each time.
        mails: What it accepted.
        show: Takes each of them too: its envelope's sender and recipients, its octets, and who had signed in.
    """

    def __init__(self) -> None:
        self.passwords = {
            f"{name}@acme.example": secrets.token_urlsafe(12) for name in ("orders", "otto", "carl")
        }
        self.mails: list[Mail] = []
        self.show: Callable[[str, Sequence[str], bytes, str], object] | None = None
        self.port = 0
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        # aiosmtpd warns, in each of its threads, of sign-ins in clear; here they cross loopback only.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
        self._controller = self._started()
        return self

    def _started(self) -> Controller:
        """Return the server, listening; another port is tried when somebody took the free one meanwhile."""
        for attempt in range(5):
            self.port = _free_port()
            controller = Controller(
                self,
                hostname="127.0.0.1",
                port=self.port,
                auth_required=True,
                auth_require_tls=False,
                authenticator=self._authenticate,
                data_size_limit=LARGEST,
                enable_SMTPUTF8=True,
                ident="pillarbox demo",
            )
            try:
                controller.start()
            except OSError:
                if attempt == 4:
                    raise
            else:
                return controller
        raise AssertionError("unreachable")

    def __exit__(self, *_: object) -> None:
        if self._controller is not None:
            with contextlib.suppress(RuntimeError):
                self._controller.stop()

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        wanted = self.passwords.get(data.login.decode("utf-8", "replace"), "")
        good = bool(wanted) and secrets.compare_digest(wanted.encode(), data.password)
        # handled: nobody has answered yet, so aiosmtpd has to; without it a wrong password gets no reply at all.
        name = data.login.decode("utf-8", "replace")
        return AuthResult(success=good, handled=False, auth_data=name if good else None)

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        """Keep the message, and answer with a queue id."""
        queue_id = secrets.token_hex(5)
        self.mails.append(_mail(queue_id, envelope, str(session.auth_data)))
        del self.mails[:-MOST_MAILS]
        if self.show is not None:
            self.show(envelope.mail_from, envelope.rcpt_tos, envelope.content, str(session.auth_data))
        return f"250 2.0.0 Ok: queued as {queue_id}"


def _mail(queue_id: str, envelope: Any, signed_in_as: str) -> Mail:
    message: Any = email.message_from_bytes(envelope.content, policy=policy.default)
    attached = next(message.iter_attachments(), None)
    content = (attached.get_payload(decode=True) or b"") if attached else b""
    return Mail(
        queue_id=queue_id,
        shown=str(message["From"]),
        subject=str(message["Subject"]),
        envelope_sender=envelope.mail_from,
        recipients=tuple(envelope.rcpt_tos),
        signed_in_as=signed_in_as,
        attachment=(attached.get_filename() or "") if attached else "",
        attachment_size=len(content),
        attachment_sha256=hashlib.sha256(content).hexdigest(),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
