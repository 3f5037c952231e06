"""A message as Outlook takes it, and what of it Outlook can't carry."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Account, Attachment, Envelope, Message, MessageError, Route, compose
from pillarbox_mapi.letter import BCC, CC, TO, Letter, Person

ROUTE = Route(account=Account(owner="company", method="mapi"), from_address=None)


def submission(**fields):
    given = {"to": "ap@customer.example", "subject": "Invoice 1001", "text": "Good morning", **fields}
    return compose(Message(**given), ROUTE)


def letter(**fields):
    return Letter.of(submission(**fields))


def test_each_recipient_has_its_kind_and_name():
    """Blind ones too."""
    found = letter(to="Zoë <zoe@c.example>", cc=["office@c.example"], bcc=["boss@a.example"])
    assert [(one.kind, one.shown) for one in found.people] == [
        (TO, "Zoë <zoe@c.example>"),
        (CC, "office@c.example"),
        (BCC, "boss@a.example"),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Evil; other@evil.example", "Evil other@evil.example <a@b.example>"),
        ("a <x@evil.example>", "a x@evil.example <a@b.example>"),
        ("Müller, Zoë", "Müller Zoë <a@b.example>"),
        ("", "a@b.example"),
    ],
)
def test_a_name_brings_no_other_address_in(name, shown):
    """Outlook would part it into two recipients at a semicolon."""
    assert Person(TO, name, "a@b.example").shown == shown


def test_bodies_and_files_come_apart():
    """Text, HTML, an image that the HTML shows, a file that is attached."""
    image = Attachment("logo.png", b"\x89PNG", content_type="image/png", inline=True, content_id="logo")
    paper = Attachment("Größe.pdf", b"%PDF\x00", content_type="application/pdf")
    found = letter(html='<p><img src="cid:logo"></p>', attachments=[image, paper])
    assert (found.text.strip(), "cid:logo" in (found.html or "")) == ("Good morning", True)
    assert {(one.name, one.content, one.content_id) for one in found.files} == {
        ("logo.png", b"\x89PNG", "logo"),
        ("Größe.pdf", b"%PDF\x00", ""),
    }


def test_importance_receipt_and_answers_go_along():
    """By Outlook's own members; what nobody in particular writes says so by a header."""
    route = attrs.evolve(ROUTE, automatic=True)
    one = compose(
        Message(to="a@b.example", subject="s", text="t", importance="high", reply_to="c@d.example"), route
    )
    found = Letter.of(one)
    assert (found.importance, [person.address for person in found.answers_to]) == (2, ["c@d.example"])
    assert dict(found.headers) == {"Auto-Submitted": "auto-generated"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (submission(headers=[("Comments", "1")]), "the header Comments"),
        (attrs.evolve(submission(), message_id="<own@acme.example>"), "a Message-ID of its own"),
        (
            attrs.evolve(submission(), envelope=Envelope(None, ("other@c.example",))),
            "an envelope that differs",
        ),
    ],
    ids=["header", "message-id", "envelope"],
)
def test_what_outlook_can_not_carry_is_refused_or_left_out(made, said):
    """Only where the deployment wants it so."""
    with pytest.raises(MessageError) as refused:
        Letter.of(made)
    assert said in str(refused.value)
    assert "mapi.lossy" in refused.value.cure
    assert any(said in one for one in Letter.of(made, lossy=True).lost)


def test_a_repr_shows_no_text():
    """It would stand in logs."""
    shown = repr(
        letter(text="secret words", html="<p>secret words</p>", attachments=[Attachment("a", b"secret")])
    )
    assert "secret" not in shown
