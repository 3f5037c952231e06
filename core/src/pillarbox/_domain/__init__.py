"""What the domain's own records say of mail that an account sends in its name: SPF and DMARC. Advice, never a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import attrs

from .._dns import Dns, host_name
from .._errors import SendDeferred, Unavailable
from .._route import Finding, Level, Route
from .._transports import Outbound
from . import dmarc, spf
from .asking import Asking

SECONDS = 10.0
"""For all questions of one look together."""
FINDINGS: Mapping[str, str] = {
    "domain-not-asked": "The domain's records were not asked for: dnspython is not installed, or the method failed to say whom it sends by.",
    "domain-no-answer": "The domain name system gave no answer in time, so nothing is known of the domain's records.",
    "domain-strange": "The address that the mail shows has no domain of the Internet.",
    **spf.FINDINGS,
    **dmarc.FINDINGS,
}
"""The codes, with their meaning."""
_RESERVED = (".example", ".test", ".invalid", ".localhost")
"""Names that belong to nobody (RFC 2606), so nobody is asked about them."""


def look_at_domain(
    route: Route, outbound: Outbound, dns: Dns, *, seconds: float = SECONDS
) -> Iterator[Finding]:
    """Give what the records of the domains of *route* say of mail that comes from *outbound*: SPF, then DMARC.

    Nothing here is ever worse than a warning: the receiver judges, by a signature (DKIM) too, which nobody sees from here.

    Args:
        route: Whose envelope sender and From are looked at.
        outbound: From where the carrier's mail comes.
        dns: Who is asked.
        seconds: For all questions together.
    """
    shown = _domain_of(route.from_address.wire if route.from_address else route.account.mailbox)
    returns = _domain_of(route.envelope_sender or "") or shown
    if not shown or (not dns.nameservers and f".{shown}".endswith(_RESERVED)):
        return
    if not (host_name(shown) and host_name(returns)):
        yield Finding("domain", Level.SKIP, "domain-strange", f"{shown} is no domain of the Internet")
        return
    asking = Asking(dns, seconds)
    try:
        found = _timed(lambda: spf.look(returns, outbound, asking))
        yield found
        yield _timed(lambda: dmarc.look(shown, returns, asking, has_spf=found.code == spf.COVERED))
    except Unavailable as error:
        yield Finding("domain", Level.SKIP, "domain-not-asked", error.detail, error.cure)
    except SendDeferred as error:
        yield Finding("domain", Level.SKIP, "domain-no-answer", error.detail)


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _timed(look: Callable[[], Finding]) -> Finding:
    started = time.monotonic()
    return attrs.evolve(look(), seconds=time.monotonic() - started)
