"""Where a transport's provider tells what became of mails: by web hook, or when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ._errors import Unavailable
from ._network import Network
from ._settings import Account
from ._vault import Credentials

if TYPE_CHECKING:
    from ._reports import Polled, Report


class EventSource:
    """Where a transport's provider tells what became of mails. An author overrides `parse`, `poll` or both.

    Args:
        settings: The account's, of the transport's settings class.
        credentials: A view of this account's secrets.
        trace: Takes lines of the conversation, redacted.
    """

    settings: Any

    def __init__(
        self,
        settings: Any,
        credentials: Credentials | None = None,
        *,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.trace = trace
        # Core puts the deployment's network in the place of this one (rule 38), and says whose account it is.
        self.network: Network = Network()
        self.account: Account | None = None

    def parse(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        """Return what a web hook's request reports, once its signature proves that the provider sent it.

        Args:
            headers: The request's; their names are compared whatever the case of their letters.
            body: Its octets as they came, before anything decoded them.

        Raises:
            ReportRefused: It is not the provider's, is too old, or is no report. Nothing of it may be believed.
            Unavailable: This provider sends no web hooks.
        """
        raise Unavailable("This method takes no web hooks.", cure="Ask it: pillarbox outbox reports --poll")

    def poll(self, cursor: str | None) -> Polled:
        """Ask for what is new since *cursor*, None for the first time.

        Raises:
            SendDeferred: It can't be asked now.
            SignInNeeded: The credential was refused.
            Unavailable: This provider can't be asked.
        """
        raise Unavailable(
            "This method can't be asked.", cure="Give its web hooks to Mailer.events(...).parse."
        )

    def close(self) -> None:
        """Let go of what is open."""
