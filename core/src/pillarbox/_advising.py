"""What a mailer does to advise: which method fits an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._route import Suggestions
from ._suggestion import SECONDS, suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._network import IPNetwork
    from ._plugins import Plugins


class Advising:
    """The part of a `Mailer` that advises; it changes nothing."""

    _private: Sequence[IPNetwork]

    if TYPE_CHECKING:

        @property
        def plugins(self) -> Plugins: ...

    def suggest(self, address: str, *, timeout: float = SECONDS, offline: bool = False) -> Suggestions:
        """Return which methods fit *address*, the best first, by what is installed and allowed here.

        See `pillarbox.suggest`, which needs no settings.

        Raises:
            MessageError: It is not an address.
        """
        networks = map(str, self._private)
        return suggest(
            address, plugins=self.plugins, private_networks=networks, timeout=timeout, offline=offline
        )
