"""Where an SMTP account tells what became of mails: in its mailbox, by notifications of what was not delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pillarbox import EventSource

if TYPE_CHECKING:
    from pillarbox import Polled


class SmtpEvents(EventSource):
    """The notifications in the folder `smtp.bounces`. See `EventSource`."""

    def poll(self, cursor: str | None) -> Polled:
        """Read what has come since *cursor* by IMAP; see `EventSource.poll`."""
        from .bounces import looked

        return looked(self, cursor)
