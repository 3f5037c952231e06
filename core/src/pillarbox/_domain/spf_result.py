"""What an SPF record makes of an address (RFC 7208 4 to 6), or of a carrier that is known by the name to include."""

from __future__ import annotations

import enum
import ipaddress

from .._dns import host_name
from .._network import IPAddress
from .asking import Asking
from .spf_record import Fault, Record, Term, chosen

MOST_LOOKUPS = 10
"""RFC 7208 4.6.4."""
MOST_VOID = 2


class Result(enum.Enum):
    """What the record says; that it can't be told, too."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    EVERYBODY = "everybody"
    UNCLEAR = "unclear"


_BY_SIGN = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}


class Evaluation:
    """One evaluation. It reads on behind the first match, since the limits hold for whoever matches nothing.

    Args:
        asking: Who is asked.
        address: The sender's; None where only the carrier's name is known.
        include: The name by which records include the carrier's machines, or "".
    """

    def __init__(self, asking: Asking, address: IPAddress | None, include: str = "") -> None:
        self._asking = asking
        self._address = address
        self._include = include
        self._lookups = 0
        self._void = 0

    def result(self, domain: str) -> Result:
        """Return what the record of *domain* says.

        Raises:
            Fault: The record, or one that it includes, is broken; or there is none.
            SendDeferred: DNS gave no answer in time.
        """
        record = chosen(self._asking.texts(domain), domain)
        found = [self._of_term(term, domain) for term in record.terms]
        found.append(self._redirected(record))
        return _decided([one for one in found if one is not None])

    def _redirected(self, record: Record) -> Result | None:
        if not record.redirect:
            return None
        result = self._inner(record.redirect)
        return Result.PASS if record.redirect == self._include else result

    def _of_term(self, term: Term, domain: str) -> Result | None:
        """Return the result where *term* matches, UNCLEAR where nobody can tell, None where it does not."""
        if term.kind == "all":
            return Result.EVERYBODY if term.sign == "+" else _BY_SIGN[term.sign]
        if term.kind == "include":
            return self._included(term)
        if term.kind == "ip":
            return _BY_SIGN[term.sign] if self._is_in(term) else None
        self._count()
        if term.kind in {"ptr", "exists"} or "%" in term.value:  # about the one mail, or the one connection
            return Result.UNCLEAR
        is_there = self._is_at(term, self._name(term.value) if term.value else domain)
        return _BY_SIGN[term.sign] if is_there else None

    def _included(self, term: Term) -> Result | None:
        inner = self._inner(term.value)
        if term.value == self._include or inner is Result.PASS:
            return _BY_SIGN[term.sign]
        if inner is Result.EVERYBODY and term.sign == "+":
            return Result.EVERYBODY
        return inner if inner is Result.UNCLEAR else None

    def _inner(self, name: str) -> Result:
        self._count()
        if "%" in name:
            return Result.UNCLEAR
        try:
            return self.result(self._name(name))
        except Fault as fault:
            if fault.code != "spf-none":
                raise
        raise Fault("spf-invalid", f"{name} is included and has no SPF record")

    def _is_in(self, term: Term) -> bool:
        network = term.network
        return network is not None and self._address is not None and self._address in network

    def _is_at(self, term: Term, name: str) -> bool:
        hosts = self._asking.mail_hosts(name)[:MOST_LOOKUPS] if term.kind == "mx" else [name]
        version = self._address.version if self._address else 4
        named = [one for host in hosts if host_name(host) for one in self._asking.addresses(host, version)]
        self._void += not named
        if self._void > MOST_VOID:
            raise Fault("spf-void-lookups", f"more than {MOST_VOID} of its names are not there")
        length = term.prefixes[version == 6]
        networks = (ipaddress.ip_network(f"{one}/{length}", strict=False) for one in named)
        return self._address is not None and any(self._address in network for network in networks)

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MOST_LOOKUPS:
            raise Fault("spf-too-many-lookups", f"more than {MOST_LOOKUPS} look-ups")

    def _name(self, text: str) -> str:
        name = host_name(text)
        if not name:
            raise Fault("spf-invalid", f"{text[:60]} is no name of the Internet")
        return name


def _decided(found: list[Result]) -> Result:
    """Return the first result that is one; that everybody may send counts wherever it stands, and a doubt unless it passes."""
    if Result.EVERYBODY in found:
        return Result.EVERYBODY
    first = next((one for one in found if one is not Result.UNCLEAR), Result.NEUTRAL)
    return Result.UNCLEAR if Result.UNCLEAR in found and first is not Result.PASS else first
