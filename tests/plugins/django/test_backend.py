"""Django's mail by the right account: whoever writes, at once, whole, and truthfully."""

from __future__ import annotations

import asyncio

import pytest
from django.contrib.auth.models import User as Member
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail
from django.test import AsyncClient, Client

from pillarbox import MessageError, OutcomeUnknown, SendDeferred, SettingsError
from pillarbox_django import EmailBackend, acting

pytestmark = pytest.mark.filterwarnings(
    "default"
)  # what newer Djangos say of get_connection and fail_silently
NEWER = hasattr(mail, "mailers")


def sent(site):
    return [(one.shown, *one.to) for one in site.box.sent]


def test_send_mail_of_nobody_is_the_companys(site):
    assert send_mail("Hi", "text", None, ["ap@customer.example"]) == 1
    assert sent(site) == [("orders@acme.example", "ap@customer.example")]
    assert site.box.sent[0].message["Auto-Submitted"] == "auto-generated"


def test_who_acts_is_who_writes(site):
    """By a block, by the connection, by a header, which nobody else sees."""
    with acting("anna"):
        send_mail("1", "text", None, ["a@customer.example"])
    with get_connection(user="otto") as connection:
        EmailMessage("2", "text", to=["b@customer.example"], connection=connection).send()
    EmailMessage("3", "text", to=["c@customer.example"], headers={"X-Pillarbox-User": "anna"}).send()
    assert [one[0] for one in sent(site)] == ["anna@acme.example", "otto@acme.example", "anna@acme.example"]
    assert all("X-Pillarbox-User" not in one.message for one in site.box.sent)


def test_an_unknown_user_is_refused_and_never_the_companys(site):
    with acting("nobody"), pytest.raises(SettingsError, match="nobody"):
        send_mail("1", "text", None, ["a@customer.example"])
    assert site.box.sent == []


def test_a_request_sends_for_who_is_signed_in(site):
    """Two at once, each their own; nobody signed in is nobody."""
    Member.objects.filter(username="anna").delete()
    member = Member.objects.create_user("anna", password="x")
    client = Client()
    client.get("/send")
    client.force_login(member)
    client.get("/send")
    later = AsyncClient()
    later.force_login(member)
    asyncio.run(later.get("/later"))
    assert [one[0] for one in sent(site)] == ["orders@acme.example", "anna@acme.example", "anna@acme.example"]


def test_a_mail_arrives_whole(site):
    made = EmailMultiAlternatives(
        "Größe", "text", None, ["a@customer.example"], bcc=["b@acme.example"], cc=["c@acme.example"],
        reply_to=["r@acme.example"], headers={"X-Invoice": "1001"},
    )  # fmt: skip
    made.attach_alternative("<p>html</p>", "text/html")
    made.attach("Rechnung.pdf", b"%PDF", "application/pdf")
    assert made.send() == 1
    (one,) = site.box.sent
    message = one.submission.message()
    assert set(one.to) == {"a@customer.example", "b@acme.example", "c@acme.example"}
    assert message["Subject"] == "Größe"
    assert (message["Reply-To"], message["X-Invoice"], message["Cc"]) == (
        "r@acme.example",
        "1001",
        "c@acme.example",
    )
    assert message.get_body(("html",)).get_content().strip() == "<p>html</p>"
    assert [part.get_filename() for part in message.iter_attachments()] == ["Rechnung.pdf"]


def test_recipients_are_djangos_and_headers_that_show_others_are_refused(site):
    made = EmailMessage("s", "t", to=["real@customer.example"], headers={"To": "shown@customer.example"})
    with pytest.raises(MessageError, match="shows other recipients"):
        made.send()
    assert site.box.sent == []


def test_only_bcc_goes_to_them_alone(site):
    EmailMessage("s", "t", bcc=["b@acme.example"]).send()
    assert sent(site) == [("orders@acme.example", "b@acme.example")]
    assert EmailMessage("s", "t").send() == 0


def test_a_from_that_the_rules_do_not_show_is_refused_unless_it_is_ignored(site):
    """Never silently replaced; Django's defaults, and the address that shows anyway, are no other."""
    for same in (None, "webmaster@localhost", "Acme <orders@ACME.example>"):
        send_mail("s", "t", same, ["a@customer.example"])
    with pytest.raises(MessageError, match=r"ceo@acme\.example"):
        send_mail("s", "t", "ceo@acme.example", ["a@customer.example"])
    site.change(PILLARBOX={"mailer": "tests.plugins.django.company.current", "foreign_from": "ignore"})
    send_mail("s", "t", "ceo@acme.example", ["a@customer.example"])
    assert {one[0] for one in sent(site)} == {"orders@acme.example"}


def test_silence_is_for_what_was_not_sent(site):
    """An outcome that nobody knows is always told: who does not hear of it sends again."""
    site.box.fail_next(SendDeferred("busy"))
    assert send_mail("s", "t", None, ["a@customer.example"], fail_silently=True) == 0
    site.box.fail_next(ConnectionResetError(), handed_over=True)
    with pytest.raises(OutcomeUnknown):
        send_mail("s", "t", None, ["a@customer.example"], fail_silently=True)
    site.box.fail_next(SendDeferred("busy"))
    with pytest.raises(SendDeferred):
        send_mail("s", "t", None, ["a@customer.example"])


def test_mail_to_managers_and_of_djangos_own_apps_goes_the_same_way(site):
    from django.core.mail import mail_managers

    site.change(MANAGERS=[("Petra", "petra@acme.example")])
    mail_managers("Hi", "text")
    assert sent(site) == [("orders@acme.example", "petra@acme.example")]
    assert isinstance(mail.get_connection(), EmailBackend)
    Member(username="anna", email="anna@private.example").email_user("Your password", "text")
    assert sent(site)[-1] == ("orders@acme.example", "anna@private.example")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Set PILLARBOX"),
        ({"fil": "x"}, "no key 'fil'"),
        ({"file": "x", "foreign_from": "y"}, "'refuse' or 'ignore'"),
    ],
)
def test_settings_that_cannot_be_used_say_what_to_set(site, given, said):
    site.change(PILLARBOX=given)
    with pytest.raises(ImproperlyConfigured, match=said):
        send_mail("s", "t", None, ["a@customer.example"])


def test_a_subject_with_a_line_break_is_refused_as_django_does(site):
    with pytest.raises((ValueError, MessageError)):
        send_mail("s\nBcc: x@evil.example", "t", None, ["a@customer.example"])
    assert site.box.sent == []


def test_what_the_site_itself_writes_is_the_companys(site):
    """An error in Anna's request is no mail of hers."""
    from django.core.mail import mail_admins

    site.change(ADMINS=["root@acme.example"] if NEWER else [("Root", "root@acme.example")])
    with acting("anna"):
        mail_admins("Error", "text")
    assert sent(site) == [("orders@acme.example", "root@acme.example")]


def test_a_password_for_another_account_is_refused(site):
    with pytest.raises(SettingsError, match="auth_user"):
        EmailBackend(username="x", password="y")


@pytest.mark.skipif(not NEWER, reason="Django before 6.1 has no MAILERS")
def test_mailers_name_a_writer_each(site):
    one = {"BACKEND": "pillarbox_django.EmailBackend", "OPTIONS": {"user": "anna"}}
    site.change(MAILERS={"default": {"BACKEND": "pillarbox_django.EmailBackend"}, "hers": one})
    EmailMessage("s", "t", to=["a@customer.example"]).send(using="hers")
    assert sent(site) == [("anna@acme.example", "a@customer.example")]
