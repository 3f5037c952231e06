"""The SMTP transport alone before a real server, with octets that no composer has touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pillarbox import Credentials, Envelope, SignInNeeded, Submission
from pillarbox.settings import Secret
from pillarbox_smtp import SmtpSettings, SmtpTransport
from tests.services._client import CUSTOMER, LETTER, ORDERS
from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Server


class Password(Credentials):
    """Credentials that hold one password."""

    def __init__(self, password: str) -> None:
        self._password = password

    def secret(self, name: str) -> str:
        return self._password

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        raise SignInNeeded(f"There is no token for {purpose}.")

    def update(self, change: Any) -> None:
        raise AssertionError(change)


def transport_to(server: Server, authority: Authority, **given: Any) -> SmtpTransport:
    """Return a transport that signs in as the orders mailbox over STARTTLS, but for what is *given*."""
    usual: dict[str, Any] = {
        "server": "localhost",
        "port": server.starttls_port,
        "username": ORDERS,
        "password": Secret(env="PASSWORD"),
        "ca_file": str(authority.ca_file),
        "timeout": 20.0,
    }
    settings = SmtpSettings(**(usual | given))
    return SmtpTransport(settings, Password(LOGINS.get(settings.username, "")))


def submission(
    content: bytes = LETTER, *, sender: str = ORDERS, to: tuple[str, ...] = (CUSTOMER,), **options: Any
) -> Submission:
    """Return a submission of *content*, cut in the middle; *options* are SMTP's."""
    middle = len(content) // 2
    return Submission(
        key="0" * 32,
        message_id="<1@acme.example>",
        envelope=Envelope(sender, to),
        chunks=(content[:middle], content[middle:]),
        header_size=content.find(b"\r\n\r\n") + 2,
        options=options,
    )


def letter(number: int, **given: Any) -> Submission:
    """Return a short submission with *number* as its subject."""
    return submission(b"Subject: %d\r\n\r\nx\r\n" % number, **given)
