"""Evidence from a name server and a web site on loopback, and from plugins; and what could not be asked."""

from __future__ import annotations

import sys
import time

import pytest

from pillarbox import MessageError, Plugins, Suggestion, hookimpl, suggest
from pillarbox._dns import Dns
from pillarbox._suggestion import answered
from pillarbox._suggestion.gathering import World

from ..dns_server import NameServer
from .site import GOOD, Site, answer, drip, here

ADDRESS = "orders@acme.example"
SUBMISSIONS, SUBMISSION = "_submissions._tcp.acme.example", "_submission._tcp.acme.example"


def asked(zone=None, site=None, *, address=ADDRESS, timeout=5.0, plugins=None, **server):
    with NameServer(zone, **server) as names:
        world = World(dns=Dns(("127.0.0.1",), names.port), web=here(site))
        found = answered(address, plugins or Plugins(), world, timeout)
        return found, names


def settings_of(found):
    return [one.settings.get("server") for one in found.methods if one.method == "smtp"]


def test_a_domain_of_the_book_needs_nobody():
    """Nobody is told of it."""
    found, names = asked(address="anna@GMAIL.com")
    assert [one.method for one in found.methods] == ["gmail", "smtp"]
    assert (names.asked, found.not_asked, found.address) == ([], (), "anna@gmail.com")


@pytest.mark.parametrize(
    ("mx", "method", "server"),
    [
        ("aspmx.l.google.com.", "gmail", "smtp.gmail.com"),
        ("acme-example.mail.protection.outlook.com.", "m365", "smtp.office365.com"),
        ("acme-example.o-v1.mx.microsoft.", "m365", "smtp.office365.com"),
    ],
)
def test_the_exchanger_tells_whose_customer_an_own_domain_is(mx, method, server):
    """Google Workspace and Microsoft 365 connect; their web sites are not asked."""
    with Site(answer(GOOD)) as site:
        found, _ = asked({"acme.example": [f"MX 10 {mx}"]}, site)
        assert site.asked == []
    assert found.methods[0].method == method
    assert settings_of(found) == [server]
    assert found.seen[0].text == f"The mail of acme.example goes to {mx[:-1]}"


def test_the_records_of_a_service_name_its_servers():
    """TLS from the first octet stands before STARTTLS (RFC 8314)."""
    zone = {SUBMISSION: ["SRV 0 1 587 mail.acme.example."], SUBMISSIONS: ["SRV 0 1 465 mail.acme.example."]}
    found, _ = asked(zone)
    first, second = [one.settings for one in found.methods if one.method == "smtp"]
    assert (first["port"], first["encryption"]) == (465, "tls")
    assert (second["port"], second["encryption"]) == (587, "starttls")
    assert found.methods[0].as_found


def test_a_service_that_is_not_offered_is_no_server():
    """A dot says so."""
    found, _ = asked({SUBMISSIONS: ["SRV 0 0 0 ."], SUBMISSION: ["SRV 0 1 587 mail.acme.example."]})
    assert settings_of(found) == ["mail.acme.example"]
    assert "says that it offers none" in " ".join(one.text for one in found.seen)


def test_without_records_the_web_site_is_asked():
    """At the first place that has a document."""
    with Site(answer(GOOD)) as site:
        found, _ = asked({}, site)
    assert settings_of(found) == ["smtp.acme.example"]
    assert found.methods[0].sources["server"] == "https://autoconfig.acme.example/mail/config-v1.1.xml"
    assert all("orders" not in request for request in site.asked)


def test_a_document_that_can_not_be_used_is_told():
    """And none of its words."""
    with Site(answer(b"<html>evil</html>")) as site:
        found, _ = asked({}, site)
    assert settings_of(found) == [None]
    assert "it is not an autoconfig document" in found.not_asked[0]
    assert "evil" not in str(found)


@pytest.mark.parametrize("way", [{"silent": True}, {"slow": 9.0}])
def test_the_limit_holds_for_all_together(way):
    """A name server that is silent and a site that trickles."""
    started = time.monotonic()
    with Site(talk=drip) as site:
        found, _ = asked({}, site, timeout=1.0, **way)
    assert time.monotonic() - started < 3.0
    assert found.not_asked == (
        "DNS gave no answer about acme.example in time.",
        "The web site of acme.example gave no mail settings.",
    )
    assert [one.method for one in found.methods] == ["smtp", "mapi"]


def test_offline_nobody_is_asked():
    """It says so, and offers what is left."""
    found = suggest(ADDRESS, offline=True)
    assert found.not_asked == ("Neither DNS nor the web site of acme.example was asked: offline.",)
    assert [one.method for one in found.methods] == ["smtp", "mapi"]


@pytest.mark.parametrize("domain", ["localhost", "printer.local", "[10.0.0.1]", "intranet"])
def test_a_domain_inside_is_not_asked(domain):
    """Neither its names nor its web site."""
    with Site(answer(GOOD)) as site:
        found, names = asked({}, site, address=f"root@{domain}")
    assert (names.asked, site.asked) == ([], [])
    assert "no domain of the Internet" in found.not_asked[0]


def test_without_dnspython_the_web_site_is_asked_all_the_same(monkeypatch):
    """And the cure is told."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "dns"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dns", None)
    with Site(answer(GOOD)) as site:
        found = answered(ADDRESS, Plugins(), World(web=here(site)), 5.0)
    assert settings_of(found) == ["smtp.acme.example"]
    assert "pip install 'pillarbox[dns]'" in found.not_asked[0]


def test_an_international_domain_is_asked_by_its_a_label():
    """As DNS has it."""
    _, names = asked({}, address="info@Straße.example")
    assert ("xn--strae-oqa.example", "MX") in names.asked


def test_what_is_no_address_is_refused():
    """Before anybody is asked."""
    with pytest.raises(MessageError, match="not an e-mail address"):
        suggest("acme.example")


class Pigeon:
    """A plugin that knows of another way."""

    @hookimpl
    def pillarbox_suggest(self, domain, mx):
        """Offer it."""
        return Suggestion(method="pigeon", reason=f"{domain} has {len(mx)} lofts.", rank=99)


class Broken:
    """A plugin that fails, and one that answers nonsense."""

    @hookimpl
    def pillarbox_suggest(self):
        """Fail."""
        raise RuntimeError


class Odd:
    @hookimpl
    def pillarbox_suggest(self, domain):
        """Answer what is none."""
        return {"method": domain}


def test_plugins_add_what_they_know_and_a_broken_one_stops_nobody():
    """They get the domain and its exchangers."""
    plugins = Plugins()
    for plugin in (Pigeon(), Broken(), Odd()):
        plugins.manager.register(plugin)
    found, _ = asked({"acme.example": ["MX 1 mx.acme.example."]}, plugins=plugins)
    assert [one.method for one in found.methods] == ["pigeon", "smtp", "mapi"]
    assert found.methods[0].reason == "acme.example has 1 lofts."
