"""What a host's tests hold: the real rules, and a box in the place of every carrier."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from typing import Any

from .._directory import Directory, MemoryDirectory
from .._mail import Receipt, Submission
from .._mailer import Mailer
from .._plugins import Plugins
from .._settings import Company, User
from .._transports import Journal, Transport
from ._memory import Box, MemoryTransport, Sent


class _Caught(Plugins):
    """What is installed, with every transport's sending replaced; its settings and rules stay its own."""

    def __init__(self, box: Box) -> None:
        super().__init__(extra={"memory": MemoryTransport})
        self._box = box

    def __getitem__(self, name: str) -> type[Transport]:
        return _catching(super().__getitem__(name), self._box)


@functools.cache
def _catching(real: type[Transport], box: Box) -> type[Transport]:
    def send(self: Transport, submission: Submission, journal: Journal) -> Receipt:
        return box.accept(submission, self.account, journal)

    changes: dict[str, Any] = {"send": send, "send_many": Transport.send_many, "close": Transport.close}
    changes |= {
        "marks_hand_over": True,
        "check": _no_check,
        "settings": real.settings_class(),
        "platforms": (),
    }
    return type(
        f"Caught{real.__name__}", (real,), changes | {"__annotations__": {"settings": real.settings_class()}}
    )


def _no_check(_: Transport) -> Iterator[Any]:
    yield from ()


class Mailbox:
    """Catches what would leave, with the account and the address that the rules chose. No network is used.

    Attributes:
        box: Where it is put; `box.fail_next` makes the next send fail.
        plugins: What to give to a `Mailer` of the host's own: `Mailer(directory, plugins=mailbox.plugins)`.
    """

    def __init__(self) -> None:
        self.box: Box = Box()
        self.plugins: Plugins = _Caught(self.box)
        self._mailers: list[Mailer] = []

    def mailer(
        self,
        company: Company | None = None,
        users: Iterable[User] = (),
        *,
        directory: Directory | None = None,
    ) -> Mailer:
        """Return a mailer whose mail is caught: for *directory*, or for *company* (one that needs no settings) and *users*."""
        if directory is None:
            company = company or Company(address="orders@acme.example", name="Acme Ltd", method="memory")
            directory = MemoryDirectory(company, users, plugins=self.plugins)
        made = Mailer(directory, plugins=self.plugins)
        self._mailers.append(made)
        return made

    @property
    def sent(self) -> list[Sent]:
        """What was accepted, the oldest first."""
        return self.box.sent

    @property
    def messages(self) -> list[EmailMessage]:
        """The same, parsed by the standard library."""
        return [sent.submission.message() for sent in self.sent]

    def only(self) -> Sent:
        """Return the one submission that was accepted.

        Raises:
            AssertionError: There were none, or several.
        """
        assert len(self.sent) == 1, f"{len(self.sent)} messages left: {self._told()}"
        return self.sent[0]

    def assert_sent(self, *, to: str, shown: str = "", by: str = "", subject: str = "") -> Sent:
        """Return the first submission that went *to* this address, shown as from *shown*, carried *by* this owner's account.

        Raises:
            AssertionError: There is none; says what left instead.
        """
        for sent in self.sent:
            message = sent.submission.message()
            fits = to in sent.submission.envelope.recipients
            fits &= not shown or shown in {sent.submission.from_header, str(message["From"])}
            fits &= not by or (sent.account is not None and sent.account.owner == by)
            fits &= not subject or str(message["Subject"]) == subject
            if fits:
                return sent
        wanted = f"to {to}" + (f" from {shown}" if shown else "") + (f" by {by}" if by else "")
        raise AssertionError(f"Nothing left {wanted}. What left: {self._told()}")

    def assert_nothing_sent(self) -> None:
        """Raise AssertionError if anything left."""
        assert not self.sent, f"Something left: {self._told()}"

    def _told(self) -> str:
        return (
            "; ".join(
                f"{sent.submission.from_header} to {', '.join(sent.submission.envelope.recipients)}"
                f" by {sent.account.owner if sent.account else '?'}"
                for sent in self.sent
            )
            or "nothing"
        )

    def close(self) -> None:
        """Let go of what the mailers hold."""
        for mailer in self._mailers:
            mailer.close()
