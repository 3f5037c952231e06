"""Cases: no secret is told, to whatever ear, in whatever disguise; and nothing is printed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..._transports import Journal, Transport
from ...outbox import deliver
from ._canary import words_of
from ._ground import Ground, NotStaged, outcome_of
from ._overheard import listening, reading


class Secrets(Ground):
    """What nobody may hear."""

    def test_no_secret_is_told_when_all_goes_well(self) -> None:
        """Not in the transcript, the log, a note, a receipt, a finding, a sighting, nor in what is shown of the account."""
        self._needs_secrets()
        with listening() as lines, self.opened() as transport:
            transport.trace = lines.append
            lines.extend(self._said_by(transport))
        self.keeps_secrets(*lines)

    def test_no_secret_is_told_when_the_credential_is_refused(self) -> None:
        """Nor in a diagnosis, the log, the transcript, or the error and those behind it."""
        self._needs_secrets()
        with self.stage("credential refused"), listening() as lines, self.opened() as transport:
            transport.trace = lines.append
            outcome = outcome_of(transport, self.submission(), Journal())
            lines.extend(map(repr, transport.check()))
        assert isinstance(outcome, Exception)
        self.keeps_secrets(*lines, *words_of(outcome))

    def test_nothing_is_printed(self) -> None:
        """Neither to standard output nor to standard error, by this process or one that it starts; in errors too."""
        with reading() as printed:
            with self.opened() as transport:
                list(self._said_by(transport))
            for name in ("unreachable", "content refused", "cut after"):
                with contextlib.suppress(NotStaged), self.stage(name), self.opened() as transport:
                    outcome_of(transport, self.submission(), Journal())
            found = printed()
        assert not found, f"a library prints nothing: {found[:300]!r}"

    def _said_by(self, transport: Transport) -> Iterator[str]:
        """Do all that a transport does, and yield all that it says."""
        submission, journal = self.submission(), Journal()
        receipt = deliver(submission, journal, transport)
        yield from map(repr, (receipt, receipt.recipients, journal.notes))
        yield from map(repr, transport.check())
        yield repr(transport.find(submission, journal))
        cls, settings = type(transport), transport.settings
        yield from map(repr, (transport, settings, cls.describe(settings), cls.limits(settings)))
        yield from map(repr, (cls.warnings(settings), cls.identity(settings)))

    def _needs_secrets(self) -> None:
        if not self.secrets:
            raise NotStaged("secrets is empty: there is nothing to look for")
