"""The slip of one mail: what is known, what was said, and what it does not prove; nothing in it is trusted."""

from __future__ import annotations

import html.parser

import attrs
import pytest

from pillarbox import Answer, AnswerState, Copy, CopyState, Receipt, State, compose
from pillarbox._queueing import entry_of
from pillarbox.outbox import Event, slip, slip_html
from tests.core.doubles import LETTER, ROUTE

EVIL = '"><script src=//evil.example></script><img onerror=x src=y> \x1b[31m\u202e'


def entry(**fields):
    return attrs.evolve(entry_of(compose(LETTER, ROUTE), ROUTE, LETTER), **fields)


def receipt(one, **fields):
    return Receipt(one.submission.message_id, "4Xk2Pq1mZ", **fields)


def test_an_accepted_mail_shows_all_that_the_server_said():
    """Its name for it, each recipient's answer, the connection, and where the copy is."""
    one = entry(state=State.ACCEPTED)
    said = Answer(AnswerState.ACCEPTED, "2.1.5 Ok", "250")
    copy = Copy(CopyState.FILED, "Sent at imap.acme.example")
    shown = slip(
        attrs.evolve(
            one, receipt=receipt(one, recipients={"ap@customer.example": said}, copy=copy, security="TLS 1.3")
        )
    )
    facts = dict(shown.facts)
    assert facts["Server's name for it"] == "4Xk2Pq1mZ"
    assert facts["Connection"] == "TLS 1.3"
    assert facts["Sent copy"] == "A copy was filed in Sent at imap.acme.example."
    assert dict(shown.recipients) == {"ap@customer.example": "accepted: 250 2.1.5 Ok"}
    assert "says nothing of whether it reached a mailbox or was read" in shown.limits


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State.QUEUED, "has not been sent yet"),
        (State.UNKNOWN, "proves neither that it left nor that it did not"),
        (State.HELD, "proves neither that it left nor that it did not"),
        (State.REJECTED, "may have been sent some other way"),
        (State.CANCELLED, "may have been sent some other way"),
    ],
)
def test_every_slip_says_what_it_does_not_prove(state, says):
    """In one sentence."""
    one = entry()
    assert says in slip(attrs.evolve(one, state=state, attempted_at=one.created_at)).limits


def test_what_a_person_settled_as_sent_is_not_the_servers_word():
    """It was found out; nobody was told of each recipient."""
    one = entry(state=State.ACCEPTED)
    shown = slip(
        attrs.evolve(one, receipt=Receipt(one.submission.message_id, detail="root found that it was sent."))
    )
    assert "Accepted" not in dict(shown.facts)
    assert dict(shown.recipients) == {"ap@customer.example": "sent, as was found out later"}
    assert shown.limits.startswith("It was found out later")


def test_an_account_that_sends_later_proves_less():
    """Microsoft 365 and Outlook take it into a box."""
    one = entry(state=State.ACCEPTED)
    answers = {"ap@customer.example": Answer(AnswerState.ACCEPTED)}
    found = receipt(one, submitted_only=True, recipients=answers)
    assert "to send it later" in slip(attrs.evolve(one, receipt=found)).limits


class Tags(html.parser.HTMLParser):
    """Collects what a browser would see as tags and attributes."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_nothing_of_a_mail_becomes_part_of_the_page():
    """Subject, addresses, a server's words and a file's name are anybody's text."""
    one = entry(state=State.ACCEPTED, subject=EVIL, reason=EVIL, user=EVIL, mailbox=EVIL)
    answers = {EVIL: Answer(AnswerState.REFUSED, EVIL, "550")}
    found = receipt(one, recipients=answers, detail=EVIL, security=EVIL)
    page = slip_html(
        slip(
            attrs.evolve(one, receipt=found),
            [Event(at=one.created_at, state=State.HELD, reason=EVIL, by=EVIL)],
        )
    )
    tags = Tags()
    tags.feed(page)
    assert tags.tags <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "p",
        "table",
        "tr",
        "th",
        "td",
    }
    assert tags.attributes <= {"lang", "charset", "http-equiv", "content", "class"}
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_braces_in_a_subject_are_no_place_to_put_something():
    """The page is made of a template."""
    page = slip_html(slip(entry(subject="{style} {0} {")))
    assert "<h1>{style} {0} {</h1>" in page


def test_who_took_a_part_of_it_stays_on_the_slip():
    """Also when only the others are tried again."""
    one = entry(state=State.DEFERRED)
    answers = {"first@customer.example": Answer(AnswerState.ACCEPTED)}
    shown = slip(attrs.evolve(one, receipt=receipt(one, recipients=answers)))
    assert dict(shown.recipients) == {
        "first@customer.example": "accepted",
        "ap@customer.example": "not sent yet",
    }
