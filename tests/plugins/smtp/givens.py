"""What the tests of the SMTP method are given: submissions, settings, credentials, and a driver without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pillarbox import Credentials, Envelope, Secret, Stored, Submission
from pillarbox_smtp import Encryption, SmtpSettings
from pillarbox_smtp.capabilities import Capabilities
from pillarbox_smtp.envelope import Transaction
from pillarbox_smtp.judgement import Broken
from pillarbox_smtp.protocol import Ask, Steps
from pillarbox_smtp.replies import Reply, ReplyReader

T = TypeVar("T")
ORDERS, CUSTOMER, OTHER = "orders@acme.example", "ap@customer.example", "cfo@customer.example"
CONTENT = b"Subject: Invoice 1001\r\n\r\nGood morning.\r\n"
PASSWORD = "canary-tr0ub4dor&3"
TOKEN = "canary-ya29.token"
ALL = Capabilities(
    names=frozenset({"PIPELINING", "SIZE"}),
    mechanisms=("PLAIN", "LOGIN"),
    pipelining=True,
    starttls=True,
    eightbit=True,
    smtputf8=True,
    dsn=True,
    require_tls=True,
)
NONE = Capabilities()


def submission(
    content: bytes | tuple[bytes, ...] = CONTENT,
    *,
    sender: str | None = ORDERS,
    to: tuple[str, ...] = (CUSTOMER,),
    number: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Submission:
    """Return a submission of *content*, whose header ends at the first empty line."""
    chunks = content if isinstance(content, tuple) else (content,)
    return Submission(
        key=f"{number:032x}",
        message_id=f"<{number}@acme.example>",
        envelope=Envelope(sender, to),
        chunks=chunks,
        header_size=b"".join(chunks).find(b"\r\n\r\n") + 2,
        options=options or {},
    )


def transaction(offered: Capabilities = ALL, *, encrypted: bool = True, **given: Any) -> Transaction:
    """Return a submission made ready for a server with the capabilities *offered*."""
    return Transaction.of(submission(**given), offered, encrypted=encrypted)


def settings(**given: Any) -> SmtpSettings:
    """Return settings that wait two seconds for an answer; without a password no authentication."""
    usual: dict[str, Any] = {"server": "127.0.0.1", "timeout": 2.0, "final_timeout": 2.0}
    usual["encryption"] = Encryption.NONE
    usual["authenticate"] = bool(given.keys() & {"password", "sign_in"})
    return SmtpSettings(**(usual | given))


def signing_in(**given: Any) -> SmtpSettings:
    """Return settings of an account that signs in as the orders mailbox."""
    return settings(**({"username": ORDERS, "password": Secret(env="ACME_SMTP_PASSWORD")} | given))


class Known(Credentials):
    """Credentials that hold one password and one token, and count how often they were asked."""

    def __init__(self, password: str = PASSWORD, token: str = TOKEN) -> None:
        self._password = password
        self._token = token
        self.asked: list[str] = []

    def secret(self, name: str) -> str:
        """See `Credentials`."""
        self.asked.append(name)
        return self._password

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        """See `Credentials`."""
        self.asked.append(purpose)
        return self._token

    def update(self, change: Callable[[Stored | None], Any]) -> Stored | None:
        """See `Credentials`."""
        raise AssertionError(f"SMTP refreshes nothing itself: {change}")


def replies(octets: bytes) -> list[Reply]:
    """Return the replies in *octets*, all of them complete."""
    reader = ReplyReader()
    reader.feed(octets)
    assert not reader.pending
    return [reader.take() for _ in range(len(reader))]


def play(steps: Steps[T], *answers: bytes | Broken) -> tuple[list[Ask], T | Exception]:
    """Answer each question of *steps* in turn; return the questions, and what came of it: returned or raised."""
    asks: list[Ask] = []
    waiting = list(answers)
    try:
        ask = next(steps)
        while True:
            asks.append(ask)
            answer = waiting.pop(0)
            ask = steps.throw(answer) if isinstance(answer, Broken) else steps.send(replies(answer))
    except StopIteration as done:
        outcome: T | Exception = done.value
    except Exception as error:  # noqa: BLE001  (whatever the steps raise is the outcome)
        outcome = error
    assert not waiting, "not all answers were asked for"
    return asks, outcome


def written(asks: list[Ask]) -> bytes:
    """Return all that was written."""
    return b"".join(b"".join(ask.data) for ask in asks)
