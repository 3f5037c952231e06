"""The address book: whole, without contradictions, each fact with its page."""

from __future__ import annotations

import re

import pytest

from pillarbox._dns import host_name
from pillarbox._plugins import OURS
from pillarbox._suggestion.book import book

PROVIDERS = book().providers


@pytest.mark.parametrize("one", PROVIDERS, ids=lambda one: one.name)
def test_an_entry_is_whole(one):
    """A host, encrypted, a page that says so; a method is one of ours."""
    assert host_name(one.server) == one.server or one.server == "127.0.0.1"
    assert one.encryption in {"starttls", "tls"}
    assert 0 < one.port < 65536
    assert re.match(r"https?://\S+$", one.source)
    assert one.method in {"", *OURS}
    assert not one.note or one.note.endswith((".", one.note.rpartition(" ")[2]))


def test_no_domain_and_no_name_stands_twice():
    """Or it would depend on the order who it is."""
    for names in (
        [one.name for one in PROVIDERS],
        [domain for one in PROVIDERS for domain in one.domains],
        [end for one in PROVIDERS for end in one.mx],
    ):
        assert len(names) == len(set(names))


def test_names_are_in_lower_case_as_they_are_compared():
    """Domains are given in lower case."""
    for one in PROVIDERS:
        for name in (*one.domains, *one.mx, one.server):
            assert name == name.lower().strip()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("aspmx.l.google.com", "Gmail"), ("acme-example.mail.protection.outlook.com", "Microsoft 365"),
        ("acme-example.o-v1.mx.microsoft", "Microsoft 365"), ("outlook-com.olc.protection.outlook.com", "Outlook.com"),
        ("in1-smtp.messagingengine.com", "Fastmail"), ("mx00.kundenserver.de", "IONOS (Germany)"),
        ("smtpin.rzone.de", "STRATO"), ("inbound-smtp.eu-west-1.amazonaws.com", "Amazon WorkMail (Europe, Ireland)"),
    ],
)  # fmt: skip
def test_who_takes_the_mail_is_known_by_the_exchanger(host, name):
    """Of domains of their customers."""
    found = book().of_exchangers(["mx.unknown.example", host])
    assert found is not None
    assert (found[0].name, found[1]) == (name, host)


@pytest.mark.parametrize(
    "host", ["google.com.evil.example", "evilgoogle.com", "xinbound-smtp.eu-west-1.amazonaws.com"]
)
def test_a_name_that_only_looks_like_one_is_nobodys(host):
    """The end of the name counts, from a dot on."""
    assert book().of_exchangers([host]) is None


def test_each_method_of_ours_has_words():
    """Also where its plugin is not installed."""
    assert set(book().methods) == set(OURS)
    assert all(one.drawbacks for one in book().methods.values())
