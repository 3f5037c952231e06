"""What an author of a transport writes for the contract, and what its cases are made with."""

from __future__ import annotations

import contextlib
import pickle
import unittest
from collections.abc import Iterator
from typing import Any, ClassVar

import attrs

from ..._address import Address
from ..._composition import compose
from ..._mail import Receipt, Submission
from ..._message import Message
from ..._route import Route
from ..._settings import Account
from ..._transports import Journal, SenderPolicy, Transport
from ._canary import told


class NotStaged(unittest.SkipTest):
    """A case was not tried, and why: the author has not said how to bring it about, or the carrier has no way to."""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen
class Accepted:
    """A message that the carrier has.

    Attributes:
        content: Its bytes, as they came.
        sender: The envelope's sender, "" for the null sender, or None where the carrier decides.
        recipients: Whom it goes to, in order: the envelope's, or those that a carrier without one reads from the header.
    """

    content: bytes
    sender: str | None
    recipients: tuple[str, ...] = attrs.field(converter=_texts)


class Ground:
    """The part of the contract that its author fills in, and tools that the cases use; own cases may use them too."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """The secrets that `make_transport`'s credentials hold, of 12 characters or more: looked for where they must not be."""
    sender: ClassVar[str] = "anna@acme.example"
    """The account's mailbox, which the messages show."""
    recipients: ClassVar[tuple[str, ...]] = ("ap@customer.example", "office@customer.example")
    """Whom the messages go to, two or more."""
    keeps_bytes: ClassVar[bool] = True
    """Whether the carrier takes bytes; False for one that takes fields, whose bytes are its own."""
    carrier_outlives: ClassVar[bool] = False
    """Whether the carrier goes on when the process that sends is killed, so that it can be asked afterwards."""
    in_doubt: ClassVar[int] = 1
    """How many messages of a batch may be in doubt at once: more than one only where the settings ask for it."""
    sdks: ClassVar[tuple[str, ...]] = (
        "aiohttp",
        "asyncio",
        "boto3",
        "botocore",
        "cryptography",
        "google.auth",
        "googleapiclient",
        "http.client",
        "httpx",
        "msal",
        "pythoncom",
        "requests",
        "ssl",
        "urllib3",
        "win32com",
    )
    """Modules that drawing the form may not import. Add the carrier's."""

    def make_transport(self) -> Transport:
        """Return a fresh transport of the account under test, with time-outs of a few seconds at most."""
        raise NotImplementedError("TransportContract needs make_transport(self) -> Transport.")

    def accepted(self) -> list[Accepted]:
        """Return what the carrier has accepted in this test, the oldest first."""
        raise NotStaged("accepted() is not written: what the carrier got can't be looked at")

    def stage(self, fault: str) -> contextlib.AbstractContextManager[object]:
        """Make the carrier misbehave as *fault*, a name in `FAULTS`, says, while the block runs.

        Transports meet it whether they were made before the block or in it; after the block all is well again.

        Raises:
            NotStaged: This carrier has no way to, or nobody has written it yet.
        """
        raise NotStaged(f"stage() does not bring about: {fault}")

    def expected_content(self, submission: Submission) -> bytes:
        """Return the bytes that the carrier must get: by default the content, without Bcc."""
        return submission.content

    def attachments_of(self, got: Accepted) -> dict[str, bytes]:
        """Return the attachments of what the carrier got, by name: by default as the MIME of its bytes says.

        Raises:
            NotStaged: The carrier takes fields, and nobody has written how they are read.
        """
        from email import message_from_bytes, policy

        if not self.keeps_bytes:
            raise NotStaged("attachments_of() is not written, and the carrier takes fields")
        message = message_from_bytes(got.content, policy=policy.default)
        parts = [(part.get_filename(), part.get_payload(decode=True)) for part in message.walk()]
        return {name: found for name, found in parts if name and isinstance(found, bytes)}

    # What the cases use.

    def submission(
        self, text: str = "Good morning,\nplease find our invoice.\n", **fields: Any
    ) -> Submission:
        """Return a submission as core composes it for this transport; *fields* are a `Message`'s."""
        message = Message(**{"to": self.recipients, "subject": "Invoice 1001", "text": text, **fields})
        return compose(message, self.route())

    def submission_of(self, body: bytes) -> Submission:
        """Return a submission whose body is *body*, octet by octet."""
        made = self.submission("text\n")
        return attrs.evolve(made, chunks=(made.content[: made.header_size], b"\r\n", body or b"\r\n"))

    def route(self) -> Route:
        """Return a route for the transport's sender policy."""
        by_client = self.transport_class().sender_policy is SenderPolicy.CLIENT
        return Route(
            account=Account(owner="user:anna", method="under-test", mailbox=self.sender),
            from_address=None if by_client else Address(self.sender, "Anna Berg"),
            envelope_sender=None if by_client else self.sender,
            user="anna",
        )

    def transport_class(self) -> type[Transport]:
        """Return the class under test."""
        with self.opened() as transport:
            return type(transport)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Transport]:
        """Give a fresh transport and close it."""
        transport = self.make_transport()
        try:
            yield transport
        finally:
            transport.close()

    def send(self, submission: Submission, journal: Journal | None = None) -> Receipt:
        """Send by a fresh transport."""
        with self.opened() as transport:
            return transport.send(submission, journal or Journal())

    def arrived(self, submission: Submission) -> Accepted:
        """Send, and return what the carrier got.

        Raises:
            AssertionError: It did not get exactly one message.
        """
        before = len(self.accepted())
        self.send(submission)
        got = self.accepted()[before:]
        assert len(got) == 1, f"one message was sent and the carrier got {len(got)}"
        return got[0]

    def count(self) -> int | None:
        """Return how many messages the carrier has, or None where it can't be looked at."""
        try:
            return len(self.accepted())
        except NotStaged:
            return None

    def keeps_secrets(self, *texts: str) -> None:
        """Raise AssertionError where one of *texts* tells a secret, in whatever disguise."""
        leak = told(self.secrets, texts)
        assert leak is None, f"a secret is told: {leak!r}"

    def needs_envelope(self) -> None:
        """Raise NotStaged where the carrier takes no envelope."""
        if not self.transport_class().takes_envelope:
            raise NotStaged("the carrier takes no envelope")

    def needs_bytes(self) -> None:
        """Raise NotStaged where the carrier does not keep bytes."""
        if not self.keeps_bytes:
            raise NotStaged("the carrier takes fields, not bytes")


def outcome_of(transport: Transport, submission: Submission, journal: Journal) -> Receipt | Exception:
    """Send, and return what came of it, an error of any kind included."""
    try:
        return transport.send(submission, journal)
    except Exception as error:  # noqa: BLE001  (what a transport raises is what a case judges)
        return error


def through_pickle(value: Any) -> Any:
    """Return *value* as it comes out in another process.

    Raises:
        AssertionError: It does not.
    """
    try:
        return pickle.loads(pickle.dumps(value))  # noqa: S301  (its own)
    except Exception as error:
        raise AssertionError(f"{value!r} does not come through pickle: {error}") from error
