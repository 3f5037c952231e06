"""Delivery status notifications as mail systems write them, read for what they say of each recipient (RFC 3464)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillarbox import ReportKind
from pillarbox_smtp.dsn import LARGEST, MOST_RECIPIENTS, reports_of

KEY = "0123456789abcdef0123456789abcdef"
MESSAGE_ID = f"<{KEY}@acme.example>"
ORIGINAL = f"From: orders@acme.example\r\nMessage-ID: {MESSAGE_ID}\r\nSubject: Invoice 1001\r\n"


def notification(
    *groups: str,
    original: str = f"Content-Type: text/rfc822-headers\r\n\r\n{ORIGINAL}",
    kind: str = "multipart/report; report-type=delivery-status",
    about: str = "message/delivery-status",
) -> bytes:
    """Return a notification with these groups of fields, the message's first."""
    status = "\r\n\r\n".join(groups)
    return (
        "From: MAILER-DAEMON@mail.customer.example\r\nTo: orders@acme.example\r\nDate: Fri, 27 Nov 2026 10:00:00 +0100\r\n"
        f'Subject: Undelivered Mail\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n\r\n"
        f"--b\r\nContent-Type: {about}\r\n\r\n{status}\r\n\r\n--b\r\n{original}\r\n--b--\r\n"
    ).encode()


MESSAGE = "Reporting-MTA: dns; mail.customer.example\r\nArrival-Date: Fri, 27 Nov 2026 09:59:00 +0100"
POSTFIX = (
    "Final-Recipient: rfc822; ap@customer.example\r\nOriginal-Recipient: rfc822;AP+x@customer.example\r\nAction: failed\r\n"
    "Status: 5.1.1\r\nRemote-MTA: dns; mx.customer.example\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 <ap@customer.example>: Recipient address\r\n    rejected: User unknown"
)
EXIM = "Action: failed\r\nFinal-Recipient: rfc822;ap@customer.example\r\nStatus: 5.0.0\r\nDiagnostic-Code: smtp; 550 No such user"
EXCHANGE = (
    "Final-recipient: RFC822; ap@customer.example\r\nAction: failed\r\nStatus: 5.1.10\r\n"
    "Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\r\n"
    "X-Display-Name: ap@customer.example"
)
GMAIL = (
    "Final-Recipient: rfc822; ap@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    "Remote-MTA: dns; mx.customer.example. (192.0.2.1, the server for the domain customer.example.)\r\n"
    "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\r\n"
    "Last-Attempt-Date: Fri, 27 Nov 2026 01:00:05 -0800 (PST)"
)


@pytest.mark.parametrize(
    ("group", "recipient", "said"),
    [
        (
            POSTFIX,
            "AP+x@customer.example",
            "550 5.1.1 <ap@customer.example>: Recipient address rejected: User unknown",
        ),
        (EXIM, "ap@customer.example", "5.0.0 550 No such user"),
        (
            EXCHANGE,
            "ap@customer.example",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        ),
        (
            GMAIL,
            "ap@customer.example",
            "550-5.1.1 The email account that you tried to reach does not exist.",
        ),
    ],
    ids=["postfix", "exim", "exchange", "gmail"],
)
def test_what_mail_systems_write(group, recipient, said):
    """Field names in any case, folded lines, the original recipient before the final one."""
    (report,) = reports_of(notification(MESSAGE, group))
    assert (report.kind, report.recipient, report.message_id) == (ReportKind.BOUNCED, recipient, MESSAGE_ID)
    assert report.detail == said


def test_the_last_attempt_is_the_moment_and_else_the_date_of_the_notification():
    (told,), (dated,) = reports_of(notification(MESSAGE, GMAIL)), reports_of(notification(MESSAGE, EXIM))
    assert told.at == dt.datetime(2026, 11, 27, 9, 0, 5, tzinfo=dt.UTC)
    assert dated.at == dt.datetime(2026, 11, 27, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("action", "kinds"),
    [
        ("failed", [ReportKind.BOUNCED]),
        ("Failed", [ReportKind.BOUNCED]),
        ("delivered", [ReportKind.ARRIVED]),
        ("delayed", []),
        ("relayed", []),
        ("expanded", []),
        ("", []),
    ],
)
def test_only_what_is_final_is_reported(action, kinds):
    group = f"Final-Recipient: rfc822; ap@customer.example\r\nAction: {action}\r\nStatus: 4.4.1"
    assert [one.kind for one in reports_of(notification(MESSAGE, group))] == kinds


def test_each_recipient_has_a_report():
    other = EXIM.replace("ap@", "office@")
    assert [one.recipient for one in reports_of(notification(MESSAGE, EXIM, other))] == [
        "ap@customer.example",
        "office@customer.example",
    ]


def test_the_whole_message_may_come_back_and_its_own_notification_is_not_read():
    inner = notification(MESSAGE, EXIM.replace("ap@", "inner@")).decode()
    original = f"Content-Type: message/rfc822\r\n\r\n{ORIGINAL}{inner}"
    (report,) = reports_of(notification(MESSAGE, EXIM, original=original))
    assert (report.recipient, report.message_id) == ("ap@customer.example", MESSAGE_ID)


def test_a_message_that_was_cut_short_is_read_as_far_as_it_goes():
    original = f"Content-Type: message/rfc822\r\n\r\n{ORIGINAL}\r\n" + "x" * LARGEST
    assert len(reports_of(notification(MESSAGE, EXIM, original=original))) == 1


def test_an_international_recipient_is_read():
    group = "Final-Recipient: utf-8; zo\\x{EB}\r\nOriginal-Recipient: rfc822;a+2Bb@customer.example\r\nAction: failed"
    (report,) = reports_of(notification(MESSAGE, group, about="message/global-delivery-status"))
    assert report.recipient == "a+b@customer.example"


@pytest.mark.parametrize(
    "content",
    [
        notification(MESSAGE, EXIM, kind="multipart/mixed"),
        notification(
            MESSAGE,
            EXIM,
            kind="multipart/report; report-type=feedback-report",
            about="message/feedback-report",
        ),
        notification(MESSAGE, EXIM, original="Content-Type: text/plain\r\n\r\nno original"),
        notification(MESSAGE),
        notification(MESSAGE, "Action: failed"),
        notification(MESSAGE, "Action: failed\r\nFinal-Recipient: x400; /C=de/"),
        notification(MESSAGE, "Action: failed\r\nFinal-Recipient: rfc822; not an address"),
        b"",
        b"Subject: Invoice\r\n\r\nText",
    ],
)
def test_what_is_no_notification_of_ours_reports_nothing(content):
    assert reports_of(content) == []


def test_more_recipients_than_a_notification_has_are_left_out():
    groups = [EXIM.replace("ap@", f"ap{number}@") for number in range(3 * MOST_RECIPIENTS)]
    assert len(reports_of(notification(MESSAGE, *groups))) <= MOST_RECIPIENTS


def test_words_that_would_do_harm_are_cleaned_and_cut():
    hostile = EXIM.replace("550 No such user", "550 \x1b[31mred\u202e " + "x" * 2000)
    (report,) = reports_of(notification(MESSAGE, hostile))
    assert report.detail.isprintable()
    assert len(report.detail) <= 512


PIECES = st.sampled_from(
    [*notification(MESSAGE, POSTFIX, EXIM).splitlines(keepends=True), b"Content-Type: message/global-delivery-status\r\n", b"\r\n", b"--b\r\n", b"\xff", b"\x00", b"=?x?q?=ff?="]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=300))
def test_no_octets_make_reading_fail(content):
    """A mailbox holds what anybody wrote."""
    for report in reports_of(content):
        assert report.detail.isprintable()
