"""SPF (RFC 7208): whether a domain's record names the machines that an account's mail comes from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from .._network import Network
from .._route import Finding, Level
from .._transports import Outbound
from .asking import Asking
from .spf_record import Fault
from .spf_result import Evaluation, Result

COVERED = "spf-names-carrier"
FINDINGS: Mapping[str, str] = {
    COVERED: "The domain's SPF record names the machines that the account's mail comes from.",
    "spf-none": "The domain publishes no SPF record.",
    "spf-misses-carrier": "The domain's SPF record does not name the machines that the account's mail seems to come from.",
    "spf-unclear": "From where the account's mail comes, or what the record says of that, can't be told from here.",
    "spf-several": "The domain publishes several SPF records, which counts as a broken one.",
    "spf-invalid": "The domain's SPF record, or one that it includes, can't be read.",
    "spf-too-many-lookups": "The domain's SPF record takes more than ten look-ups, so receivers may take it for broken.",
    "spf-void-lookups": "The domain's SPF record leads to more than two names that are not there.",
    "spf-allows-all": "The domain's SPF record lets every machine in the world send in its name.",
}
"""The codes, with their meaning."""


def look(domain: str, outbound: Outbound, asking: Asking) -> Finding:
    """Return what the SPF record of *domain*, the envelope sender's, says of mail that comes from *outbound*.

    Raises:
        SendDeferred: DNS gave no answer in time.
        Unavailable: dnspython is not installed.
    """
    try:
        addresses = _public_addresses(outbound.server, asking) if outbound.server else []
        results = [_result(domain, outbound, one, asking) for one in addresses or [""]]
    except Fault as fault:
        seen = f"{domain} has no record" if fault.code == "spf-none" else f"{domain}: {fault.said}"
        return Finding("spf", Level.WARN, fault.code, seen, _CURES.get(fault.code, _MEND))
    return _told(domain, outbound, results, is_known=bool(outbound.include or addresses))


def _result(domain: str, outbound: Outbound, address: str, asking: Asking) -> Result:
    parsed = ipaddress.ip_address(address) if address else None
    return Evaluation(asking, parsed, outbound.include).result(domain)


def _public_addresses(server: str, asking: Asking) -> list[str]:
    """Return the addresses of *server* that it can be seen under from outside; none where that is not known."""
    public = Network(trusted=False)
    try:
        found = [ipaddress.ip_address(server).compressed]
    except ValueError:
        found = [*asking.addresses(server, 4), *asking.addresses(server, 6)]
    return [one for one in found if public.permits(one)][:4]


def _told(domain: str, outbound: Outbound, results: list[Result], *, is_known: bool) -> Finding:
    carrier = outbound.include or outbound.server or "the carrier"
    if Result.EVERYBODY in results:
        seen = f"{domain} lets every machine send in its name (+all)"
        return Finding("spf", Level.WARN, "spf-allows-all", seen, "End the record with ~all or -all.")
    if is_known and all(one is Result.PASS for one in results):
        return Finding("spf", Level.OK, COVERED, f"{domain} names {carrier}")
    if not is_known or Result.UNCLEAR in results:
        seen = f"{domain} has a record; whether it covers what {carrier} sends can't be told from here"
        return Finding("spf", Level.SKIP, "spf-unclear", seen)
    return Finding(
        "spf", Level.WARN, "spf-misses-carrier", f"{domain} does not name {carrier}", _cure(outbound)
    )


def _cure(outbound: Outbound) -> str:
    if outbound.include:
        return f"Put include:{outbound.include} into the domain's SPF record."
    return (
        f"Put what {outbound.server} sends from into the domain's SPF record; its administrator knows,"
        " since mail may leave by another address than it is taken at."
    )


_MEND = "Have whoever keeps the domain's records mend it: receivers take a broken record for none, or refuse the mail."
_CURES = {
    "spf-none": 'Publish one as a TXT record: "v=spf1 ... ~all", with what your provider names.',
    "spf-several": "Join them into one.",
    "spf-too-many-lookups": "Take out what is not used any more, or put addresses in the place of includes.",
}
