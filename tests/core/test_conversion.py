"""The standard library's messages, however they were built, become ours, or the sentence says what would be lost."""

from __future__ import annotations

import contextlib
import email.message
import email.policy
from email import encoders, message_from_bytes, message_from_string
from email.header import Header
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import Address, Attachment, Calendar, Message, MessageError, Unsubscribe, compose
from tests.core import messages
from tests.core.messages import AT, INVITATION, KEY, ROUTE, patient
from tests.core.reading import shown

POLICIES = [email.policy.default, email.policy.SMTP, email.policy.SMTPUTF8]
HTML = '<p>Grüße</p><img src="cid:logo@acme">'


def written(policy: email.policy.Policy = email.policy.default) -> EmailMessage:
    """Return a short mail as a host writes one."""
    mail = EmailMessage(policy=policy)
    mail["From"] = "Somebody <else@acme.example>"
    mail["To"] = "Jörg Groß <a@b.example>, c@d.example"
    mail["Subject"] = "Rechnung für März"
    mail.set_content("Grüße\n")
    return mail


@pytest.mark.parametrize("policy", POLICIES)
def test_a_written_email_message_becomes_a_message(policy: email.policy.Policy) -> None:
    """Of every policy, with all that its own methods add; its From is the route's business."""
    mail = written(policy)
    mail["Cc"], mail["Bcc"], mail["Reply-To"] = (
        "e@f.example",
        "hidden@b.example",
        '"Berg, Anna" <g@h.example>',
    )
    mail.add_alternative(HTML, subtype="html")
    mail.get_payload(1).add_related(b"PNG", "image", "png", cid="<logo@acme>", filename="logo.png")  # type: ignore[union-attr]
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="für März.pdf")
    mail.add_attachment("a;b\n", subtype="csv", filename="rows.csv")
    assert Message.from_email(mail) == Message(
        to=[Address("a@b.example", "Jörg Groß"), "c@d.example"],
        cc="e@f.example",
        bcc="hidden@b.example",
        reply_to='"Berg, Anna" <g@h.example>',
        subject="Rechnung für März",
        text="Grüße\n",
        html=HTML + "\n",
        attachments=[
            Attachment("logo.png", b"PNG", "image/png", inline=True, content_id="logo@acme"),
            Attachment("für März.pdf", b"%PDF", "application/pdf"),
            Attachment("rows.csv", b"a;b\n", 'text/csv; charset="utf-8"'),
        ],
    )


def older() -> MIMEMultipart:
    """Return the mail that programs wrote before EmailMessage: mixed(alternative, file)."""
    mail = MIMEMultipart("mixed")
    mail["From"], mail["To"] = "else@acme.example", formataddr(("Jörg", "a@b.example"))
    mail["Subject"] = Header("Rechnung für März" * 5, "utf-8")  # type: ignore[assignment]
    bodies = MIMEMultipart("alternative")
    bodies.attach(MIMEText("Grüße\n", "plain", "utf-8"))
    bodies.attach(MIMEText(HTML, "html", "utf-8"))
    mail.attach(bodies)
    file = MIMEBase("application", "pdf")
    file.set_payload(b"%PDF")
    encoders.encode_base64(file)
    file.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "für März.pdf"))
    mail.attach(file)
    return mail


def test_an_older_message_becomes_the_same() -> None:
    """`MIMEMultipart` and its kin, with `Header` values and RFC 2231 names."""
    message = Message.from_email(older())
    assert (message.text, message.html) == ("Grüße\n", HTML)
    assert message.subject == "Rechnung für März" * 5
    assert message.attachments == (Attachment("für März.pdf", b"%PDF", "application/pdf"),)


@pytest.mark.parametrize("policy", [*POLICIES, email.policy.compat32])
def test_a_parsed_email_becomes_the_same_as_the_one_that_was_written(policy: email.policy.Policy) -> None:
    """Read from bytes by any policy: folded, encoded and all."""
    octets = older().as_bytes()
    assert Message.from_email(message_from_bytes(octets, policy=policy)) == Message.from_email(older())


@patient
@given(messages.messages)
def test_what_we_compose_is_converted_back_to_what_it_was_made_from(message: Message) -> None:
    """By the oldest policy, which leaves decoding to us; line breaks are normal, bodies end in one, Bcc is apart."""
    octets = compose(message, ROUTE, key=KEY, at=AT).content_with_bcc()
    back = Message.from_email(message_from_bytes(octets, policy=email.policy.compat32))
    for name in ("to", "cc", "bcc", "reply_to"):
        assert [(one.name, one.wire) for one in getattr(back, name)] == [
            (one.name, one.wire) for one in getattr(message, name)
        ]
    assert (back.subject, back.headers, back.references) == (
        message.subject,
        message.headers,
        message.references,
    )
    assert shown(back.text or "") == shown(message.text or "")
    assert shown(back.html or "") == shown(message.html or "")
    assert sorted(one.content for one in back.attachments) == sorted(
        one.content for one in message.attachments
    )
    assert {one.content_id for one in back.attachments} == {one.content_id for one in message.attachments}


def test_a_converted_message_keeps_its_wishes() -> None:
    """Importance, a read receipt, a way out of the list, what it answers, its mark, its own headers."""
    mail = written()
    mail["Importance"], mail["Disposition-Notification-To"] = "High", "else@acme.example"
    mail["List-Unsubscribe"] = "<https://a.example/u>, <mailto:u@a.example>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["In-Reply-To"], mail["References"] = "<a@b.example>", "<x@b.example> <a@b.example>"
    mail["Auto-Submitted"], mail["X-Document"] = "auto-generated", "INV-1001 für Köln"
    message = Message.from_email(mail)
    assert (message.importance, message.read_receipt) == ("high", True)
    assert message.unsubscribe == Unsubscribe("https://a.example/u", "mailto:u@a.example")
    assert (message.in_reply_to, message.references) == (
        ("<a@b.example>",),
        ("<x@b.example>", "<a@b.example>"),
    )
    assert message.headers == (("Auto-Submitted", "auto-generated"), ("X-Document", "INV-1001 für Köln"))


@pytest.mark.parametrize(
    ("name", "value", "importance"),
    [
        ("X-Priority", "1 (Highest)", "high"),
        ("X-Priority", "5", "low"),
        ("X-Priority", "3", "normal"),
        ("Importance", "Low", "low"),
        ("Importance", "", "normal"),
        ("Importance", "extreme", "normal"),
    ],
)
def test_importance_is_read_in_both_ways(name: str, value: str, importance: str) -> None:
    """RFC 2156's and the one that many programs write."""
    mail = written()
    mail[name] = value
    assert Message.from_email(mail).importance == importance


def test_what_the_route_gives_is_left_to_it() -> None:
    """From, Sender, Date, Message-ID and the traces of a journey go; nothing of them is an extra header."""
    mail = written()
    mail["Sender"], mail["Date"] = "bot@acme.example", "Tue, 24 Nov 2026 09:30:05 +0000"
    mail["Message-ID"], mail["Received"], mail["Return-Path"] = "<a@b>", "from x by y", "<a@b.example>"
    mail["Content-Language"] = "de"
    assert Message.from_email(mail) == Message.from_email(written())


def test_an_invitation_is_converted_once() -> None:
    """The attached twin of the shown one is left out: composing attaches it again."""
    message = Message(to="a@b.example", text="a\n", calendar=Calendar(INVITATION, "Köln.ics"))
    mail = message_from_bytes(compose(message, ROUTE).content, policy=email.policy.default)
    back = Message.from_email(mail)
    assert back.calendar == Calendar(INVITATION.replace("\r\n", "\n"), "Köln.ics")
    assert back.attachments == ()


def test_an_invitation_without_a_twin_keeps_its_files() -> None:
    """Another calendar file is another file."""
    mail = written()
    mail.add_alternative(INVITATION, subtype="calendar", params={"method": "REQUEST"})
    mail.add_attachment(b"BEGIN:VCALENDAR", maintype="application", subtype="ics", filename="other.ics")
    message = Message.from_email(mail)
    assert message.calendar is not None
    assert [one.filename for one in message.attachments] == ["other.ics"]


def test_an_attached_message_is_a_file() -> None:
    """Its own attachments and signatures stay inside."""
    mail = written()
    mail.add_attachment(written(email.policy.SMTP))
    (file,) = Message.from_email(mail).attachments
    assert (file.filename, file.kind) == ("message.eml", "message/rfc822")
    assert message_from_bytes(file.content, policy=email.policy.default)["Subject"] == "Rechnung für März"
    assert b"\n" not in file.content.replace(b"\r\n", b"")


def test_a_file_without_a_name_gets_one() -> None:
    """By its type: an attachment of ours has a name."""
    mail = written()
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf")
    mail.add_attachment(b"?", maintype="application", subtype="x-own")
    assert [one.filename for one in Message.from_email(mail).attachments] == [
        "attachment.pdf",
        "attachment.bin",
    ]


def test_a_mail_that_is_only_a_file_is_one() -> None:
    """A scanner sends such mail."""
    picture = MIMEImage(b"PNG", "png")
    picture["To"] = "a@b.example"
    message = Message.from_email(picture)
    assert (message.text, [one.kind for one in message.attachments]) == (None, ["image/png"])


def test_apple_mails_nesting_is_understood() -> None:
    """alternative(text, mixed(html, file)): the file is a file."""
    mail = message_from_string(
        "To: a@b.example\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\ntext\n--a\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>\n--b\n"
        "Content-Type: application/pdf; name=a.pdf\n\n%PDF\n--b--\n--a--\n"
    )
    message = Message.from_email(mail)
    assert (message.text, message.html) == ("text", "<p>")
    assert message.attachments == (Attachment("a.pdf", b"%PDF", "application/pdf"),)


def test_a_text_that_was_set_without_an_encoding_is_taken_as_it_is() -> None:
    """`set_payload(str)` and `message_from_string` keep characters, which have no octets yet."""
    mail = email.message.Message()
    mail["To"] = "a@b.example"
    mail.set_payload("Grüße, 日本")
    assert Message.from_email(mail).text == "Grüße, 日本"


def test_utf_8_that_is_said_to_be_ascii_is_read() -> None:
    """Many programs forget the charset; a subject in raw UTF-8 too."""
    octets = "To: Jörg <a@b.example>\nSubject: Grüße\nX-Note: für\n\nGrüße\n".encode()
    message = Message.from_email(message_from_bytes(octets))
    assert (message.text, message.subject, message.to[0].name) == ("Grüße\n", "Grüße", "Jörg")
    assert message.headers == (("X-Note", "für"),)


def test_a_text_in_a_seven_bit_charset_is_decoded() -> None:
    """ISO-2022-JP looks like ASCII with escape sequences in it."""
    mail = MIMEText("日本", _charset="iso-2022-jp")
    mail["To"] = "a@b.example"
    for email_ in (
        mail,
        message_from_bytes(mail.as_bytes()),
        message_from_bytes(mail.as_bytes(), policy=POLICIES[0]),
    ):
        assert Message.from_email(email_).text == "日本"


LOST = {
    "multipart/signed": "Content-Type: multipart/signed; boundary=a\n\n--a\n\na\n--a\n\nb\n--a--\n",
    "multipart/encrypted": "Content-Type: multipart/encrypted; boundary=a\n\n--a\n\na\n--a\n\nb\n--a--\n",
    "application/pkcs7-mime": "Content-Type: application/pkcs7-mime; name=smime.p7m\n\na\n",
    "multipart/digest": "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: a\n\na\n--a--\n",
    "multipart/report": "Content-Type: multipart/report; boundary=a\n\n--a\n\na\n--a--\n",
    "delivery-status": "Content-Type: message/delivery-status\n\nA: b\n\nC: d\n",
    "damaged": "Content-Type: multipart/mixed; boundary=a\n\n--a\n\na\n",
    "second body": "Content-Type: multipart/mixed; boundary=a\n\n--a\n\na\n--a\n\nb\n--a--\n",
    "second body (text/html)": (
        "Content-Type: multipart/mixed; boundary=a\n\n--a\n\na\n--a\nContent-Type: text/html\n\nb\n--a--\n"
    ),
    "second body (text/plain)": "Content-Type: multipart/alternative; boundary=a\n\n--a\n\na\n--a\n\nb\n--a--\n",
    "application/pdf": (
        "Content-Type: multipart/alternative; boundary=a\n\n--a\n\na\n--a\nContent-Type: application/pdf\n\nb\n--a--\n"
    ),
    "Content-Location": (
        "Content-Type: multipart/related; boundary=a\n\n--a\nContent-Type: text/html\n\na\n--a\n"
        "Content-Type: image/png\nContent-Location: logo.png\n\nb\n--a--\n"
    ),
    "beside the HTML": (
        "Content-Type: multipart/related; boundary=a\n\n--a\nContent-Type: text/html\n\na\n--a\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nb\n--b--\n--a--\n"
    ),
    "text/enriched": "Content-Type: text/enriched\n\na\n",
    "not x-klingon": "Content-Type: text/plain; charset=x-klingon\n\na\n",
    "not utf-7": "Content-Type: text/plain; charset=utf-7\n\n+!\n",
    "not iso-2022-jp": "Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\n/////w==\n",
    "can't be decoded": "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\nA\n",
    "Resent-To": "Resent-To: c@d.example\n\na\n",
    "DKIM-Signature": "DKIM-Signature: v=1\n\na\n",
    "two subject": "Subject: a\nSubject: b\n\na\n",
    "several places": "List-Unsubscribe: <https://a.example/1>, <https://a.example/2>\n\na\n",
}


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("policy", [email.policy.default, email.policy.compat32])
def test_what_would_be_lost_is_refused_with_a_cure(what: str, policy: email.policy.Policy) -> None:
    """Nothing is dropped silently."""
    with pytest.raises(MessageError, match="lost") as caught:
        Message.from_email(message_from_string(f"To: a@b.example\n{LOST[what]}", policy=policy))
    assert what in caught.value.detail
    assert caught.value.cure


DEBRIS = [
    b"",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b'"',
    b";",
    b"<",
    b"=?utf-8?b?",
    b"?=",
    b"*=",
    b"*0*",
    b"charset=x",
    b"@[",
]


@patient
@given(st.data())
def test_a_damaged_email_is_converted_or_refused(data: st.DataObject) -> None:
    """Whatever the standard library's parser makes of it, and raises, no other exception comes out."""
    octets = bytearray(
        data.draw(st.sampled_from([older().as_bytes(), *(text.encode() for text in LOST.values())]))
    )
    for at in data.draw(st.lists(st.integers(0, len(octets) - 1), min_size=1, max_size=5)):
        octets[at : at + data.draw(st.integers(0, 9))] = data.draw(st.sampled_from(DEBRIS))
    mail = message_from_bytes(b"Cc: a@b.example\n" + octets)
    for policy in (email.policy.default, email.policy.compat32):
        for part in mail.walk():
            part.policy = policy
        with contextlib.suppress(MessageError):
            assert Message.from_email(mail).recipients


@pytest.mark.parametrize("field", ["To: a@[", "Content-Disposition: attachment; filename*"])
def test_a_field_that_breaks_the_parser_is_refused(field: str) -> None:
    """The standard library raises an AttributeError and an IndexError there."""
    mail = message_from_string(f"Cc: a@b.example\n{field}\n\na\n", policy=email.policy.default)
    with pytest.raises(MessageError):
        Message.from_email(mail)


def test_parts_nested_without_end_are_refused() -> None:
    """Twenty deep is nobody's mail."""
    mail: email.message.Message = MIMEText("a")
    for _ in range(30):
        outer = MIMEMultipart("mixed")
        outer.attach(mail)
        mail = outer
    mail["To"] = "a@b.example"
    with pytest.raises(MessageError, match="deep"):
        Message.from_email(mail)


@pytest.mark.parametrize("name", ["Subject", "To", "X-Note", "In-Reply-To", "X-Note: a\r\nBcc"])
@pytest.mark.parametrize(
    "value", ["<a@b.example>\r\nBcc: c@d.example", "<a@b.example>\nBcc: c@d.example", "a\0@b.example"]
)
def test_a_header_that_was_broken_by_hand_is_refused(name: str, value: str) -> None:
    """The older API takes line breaks in values, and in names; ours does not."""
    mail = email.message.Message()
    mail["Cc"] = "a@b.example"
    mail[name] = value
    mail.set_payload("a")
    with pytest.raises(MessageError):
        Message.from_email(mail)


@pytest.mark.parametrize(
    "to", ["nobody", "a@b.example, nobody", "a@b.example)c@d.example", "=?utf-8?b?AAAAA?= <a@b.example>"]
)
def test_a_recipient_that_can_not_be_read_is_refused(to: str) -> None:
    """Never sent to the others only."""
    mail = email.message.Message()
    mail["To"] = to
    mail.set_payload("a")
    with pytest.raises(MessageError):
        Message.from_email(mail)


@pytest.mark.parametrize("policy", [email.policy.default, email.policy.compat32])
def test_groups_are_taken_apart(policy: email.policy.Policy) -> None:
    """Their members are recipients, an empty one has none."""
    source = "To: undisclosed-recipients:;\nCc: Team: a@b.example, c@d.example;\n\na\n"
    message = Message.from_email(message_from_string(source, policy=policy))
    assert message.to == ()
    assert [one.address for one in message.cc] == ["a@b.example", "c@d.example"]


@pytest.mark.parametrize("value", [None, "To: a@b.example", b"To: a@b.example", attrs])
def test_what_is_no_email_is_refused(value: object) -> None:
    """With a MessageError, as all that a message is made from."""
    with pytest.raises(MessageError, match="EmailMessage"):
        Message.from_email(value)  # type: ignore[arg-type]


def test_a_message_in_a_message_that_can_not_be_written_is_refused() -> None:
    """A value that the standard library itself can't encode."""
    inner = MIMEText("a")
    inner["Subject"] = "a\ud800"
    inner.replace_header("Content-Type", "text/plain; charset=\ud800")
    outer = MIMEMultipart("mixed")
    outer["To"] = "a@b.example"
    outer.attach(MIMEMessage(inner))
    with pytest.raises(MessageError):
        Message.from_email(outer)
