"""Questions to a real name server on loopback, which may be slow, cut short, or hostile."""

from __future__ import annotations

import sys
import time

import pytest

from pillarbox import SendDeferred, Unavailable
from pillarbox._dns import MOST, Dns, Service, host_name

from .dns_server import NameServer


def asking(server: NameServer) -> Dns:
    return Dns(("127.0.0.1",), server.port)


def test_mail_exchangers_come_the_preferred_first():
    """In lower case, without the dot behind."""
    zone = {"acme.example": ["MX 20 b.mx.example.", "MX 10 A.MX.example."]}
    with NameServer(zone) as server:
        assert asking(server).mx("acme.example", timeout=5) == ("a.mx.example", "b.mx.example")


@pytest.mark.parametrize("zone", [{}, {"acme.example": ["TXT x"]}, {"acme.example": ["MX 0 ."]}])
def test_no_record_is_no_error(zone):
    """Neither is a name that is not there, nor a domain that takes no mail (RFC 7505)."""
    with NameServer(zone) as server:
        assert asking(server).mx("acme.example", timeout=5) == ()


def test_services_come_by_priority_then_weight():
    """RFC 2782; the one that is to be chosen more often stands first."""
    lines = ["SRV 20 0 465 c.acme.example.", "SRV 10 1 465 b.acme.example.", "SRV 10 9 465 a.acme.example."]
    with NameServer({"_submissions._tcp.acme.example": lines}) as server:
        found = asking(server).services("_submissions._tcp", "acme.example", timeout=5)
    assert [one.host[0] for one in found] == ["a", "b", "c"]


def test_a_dot_says_that_the_service_is_not_offered():
    """RFC 6186 3.4."""
    with NameServer({"_submission._tcp.acme.example": ["SRV 0 0 0 ."]}) as server:
        assert asking(server).services("_submission._tcp", "acme.example", timeout=5) == (Service("", 1),)


def test_an_alias_is_followed():
    """A domain may have its records elsewhere."""
    zone = {"acme.example": ["CNAME real.example.", "MX 10 mx.real.example."]}
    zone["real.example"] = ["MX 10 mx.real.example."]
    with NameServer(zone) as server:
        assert asking(server).mx("acme.example", timeout=5) == ("mx.real.example",)


def test_aliases_in_a_circle_end():
    """In no record, in time."""
    zone = {"acme.example": ["CNAME b.example."], "b.example": ["CNAME acme.example."]}
    started = time.monotonic()
    with NameServer(zone) as server:
        assert asking(server).mx("acme.example", timeout=5) == ()
    assert time.monotonic() - started < 3


def test_of_thousands_of_records_the_best_are_looked_at():
    """The answer comes by TCP, since it was cut short by UDP."""
    lines = [f"MX {number} mx{number}.acme.example." for number in range(2000)]
    with NameServer({"acme.example": lines}) as server:
        found = asking(server).mx("acme.example", timeout=20)
        assert server.by_tcp == 1
    assert (len(found), found[0]) == (MOST, "mx0.acme.example")


def test_names_that_no_host_has_are_passed_over():
    """Control characters, blanks, addresses, and names that lead inside."""
    strange = [
        r"\007\027[31m.acme.example.", r"a\032b.acme.example.", "127.0.0.1.", "localhost.", "printer.local.", "*.acme.example.", r"a\;rm.acme.example.",
    ]  # fmt: skip
    with NameServer({"acme.example": [f"MX 10 {name}" for name in [*strange, "mx.acme.example."]]}) as server:
        assert asking(server).mx("acme.example", timeout=5) == ("mx.acme.example",)


@pytest.mark.parametrize("way", [{"silent": True}, {"slow": 5.0}, {"garbage": True}, {"refuses": True}])
def test_who_does_not_answer_is_not_waited_for(way):
    """A resolver that is silent, slow or broken costs the time that was given, and no more."""
    started = time.monotonic()
    with NameServer({"acme.example": ["MX 10 mx.acme.example."]}, **way) as server:
        with pytest.raises(SendDeferred, match=r"no answer for acme\.example") as error:
            asking(server).mx("acme.example", timeout=0.5)
        took = time.monotonic() - started
    assert error.value.stage == "dns"
    assert took < 2


def test_without_dnspython_the_cure_is_told(monkeypatch):
    """It is an extra."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "dns"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dns", None)
    with pytest.raises(Unavailable, match=r"pip install 'pillarbox\[dns\]'"):
        Dns().mx("acme.example", timeout=1)


@pytest.mark.parametrize(
    "text", ["", ".", "acme", "127.0.0.1", "[::1]", "::1", "a b.example", "a\n.example", "x" * 64 + ".example", "a.local", "mail.123"]
)  # fmt: skip
def test_what_is_no_host_of_the_internet(text):
    """Is none."""
    assert host_name(text) == ""


def test_a_host_may_be_international():
    """By its A-label."""
    assert host_name("MAIL.xn--strae-oqa.de.") == "mail.xn--strae-oqa.de"
