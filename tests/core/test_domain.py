"""SPF and DMARC of the domain that mail shows, asked of a real name server on loopback, which may be hostile."""

from __future__ import annotations

import sys
import time

import pytest

from pillarbox import Account, Address, Level, Route
from pillarbox._dns import Dns
from pillarbox._domain import FINDINGS, look_at_domain
from pillarbox._transports import Outbound

from .dns_server import NameServer

M365 = Outbound(include="spf.protection.outlook.com")
SERVER = Outbound(server="smtp.acme.example")
OURS = 'TXT "v=spf1 ip4:20.0.0.0/24 -all"'
ZONE = {
    "spf.protection.outlook.com": [OURS],
    "smtp.acme.example": ["A 20.0.0.25"],
    "_dmarc.acme.example": ['TXT "v=DMARC1; p=reject; rua=mailto:x@acme.example"'],
}


def text(record: str) -> str:
    return f'TXT "{record}"'


def looked(zone, outbound=M365, *, shown="anna@acme.example", sender=None, **way):
    """Return the findings by stage."""
    route = Route(
        account=Account(owner="company", method="smtp", mailbox=shown),
        from_address=Address(shown),
        envelope_sender=sender or shown,
    )
    with NameServer({**ZONE, **zone}, **way) as server:
        found = list(look_at_domain(route, outbound, Dns(("127.0.0.1",), server.port), seconds=1.0))
    assert {one.code for one in found} <= set(FINDINGS)
    assert not [one for one in found if one.level is Level.FAIL]  # advice, never a verdict
    assert all(one.cure for one in found if one.level is Level.WARN)
    return {one.stage: one for one in found}


def spf(record: str, outbound=M365, **more) -> str:
    """Return the code that the domain's *record* leads to."""
    return looked({"acme.example": [text(record)], **more}, outbound)["spf"].code


def test_a_record_that_includes_the_provider():
    """The domain names Microsoft 365, so SPF vouches, and a strict DMARC policy is met."""
    found = looked({"acme.example": [text("v=spf1 include:spf.protection.outlook.com -all")]})
    assert [(one.level, one.code) for one in found.values()] == [
        (Level.OK, "spf-names-carrier"), (Level.OK, "dmarc-met-by-spf"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("v=spf1 mx -all", "spf-misses-carrier"),
        ("v=spf1 -include:spf.protection.outlook.com -all", "spf-misses-carrier"),
        ("v=spf1 -all include:spf.protection.outlook.com", "spf-misses-carrier"),
        ("v=spf1 redirect=spf.protection.outlook.com", "spf-names-carrier"),
        ("v=spf1 include:inner.example -all", "spf-names-carrier"),
        ("v=spf1 ?exists:%{i}.acme.example -all", "spf-unclear"),
        ("v=spf1 +all", "spf-allows-all"),
        ("v=spf1 include:spf.protection.outlook.com +all", "spf-allows-all"),
        ("v=spf1 include:not.there.example -all", "spf-invalid"),
        ("v=spf1 ip4:999.1.1.1 -all", "spf-invalid"),
        ("v=spf1 ip4:::1 -all", "spf-invalid"),
        ("v=spf1 nonsense -all", "spf-invalid"),
        ("v=spf1 a/33 -all", "spf-invalid"),
        ("v=spf1 redirect= ", "spf-invalid"),
        ("v=spf1 include:printer.local -all", "spf-invalid"),
        ("v=spf1 a:x.acme.example a:y.acme.example a:z.acme.example -all", "spf-void-lookups"),
        ("v=spf10 -all", "spf-none"),
    ],
)
def test_what_a_record_says_of_a_provider(record, code):
    """By the name under which domains include its machines, wherever that is named."""
    inner = {
        "inner.example": [text("v=spf1 include:spf.protection.outlook.com ~all")],
        "mx.acme.example": ["A 20.0.0.9"],
    }
    assert looked({**inner, "acme.example": [text(record), "MX 1 mx.acme.example."]})["spf"].code == code


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("v=spf1 ip4:20.0.0.0/24 -all", "spf-names-carrier"),
        ("v=spf1 a:smtp.acme.example -all", "spf-names-carrier"),
        ("v=spf1 a/24 -all", "spf-names-carrier"),
        ("v=spf1 mx -all", "spf-names-carrier"),
        ("v=spf1 include:inner.example -all", "spf-names-carrier"),
        ("v=spf1 -ip4:20.0.0.25 ip4:20.0.0.0/24 -all", "spf-misses-carrier"),
        ("v=spf1 ip4:20.0.1.0/24 ip6:2600::/16 ~all", "spf-misses-carrier"),
        ("v=spf1 ptr -all", "spf-unclear"),
    ],
)
def test_what_a_record_says_of_a_server(record, code):
    """By its public addresses; the mail may leave by another, which the cure says."""
    zone = {
        "acme.example": [text(record), "A 20.0.0.1", "MX 1 smtp.acme.example."],
        "inner.example": [text("v=spf1 ip4:20.0.0.25 -all")],
    }
    found = looked(zone, SERVER)["spf"]
    assert found.code == code
    assert "20.0.0.25" not in found.seen  # a server that a person typed (rule 38)


@pytest.mark.parametrize("addresses", [["A 10.0.0.25"], ["A 127.0.0.1"], []])
def test_of_a_server_inside_nothing_is_known(addresses):
    """From where its mail leaves can't be seen; a private address and none are told in one way."""
    zone = {"acme.example": [text("v=spf1 ip4:20.0.0.25 -all")], "smtp.acme.example": addresses}
    found = looked(zone, SERVER)
    assert (found["spf"].level, found["spf"].code) == (Level.SKIP, "spf-unclear")
    assert found["dmarc"].code == "dmarc-needs-dkim"


def test_several_records_and_too_many_lookups():
    """Both count as a broken record (RFC 7208 4.5 and 4.6.4)."""
    assert looked({"acme.example": [text("v=spf1 -all"), text("v=spf1 ~all")]})["spf"].code == "spf-several"
    chain = {f"s{n}.example": [text(f"v=spf1 include:s{n + 1}.example -all")] for n in range(12)}
    assert spf("v=spf1 include:s0.example -all", **chain) == "spf-too-many-lookups"


def test_a_record_that_includes_itself_ends():
    """By the limit of ten, with few questions."""
    assert spf("v=spf1 include:acme.example include:acme.example -all") == "spf-too-many-lookups"


def test_a_record_in_pieces_is_one():
    """RFC 7208 3.3."""
    zone = {"acme.example": ['TXT "v=spf1 include:spf.prot" "ection.outlook.com -all"']}
    assert looked(zone)["spf"].code == "spf-names-carrier"


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (["v=DMARC1; p=none"], "dmarc-monitors"),
        (["v=DMARC1; p=quarantine"], "dmarc-needs-dkim"),
        (["v=DMARC1; p=perhaps"], "dmarc-invalid"),
        (["v=DMARC1"], "dmarc-invalid"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "dmarc-several"),
        (["v=DMARC10; p=reject"], "dmarc-none"),
        ([], "dmarc-none"),
    ],
)
def test_what_a_policy_means_where_spf_does_not_vouch(policy, code):
    """A strict one leaves a signature by DKIM alone, which nobody sees from here."""
    zone = {"_dmarc.acme.example": [text(one) for one in policy]}
    assert looked(zone)["dmarc"].code == code


@pytest.mark.parametrize(
    ("sender", "policy", "code"),
    [
        ("b@acme.example", "p=reject; aspf=s", "dmarc-met-by-spf"),
        ("b@mail.acme.example", "p=reject", "dmarc-met-by-spf"),
        ("b@mail.acme.example", "p=reject; aspf=s", "dmarc-needs-dkim"),
        ("b@other.example", "p=reject", "dmarc-needs-dkim"),
        ("b@evilacme.example", "p=reject", "dmarc-needs-dkim"),
    ],
)
def test_spf_counts_for_dmarc_where_the_domains_agree(sender, policy, code):
    """The envelope sender's with the From's, strictly or as parts of one (RFC 7489 3.1.2)."""
    named = [text("v=spf1 include:spf.protection.outlook.com -all")]
    zone = {sender.partition("@")[2]: named, "_dmarc.acme.example": [text(f"v=DMARC1; {policy}")]}
    assert looked(zone, sender=sender)["dmarc"].code == code


def test_a_domain_below_takes_the_policy_from_above():
    """Its `sp`, where there is one."""
    zone = {"_dmarc.acme.example": [text("v=DMARC1; p=reject; sp=none")]}
    assert looked(zone, shown="a@it.acme.example")["dmarc"].code == "dmarc-monitors"


@pytest.mark.parametrize("way", [{"silent": True}, {"garbage": True}, {"refuses": True}])
def test_dns_that_does_not_answer_is_skipped(way):
    """In time."""
    started = time.monotonic()
    found = looked({}, **way)
    assert [(one.level, one.code) for one in found.values()] == [(Level.SKIP, "domain-no-answer")]
    assert time.monotonic() - started < 3


def test_without_dnspython_the_cure_is_told(monkeypatch):
    """It is an extra."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "dns"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dns", None)
    route = Route(account=Account(owner="company", method="smtp", mailbox="a@acme.com"), from_address=None)
    [found] = look_at_domain(route, M365, Dns())
    assert (found.level, found.code) == (Level.SKIP, "domain-not-asked")
    assert "pip install 'pillarbox[dns]'" in found.cure


def test_a_name_that_belongs_to_nobody_is_not_asked_about():
    """Those of examples and tests (RFC 2606); an address inside a network is said to be none."""
    route = Route(
        account=Account(owner="company", method="smtp", mailbox="a@acme.example"), from_address=None
    )
    assert list(look_at_domain(route, M365, Dns())) == []
    assert looked({}, shown="a@mail.internal")["domain"].code == "domain-strange"


def test_hostile_text_is_shown_cut():
    """A record is shown by its first characters, and control characters do not pass."""
    found = looked({"acme.example": [r'TXT "v=spf1 \027[31m' + "x" * 200 + '"']})["spf"]
    assert found.code == "spf-invalid"
    assert "\x1b" not in found.seen
    assert len(found.seen) < 150
