"""A host's tests hold the real rules and settings; nothing leaves, and nothing is reached."""

from __future__ import annotations

import pytest

from pillarbox import (
    Choice,
    Company,
    Journal,
    MemoryDirectory,
    Message,
    NoMethod,
    OutcomeUnknown,
    SendRejected,
    SightingState,
    User,
)
from pillarbox.testing import Mailbox, MemoryTransport, ScriptedServer

ANNA = User(id="anna", address="anna@acme.example", name="Anna Berg")
OTTO = User(id="otto", address="otto@acme.example", name="Otto Lind", choice=Choice.PERSONAL)


def invoice(**fields) -> Message:
    return Message(**{"to": "ap@customer.example", "subject": "Invoice 1001", "text": "...", **fields})


def test_what_leaves_is_told_with_its_account_and_its_address(mailbox):
    """The company's account, showing the user, as the rules say for a method like SMTP."""
    mailbox.mailer(users=[ANNA]).send(invoice(), user="anna")
    sent = mailbox.only()
    assert (sent.shown, sent.by, sent.to) == ("anna@acme.example", "company", ("ap@customer.example",))


def test_the_rules_are_the_real_ones(mailbox):
    """A personal user without a method is refused, not served by the company."""
    with pytest.raises(NoMethod):
        mailbox.mailer(users=[OTTO]).send(invoice(), user="otto")
    mailbox.assert_nothing_sent()


def test_the_settings_and_the_declarations_are_the_methods_own(mailbox):
    """SMTP stays SMTP, but for what would reach a server."""
    with ScriptedServer() as server:
        company = Company.from_url(f"smtp://127.0.0.1:{server.port}", address="orders@acme.example")
        mailer = mailbox.mailer(company, [ANNA])
        route = mailer.explain("anna")
        mailer.send(invoice(), user="anna")
        assert list(mailer.check("anna"))
        caught = mailbox.plugins["smtp"](route.account.settings)
        assert caught.find(mailbox.only().submission, Journal()).state is SightingState.SENT
        caught.close()
    assert (caught.label, caught.settings.port) == ("SMTP", server.port)
    assert server.connections == []


def test_a_method_that_works_elsewhere_is_caught_here():
    """Mail by Outlook can be tested on any machine."""

    class Elsewhere(MemoryTransport):
        platforms = ("nowhere",)

    mailbox = Mailbox(extra={"elsewhere": Elsewhere})
    mailbox.mailer(Company(address="orders@acme.example", method="elsewhere")).send(invoice())
    assert mailbox.only().by == "company"


def test_a_directory_of_the_hosts_own_is_served(mailbox):
    """With its own company and users."""
    company = Company(address="orders@acme.example", method="memory")
    directory = MemoryDirectory(company, [ANNA], plugins=mailbox.plugins)
    mailbox.mailer(directory=directory).send(invoice(), user="anna")
    assert mailbox.messages[0]["From"] == "Anna Berg <anna@acme.example>"


def test_failures_reach_the_host_as_in_earnest(mailbox):
    """An outcome that is not known, and a refused recipient."""
    mailer = mailbox.mailer()
    mailbox.box.fail_next(OutcomeUnknown("closed"), accepted=True)
    with pytest.raises(OutcomeUnknown):
        mailer.send(invoice())
    mailbox.box.refuse("ap@customer.example", "no such user")
    with pytest.raises(SendRejected, match="no such user"):
        mailer.send(invoice())
    assert len(mailbox.sent) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"shown": "anna@acme.example"},
        {"shown": "Anna Berg <anna@acme.example>"},
        {"by": "company"},
        {"subject": "Invoice 1001"},
        {"shown": "anna@acme.example", "by": "company", "subject": "Invoice 1001"},
    ],
    ids=str,
)
def test_what_was_sent_is_found_by_what_is_asked(mailbox, asked):
    """By the recipient, a hidden one too, and by whatever else is said."""
    mailbox.mailer(users=[ANNA]).send(invoice(bcc="books@acme.example"), user="anna")
    for to in ("ap@customer.example", "books@acme.example"):
        assert mailbox.assert_sent(to=to, **asked) is mailbox.sent[0]


@pytest.mark.parametrize(
    "asked",
    [
        {"to": "someone@customer.example"},
        {"to": "ap@customer.example", "shown": "otto@acme.example"},
        {"to": "ap@customer.example", "by": "user:anna"},
        {"to": "ap@customer.example", "subject": "Invoice"},
    ],
    ids=str,
)
def test_what_was_not_sent_is_told_beside_what_was(mailbox, asked):
    """An assertion that fails says what left instead."""
    mailbox.mailer(users=[ANNA]).send(invoice(), user="anna")
    with pytest.raises(AssertionError) as failure:
        mailbox.assert_sent(**asked)
    assert f"Nothing left to {asked['to']}" in str(failure.value)
    assert "'Invoice 1001' from anna@acme.example to ap@customer.example by company" in str(failure.value)


def test_only_one_means_one(mailbox):
    """None and two are both wrong, and said."""
    with pytest.raises(AssertionError, match="0 messages left: nothing"):
        mailbox.only()
    mailer = mailbox.mailer()
    mailer.send(invoice())
    mailer.send(invoice())
    with pytest.raises(AssertionError, match="2 messages left: 'Invoice 1001'"):
        mailbox.only()
    with pytest.raises(AssertionError, match="Something left"):
        mailbox.assert_nothing_sent()


def test_two_mailboxes_share_nothing():
    """Each test has its own."""
    one, other = Mailbox(), Mailbox()
    one.mailer().send(invoice())
    other.assert_nothing_sent()
    one.close()
