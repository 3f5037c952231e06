"""What Simple MAPI can't carry is refused, or left out and told; who sends is never left to chance."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import MessageError, SenderMismatch, SettingsError
from pillarbox_mapi import Interface, MapiSettings, MapiTransport
from pillarbox_mapi.accounts import Wish
from pillarbox_mapi.letter import File, Letter, Person
from pillarbox_mapi.simple_letter import narrowed, require_sender

ANNA = "anna@acme.example"
PLAIN = Letter(
    subject="Invoice", text="Good morning", html=None, people=(Person(1, "", "ap@customer.example"),)
)
LOGO = File("logo.png", b"\x89PNG", "image/png", "logo")
UNCARRIED = [
    ({"html": "<p>Good morning</p>"}, "the HTML"),
    ({"files": (LOGO,)}, "the place of a picture inside the text"),
    ({"answers_to": (Person(0, "Anna", ANNA),)}, "an address for answers"),
    ({"importance": 2}, "the importance"),
    ({"headers": (("X-Order", "1"),)}, "the header X-Order"),
    ({"headers": (("Auto-Submitted", "auto-generated"),)}, "the header Auto-Submitted"),
]


def simple(**given):
    return MapiSettings(interface=Interface.SIMPLE, **given)


@pytest.mark.parametrize(("changed", "what"), UNCARRIED)
def test_what_it_has_no_place_for_is_refused(changed, what):
    """With the ways out: leave it out, the object model, or send without."""
    with pytest.raises(MessageError, match=f"can't carry {what} of") as refused:
        narrowed(attrs.evolve(PLAIN, **changed), simple())
    assert all(word in refused.value.cure for word in ("Leave it out", "mapi.interface", "mapi.lossy"))


@pytest.mark.parametrize(("changed", "what"), UNCARRIED)
def test_where_loss_is_allowed_it_is_left_out_and_told(changed, what):
    """The picture itself goes, as a file like others."""
    sent = narrowed(attrs.evolve(PLAIN, **changed), simple(lossy=True))
    assert sent.lost == (what,)
    bare = attrs.evolve(PLAIN, files=(attrs.evolve(LOGO, content_id=""),) if "files" in changed else ())
    assert attrs.evolve(sent, lost=()) == bare


def test_a_plain_letter_loses_nothing():
    """A read receipt has a flag of its own."""
    asked = attrs.evolve(PLAIN, read_receipt=True, files=(File("a.pdf", b"%PDF"),))
    assert narrowed(asked, simple()) == asked


def test_html_without_a_text_is_refused_even_where_loss_is_allowed():
    """Nothing would be left to read."""
    with pytest.raises(MessageError, match="none beside its HTML"):
        narrowed(attrs.evolve(PLAIN, text="\r\n", html="<p>Hi</p>"), simple(lossy=True))


def test_answers_that_go_to_the_sender_anyway_are_no_loss():
    """As far as the settings say as whom the program sends."""
    answered = attrs.evolve(PLAIN, answers_to=(Person(0, "Anna", "Anna@acme.example"),))
    assert narrowed(answered, simple(account=ANNA)).lost == ()
    with pytest.raises(MessageError, match="an address for answers") as refused:
        narrowed(answered, simple(account="orders@acme.example"))
    assert "mapi.account" in refused.value.cure


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("stated", ["", "orders@acme.example", f"{ANNA}.evil.example"])
def test_somebody_who_has_to_send_is_not_left_to_the_program(stated, lossy):
    """Loss is of what a message holds, never of who sends it."""
    with pytest.raises(SenderMismatch, match="does not show as whom"):
        require_sender(simple(account=stated, lossy=lossy), Wish(must_be=ANNA))


def test_somebody_who_has_to_send_may_say_that_the_program_sends_as_them():
    require_sender(simple(account="Anna@Acme.example"), Wish(must_be=ANNA))


@pytest.mark.parametrize("chosen", [{"profile": "Work"}, {"on_behalf": "boss@acme.example"}])
def test_what_it_cannot_choose_is_refused(chosen):
    (name,) = chosen
    with pytest.raises(SettingsError, match=f"mapi.{name} asks") as refused:
        require_sender(simple(lossy=True, **chosen), Wish())
    assert f"Leave mapi.{name} empty" in refused.value.cure


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "can't look what was sent"),
        ({"lossy": True}, "Because of mapi.lossy, Simple MAPI sends without HTML"),
        ({"account": ANNA}, f"Nobody can check that the mail program sends as {ANNA}"),
        ({"profile": "Work"}, "nothing is sent until it is empty"),
    ],
)
def test_its_settings_are_told_as_doubtful(given, said):
    """Explain and check show these."""
    assert any(said in one for one in MapiTransport.warnings(simple(**given)))
    assert not any(said in one for one in MapiTransport.warnings(MapiSettings(**given)))
