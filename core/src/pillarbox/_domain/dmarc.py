"""DMARC (RFC 7489): what a domain asks receivers to do with mail in its name that nothing vouches for."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .._route import Finding, Level
from .asking import Asking

FINDINGS: Mapping[str, str] = {
    "dmarc-none": "The domain publishes no DMARC policy.",
    "dmarc-several": "The domain publishes several DMARC policies, which counts as none.",
    "dmarc-invalid": "The domain's DMARC policy can't be read.",
    "dmarc-monitors": "The domain's DMARC policy asks for reports alone; nothing is refused by it.",
    "dmarc-met-by-spf": "The domain's DMARC policy is strict, and SPF vouches for the mail.",
    "dmarc-needs-dkim": "The domain's DMARC policy is strict, and only a signature by DKIM could vouch for the mail.",
}
"""The codes, with their meaning."""
_POLICIES = ("none", "quarantine", "reject")
_ASKS = {"quarantine": "put it among the spam", "reject": "refuse it"}
_MOST_STEPS = 5


@attrs.frozen
class Policy:
    """A domain's policy.

    Attributes:
        domain: Where it was found: the From domain or one above it.
        wanted: `none`, `quarantine` or `reject`, as it counts for the From domain.
        strict: Whether the envelope sender's domain has to be the very same (aspf=s).
    """

    domain: str
    wanted: str
    strict: bool

    def is_aligned(self, shown: str, returns: str) -> bool:
        """Whether *returns*, the envelope sender's domain, is near enough to *shown*, the From's (RFC 7489 3.1.2)."""
        if self.strict or shown == returns:
            return shown == returns
        return f".{returns}".endswith(f".{self.domain}")


def look(shown: str, returns: str, asking: Asking, *, has_spf: bool) -> Finding:
    """Return what the policy of *shown*, the From's domain, means for mail that comes back to *returns*.

    Args:
        shown: The domain that the mail shows.
        returns: The envelope sender's.
        asking: Who is asked.
        has_spf: Whether SPF vouches for *returns*.

    Raises:
        SendDeferred: DNS gave no answer in time.
        Unavailable: dnspython is not installed.
    """
    domain, texts = _found(shown, asking)
    if len(texts) > 1:
        return _warning("dmarc-several", f"{len(texts)} policies under _dmarc.{domain}", "Keep one of them.")
    if not texts:
        return _warning("dmarc-none", f"{shown} has no policy", _PUBLISH)
    policy = parsed(texts[0], domain, shown)
    if policy is None:
        return _warning("dmarc-invalid", f"the policy under _dmarc.{domain} can't be read", _PUBLISH)
    return _judged(policy, shown, returns, has_spf=has_spf)


def _judged(policy: Policy, shown: str, returns: str, *, has_spf: bool) -> Finding:
    said = f"{shown}: p={policy.wanted}"
    if policy.wanted == "none":
        return Finding("dmarc", Level.OK, "dmarc-monitors", f"{said}, which asks for reports alone")
    is_aligned = policy.is_aligned(shown, returns)
    if has_spf and is_aligned:
        seen = f"{said}; SPF vouches for the mail, unless it is forwarded"
        return Finding("dmarc", Level.OK, "dmarc-met-by-spf", seen)
    why = "SPF is not known to" if is_aligned else f"SPF does so for {returns} alone"
    seen = f"{said}: receivers {_ASKS[policy.wanted]} unless something vouches for it, and {why}"
    return _warning("dmarc-needs-dkim", seen, f"Have the provider sign the mail by DKIM for {shown}.")


def parsed(text: str, domain: str, shown: str) -> Policy | None:
    """Return the policy that *text*, found at *domain*, has for *shown*; None where it can't be read (RFC 7489 6.3)."""
    pairs = (part.partition("=") for part in text.lower().split(";"))
    tags = {name.strip(): value.strip() for name, equals, value in pairs if equals}
    wanted = tags.get("p", "")
    if domain != shown:
        wanted = tags.get("sp", wanted)
    if wanted not in _POLICIES:
        return None
    return Policy(domain, wanted, tags.get("aspf", "r") == "s")


def _found(shown: str, asking: Asking) -> tuple[str, list[str]]:
    """Return the policies of *shown*, or of the nearest domain above it that has one.

    RFC 7489 6.6.3 goes to the organisation's domain by a list of public suffixes; here the names are walked upward to two
    labels, which finds the same record where one is published.
    """
    labels = shown.split(".")
    for cut in range(min(len(labels) - 1, _MOST_STEPS)):
        domain = ".".join(labels[cut:])
        texts = [text for text in asking.texts(f"_dmarc.{domain}") if _is_policy(text)]
        if texts:
            return domain, texts
    return shown, []


def _is_policy(text: str) -> bool:
    return text.partition(";")[0].replace(" ", "").lower() == "v=dmarc1"


def _warning(code: str, seen: str, cure: str) -> Finding:
    return Finding("dmarc", Level.WARN, code, seen, cure)


_PUBLISH = (
    'Publish one as a TXT record under _dmarc: "v=DMARC1; p=none; rua=mailto:..." tells without refusing.'
)
