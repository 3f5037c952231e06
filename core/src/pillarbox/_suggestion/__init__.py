"""Which method fits an address: what is known and found about its domain, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable

from .._address import Address
from .._network import Network
from .._plugins import Plugins
from .._route import Suggestions
from .autoconfig import Web
from .gathering import World, gather
from .ranking import ranked

SECONDS = 10.0


def suggest(
    address: str,
    *,
    plugins: Plugins | None = None,
    private_networks: Iterable[str] = (),
    timeout: float = SECONDS,
    offline: bool = False,
) -> Suggestions:
    """Return which methods fit *address*, the best first, with the settings, the reason and the drawbacks of each.

    Asked are, in this order, our own address book of providers, the domain's MX records, its SRV records (RFC 6186,
    RFC 8314; both by the extra `dns`), and its web site, by the autoconfiguration that Thunderbird describes
    (`https://autoconfig.<domain>/mail/config-v1.1.xml`). What has an answer ends it, and nobody gets to know the address,
    only its domain. Nothing is applied.

    Args:
        address: Whose mail is to be sent.
        plugins: What is installed; by default whatever is.
        private_networks: Networks that may be reached although they are not public (rule 38).
        timeout: Seconds for all of it.
        offline: Whether to ask nobody, so that the address book alone counts.

    Raises:
        MessageError: It is not an address.
    """
    world = None if offline else World(web=Web(Network(trusted=False, private=private_networks)))
    return answered(address, plugins or Plugins(), world, timeout)


def answered(address: str, plugins: Plugins, world: World | None, timeout: float) -> Suggestions:
    """Return what *world* says about *address*; see `suggest`."""
    local, _, domain = Address.parse(address).wire.rpartition("@")
    addr_spec = f"{local}@{domain.lower()}"
    evidence = gather(addr_spec, plugins, world, timeout)
    installed = {one.name: one.problem for one in plugins.describe()}
    return Suggestions(
        address=addr_spec,
        methods=ranked(addr_spec, evidence, installed),
        seen=evidence.seen,
        not_asked=evidence.not_asked,
    )
