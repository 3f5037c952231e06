"""What a host's tests hold: the real rules, and a box in the place of every carrier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from email.message import EmailMessage
from typing import Any, ClassVar

from .._directory import Directory, MemoryDirectory
from .._mail import Receipt, Sighting, Submission
from .._mailer import Mailer
from .._plugins import Plugins
from .._route import Finding
from .._settings import Company, User
from .._transports import Journal, Transport
from ._memory import Box, MemoryTransport, Sent


class _Caught(Plugins):
    """What is installed, with the sending of every transport replaced; its settings and its rules stay its own."""

    def __init__(self, box: Box, extra: Mapping[str, type[Transport]]) -> None:
        super().__init__(extra={"memory": MemoryTransport, **extra})
        self._box = box
        self._caught: dict[str, type[Transport]] = {}

    def __getitem__(self, name: str) -> type[Transport]:
        real = super().__getitem__(name)
        if name not in self._caught:
            self._caught[name] = _catching(real, self._box)
        return self._caught[name]


def _catching(real: type[Transport], caught_in: Box) -> type[Transport]:
    """Return a class that declares what *real* declares, and puts what it is to send into a box."""

    class Catching(real):  # type: ignore[misc,valid-type]  # known only here
        marks_hand_over: ClassVar[bool] = True
        platforms: ClassVar[tuple[str, ...]] = ()
        settling: ClassVar[float] = 0.0
        send_many = Transport.send_many
        may_show = Transport.may_show
        close = Transport.close

        def send(self, submission: Submission, journal: Journal) -> Receipt:
            return caught_in.accept(submission, self.account, journal)

        def find(self, submission: Submission, journal: Journal) -> Sighting:
            return caught_in.look(submission)

        def check(self) -> Iterator[Finding]:
            yield from ()

    Catching.__name__ = Catching.__qualname__ = f"Caught{real.__name__}"
    return Catching


class Mailbox:
    """Catches what would leave, with the account and the address that the rules chose. No network is used.

        def test_an_invoice_leaves_from_the_user_who_wrote_it(mailbox):
            mailer = mailbox.mailer(users=[User(id="anna", address="anna@acme.example")])
            send_invoice(mailer, 1001, user="anna")
            invoice = mailbox.only()
            assert (invoice.shown, invoice.by) == ("anna@acme.example", "company")

    Args:
        extra: Transports of the host's own that are not installed, by method; they are caught as the others are.

    Attributes:
        box: Where it is put; `box.fail_next` and `box.refuse` make it fail.
        plugins: What to give to a `Mailer` of the host's own: `Mailer(directory, plugins=mailbox.plugins)`.
    """

    def __init__(self, *, extra: Mapping[str, type[Transport]] | None = None) -> None:
        self.box: Box = Box()
        self.plugins: Plugins = _Caught(self.box, extra or {})
        self._mailers: list[Mailer] = []

    def mailer(
        self,
        company: Company | None = None,
        users: Iterable[User] = (),
        *,
        directory: Directory | None = None,
    ) -> Mailer:
        """Return a mailer whose mail is caught.

        Args:
            company: The company, with the settings of its method; Acme Ltd, which needs none, by default.
            users: Its users.
            directory: In the place of both, a directory of the host's own.
        """
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
        return [sent.message for sent in self.sent]

    def only(self) -> Sent:
        """Return the one submission that was accepted.

        Raises:
            AssertionError: There were none, or several.
        """
        assert len(self.sent) == 1, f"{len(self.sent)} messages left: {self._told()}"
        return self.sent[0]

    def assert_sent(self, *, to: str, shown: str = "", by: str = "", subject: str = "") -> Sent:
        """Return the first submission that fits.

        Args:
            to: One of those it goes to.
            shown: The address that it shows, or its From as a whole: `Anna Berg <anna@acme.example>`.
            by: Whose account carried it: `company` or `user:<id>`.
            subject: Its subject.

        Raises:
            AssertionError: There is none; says what left instead.
        """
        for sent in self.sent:
            if _fits(sent, to, shown, by, subject):
                return sent
        asked: dict[str, Any] = {"to": to, "from": shown, "by": by, "called": subject}
        wanted = "".join(f" {how} {what}" for how, what in asked.items() if what)
        raise AssertionError(f"Nothing left{wanted}. What left: {self._told()}")

    def assert_nothing_sent(self) -> None:
        """Do nothing if nothing left.

        Raises:
            AssertionError: Something left; says what.
        """
        assert not self.sent, f"Something left: {self._told()}"

    def _told(self) -> str:
        return "; ".join(map(str, self.sent)) or "nothing"

    def close(self) -> None:
        """Let go of what the mailers hold."""
        for mailer in self._mailers:
            mailer.close()


def _fits(sent: Sent, to: str, shown: str, by: str, subject: str) -> bool:
    return (
        to in sent.to
        and (not shown or shown in {sent.shown, str(sent.message["From"] or "")})
        and by in {"", sent.by}
        and subject in {"", sent.subject}
    )
