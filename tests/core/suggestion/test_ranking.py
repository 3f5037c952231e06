"""What follows from evidence: which methods, in which order, with which settings; and what speaks against each."""

from __future__ import annotations

import pytest

from pillarbox import Suggestion
from pillarbox._suggestion.book import book
from pillarbox._suggestion.evidence import Evidence, Server
from pillarbox._suggestion.ranking import MOST_SERVERS, ranked

ADDRESS = "orders@acme.example"
ALL = {"smtp": "", "m365": "", "gmail": "", "mapi": "works on win32, not on linux"}
NAMED = Server(host="smtp.acme.example", port=465, encryption="tls", source="SRV _submissions._tcp")


def of(name: str):
    return next(one for one in book().providers if one.name == name)


def methods(**evidence) -> list[str]:
    return [one.method for one in ranked(ADDRESS, Evidence(**evidence), ALL)]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("Gmail", ["gmail", "smtp"]),
        ("Microsoft 365", ["m365", "smtp", "mapi"]),
        ("Fastmail", ["smtp"]),
    ],
)
def test_an_account_that_connects_comes_first(name, order):
    """Then SMTP; Outlook where the mailbox is Exchange's, and never for what Outlook has by IMAP."""
    assert methods(provider=of(name)) == order


def test_nothing_known_leaves_smtp_by_hand_and_perhaps_outlook():
    """There is always something to do."""
    by_hand, outlook = ranked(ADDRESS, Evidence(), ALL)
    assert (by_hand.method, by_hand.settings, outlook.method) == ("smtp", {"username": ADDRESS}, "mapi")
    assert "whoever runs its mail" in by_hand.reason


def test_the_drawbacks_of_each_method_are_told():
    """No sent copies by SMTP; classic Outlook and no IMAP account; somebody registers an application."""
    by_method = {one.method: " ".join(one.drawbacks) for one in ranked(ADDRESS, Evidence(), ALL)}
    assert "files no copy" in by_method["smtp"]
    assert "classic Outlook" in by_method["mapi"]
    assert "POP or IMAP" in by_method["mapi"]
    connecting = ranked(ADDRESS, Evidence(provider=of("Gmail")), ALL)
    assert "registers an application" in " ".join(connecting[0].drawbacks)
    assert "files no copy" not in " ".join(connecting[1].drawbacks)  # Google files one itself


def test_only_what_is_installed_is_ready():
    """The rest says its pip command, or why it can't be used here."""
    missing = {
        "smtp": "",
        "m365": "Not installed: pip install pillarbox-m365",
        "mapi": "Outlook is Windows' alone.",
    }
    found = {one.method: one for one in ranked(ADDRESS, Evidence(provider=of("Microsoft 365")), missing)}
    assert (found["smtp"].ready, found["smtp"].cure) == (True, "")
    assert (found["m365"].ready, found["m365"].cure) == (False, "pip install pillarbox-m365")
    assert found["mapi"].cure == "Outlook is Windows' alone."


def test_a_plugins_method_is_never_advertised_with_a_package():
    """Only our own names are."""
    (found, *_) = ranked(ADDRESS, Evidence(offered=(Suggestion(method="pigeon", rank=99),)), ALL)
    assert (found.method, found.ready, found.cure) == ("pigeon", False, "The method pigeon is not installed.")


def test_what_a_plugin_says_stands_in_the_place_of_the_books_word():
    """And keeps its own reason and drawbacks."""
    offered = Suggestion(method="gmail", reason="Google's.", drawbacks=("One.",), rank=90)
    first, *rest = ranked(ADDRESS, Evidence(provider=of("Gmail"), offered=(offered,)), ALL)
    assert (first.reason, first.drawbacks, first.label) == ("Google's.", ("One.",), "Gmail")
    assert [one.method for one in rest] == ["smtp"]


def test_what_a_plugin_says_of_outlook_is_not_said_twice():
    """The first word counts."""
    offered = Suggestion(method="mapi", reason="Outlook is here.", drawbacks=("One.",), rank=45)
    found = ranked(ADDRESS, Evidence(offered=(offered,)), ALL)
    assert [(one.method, one.reason) for one in found if one.method == "mapi"] == [
        ("mapi", "Outlook is here.")
    ]


def test_each_setting_says_where_it_comes_from():
    """The book's name their page, those of the domain the record."""
    known = ranked(ADDRESS, Evidence(provider=of("Fastmail")), ALL)[0]
    assert known.settings == {
        "server": "smtp.fastmail.com",
        "encryption": "tls",
        "port": 465,
        "username": ADDRESS,
    }
    assert set(known.sources) == set(known.settings)
    assert "fastmail.help" in known.sources["server"]
    assert not known.as_found


def test_what_a_domain_says_is_shown_as_found():
    """With the advice to look at it first."""
    found = ranked(ADDRESS, Evidence(servers=(NAMED,)), ALL)[0]
    assert found.as_found
    assert found.settings["server"] == "smtp.acme.example"
    assert found.sources["port"] == "SRV _submissions._tcp"
    assert any("as they were found" in one for one in found.drawbacks)


@pytest.mark.parametrize(
    ("host", "is_told"),
    [("acme.example", False), ("smtp.evilacme.example", True), ("smtp.sendgrid.net", False)],
)
def test_a_server_outside_the_domain_is_told(host, is_told):
    """RFC 6186 6; a relay that the book knows is none of those."""
    server = Server(host=host, port=465, encryption="tls", source="SRV _submissions._tcp")
    found = ranked(ADDRESS, Evidence(servers=(server,)), ALL)[0]
    assert any("is outside acme.example" in one for one in found.drawbacks) is is_told


def test_a_relay_has_a_user_name_of_its_own():
    """As its page says."""
    relay = Server(host="smtp.sendgrid.net", port=587, encryption="starttls", source="SRV _submission._tcp")
    found = ranked(ADDRESS, Evidence(servers=(relay,)), ALL)[0]
    assert (found.settings["username"], found.settings["username_differs"]) == ("apikey", True)
    assert any("API key" in one for one in found.drawbacks)


def test_a_server_that_wants_nobody_to_sign_in_has_no_user_name():
    """It says so."""
    server = Server(
        host="relay.acme.example", port=587, encryption="starttls", source="https://x", authenticate=False
    )
    found = ranked(ADDRESS, Evidence(servers=(server,)), ALL)[0]
    assert found.settings == {
        "server": "relay.acme.example",
        "encryption": "starttls",
        "port": 587,
        "authenticate": False,
    }


def test_servers_are_shown_once_and_not_without_end():
    """The first that are named."""
    many = [
        Server(host=f"s{n}.acme.example", port=465, encryption="tls", source="SRV _submissions._tcp")
        for n in range(9)
    ]
    found = [one for one in ranked(ADDRESS, Evidence(servers=(many[0], *many)), ALL) if one.method == "smtp"]
    assert [one.settings["server"] for one in found] == [f"s{n}.acme.example" for n in range(MOST_SERVERS)]
