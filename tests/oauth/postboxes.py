"""An office that sends: its mailer, and a fake of the provider's interface that asks the provider about each token."""

from __future__ import annotations

from typing import Final

import attrs

from pillarbox import Message
from pillarbox.testing.gmail import FakeGmail
from pillarbox.testing.graph import FakeGraph
from tests.oauth.offices import Office

FAKES: Final = {"m365": FakeGraph, "gmail": FakeGmail}
LETTER: Final = Message(to="customer@customer.example", subject="Invoice 1001", text="Good morning.")


@attrs.frozen
class Postbox:
    """An office, and where its mail goes."""

    office: Office
    api: FakeGraph | FakeGmail

    @property
    def refusals(self) -> int:
        """How many requests had no token that is good."""
        return sum(one.status == 401 for one in self.api.requests)
