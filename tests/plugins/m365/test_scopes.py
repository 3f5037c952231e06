"""What is asked for, and what was granted."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Account, FromPolicy, Grant, SignIn
from pillarbox_m365 import M365App, M365Settings, scopes

APP = M365App(client_id="app", tenant="acme.example")


def asked(grant: Grant, purpose: str = "send", signs_in_as: str = "orders@acme.example") -> SignIn:
    account = Account(owner="company", method="m365", mailbox="Orders@acme.example", signs_in_as=signs_in_as)
    return SignIn(account=account, grant=grant, purpose=purpose)


def test_to_send_is_one_permission() -> None:
    """Nothing can be read with it."""
    assert scopes.of_person(asked(Grant.SEND)) == ("Mail.Send",)


def test_to_confirm_needs_drafts() -> None:
    """They can't be had without reading."""
    assert scopes.of_person(asked(Grant.CONFIRM)) == ("Mail.Send", "Mail.ReadWrite")


def test_anothers_mailbox_needs_the_shared_forms() -> None:
    """Beside those of one's own."""
    found = scopes.of_person(asked(Grant.CONFIRM, signs_in_as="anna@acme.example"))
    assert found == ("Mail.Send", "Mail.ReadWrite", "Mail.Send.Shared", "Mail.ReadWrite.Shared")


@pytest.mark.parametrize("policy", [FromPolicy.USER, FromPolicy.SEND_AS])
def test_to_show_other_addresses_is_one_more(policy: FromPolicy) -> None:
    """Their mailboxes are not read."""
    wish = asked(Grant.CONFIRM)
    account = attrs.evolve(wish.account, settings=M365Settings(from_policy=policy))
    found = scopes.of_person(attrs.evolve(wish, account=account))
    assert found == ("Mail.Send", "Mail.ReadWrite", "Mail.Send.Shared")


def test_smtp_is_another_resource() -> None:
    """To look there is by IMAP."""
    assert scopes.of_person(asked(Grant.SEND, "smtp")) == (scopes.SMTP,)
    assert scopes.of_person(asked(Grant.CONFIRM, "smtp")) == (scopes.SMTP, scopes.IMAP)


def test_imap_reads_the_token_of_smtp() -> None:
    """They are one resource, and so one token."""
    assert scopes.purpose_of("imap") == scopes.purpose_of("smtp") == "smtp"


def test_the_applications_permissions_are_asked_for_at_the_cloud_in_use() -> None:
    """A national cloud has a Graph of its own; a test's is on this machine."""
    national = M365App(client_id="a", tenant="b", graph="https://graph.microsoft.us")
    here = M365App(client_id="a", tenant="b", graph="http://127.0.0.1:1")
    assert scopes.default_of(national) == "https://graph.microsoft.us/.default"
    assert scopes.default_of(here) == scopes.default_of(APP) == "https://graph.microsoft.com/.default"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Mail.Send openid", ("Mail.Send", "openid")),
        ("https://graph.microsoft.com/Mail.Send", ("Mail.Send",)),
        ("https://outlook.office365.com/SMTP.Send", ("https://outlook.office.com/SMTP.Send",)),
        ("", ()),
    ],
)
def test_a_permission_has_several_spellings(said: str, read: tuple[str, ...]) -> None:
    """They are compared in one."""
    assert scopes.read(said, APP) == read


def test_only_who_may_write_drafts_can_look() -> None:
    """To read is not enough; the shared form is."""
    assert not scopes.can_look(["Mail.Send", "Mail.Read"])
    assert scopes.can_look(["mail.readwrite"])
    assert scopes.can_look(["Mail.ReadWrite.Shared"])
