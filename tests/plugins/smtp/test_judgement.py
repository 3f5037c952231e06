"""The server's name for a message is found in its closing words; broken exchanges are told in words."""

from __future__ import annotations

import pytest

from pillarbox_smtp.judgement import Broken, How, answer, finding_of, lost, reference
from tests.plugins.smtp.givens import replies


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ok: queued as 4Xk2Pq1mZ", "4Xk2Pq1mZ"),
        ("OK id=1tE2Xq-000000001-2abc", "1tE2Xq-000000001-2abc"),
        (
            "<1@acme.example> [InternalId=123456789, Hostname=X.prod.outlook.com] 9123 bytes in 0.2, 40 KB/sec Queued mail",
            "123456789",
        ),
        ("OK  1700000000 a1-20020a05600c4f8800b003sm123.4 - gsmtp", "a1-20020a05600c4f8800b003sm123.4"),
        ("4AO9XYZ1012345 Message accepted for delivery", "4AO9XYZ1012345"),
        ("c1e4a5b0 Message accepted for delivery", "c1e4a5b0"),
        ("ok 1700000000 qp 12345", "12345"),
        ("Message Queued (0A1B2C3D-4E5F.1)", "0A1B2C3D-4E5F.1"),
        ("Ok 0100018bcf1a2b3c-0000", "0100018bcf1a2b3c-0000"),
        ("OK", ""),
        ("Ok", ""),
        ("Thank you", ""),
        ("", ""),
    ],
)
def test_queue_ids(text: str, name: str) -> None:
    """As Postfix, Exim, Exchange, Gmail, Sendmail, OpenSMTPD, qmail, Haraka and SES write them."""
    assert reference(text) == name


def test_answers_are_shared() -> None:
    """The same words about two recipients are one value, which costs nothing to make."""
    first, second = replies(b"250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n")
    assert answer(first) is answer(second)


@pytest.mark.parametrize(
    ("how", "said", "stage", "told"),
    [
        (
            How.CLOSED,
            "",
            "greeting",
            "mail.example closed the connection before it had greeted; nothing left.",
        ),
        (
            How.SILENT,
            "within 30 s",
            "sign-in",
            "mail.example did not answer in full within 30 s during the sign-in; nothing left.",
        ),
        (
            How.STALLED,
            "for 30 s",
            "sender",
            "mail.example took nothing more for 30 s before it had taken the sender; nothing left.",
        ),
        (
            How.GARBAGE,
            'what is not a reply: "x"',
            "content",
            'mail.example sent what is not a reply: "x" before it asked for the content; nothing left.',
        ),
    ],
)
def test_broken_exchanges_in_words(how: How, said: str, stage: str, told: str) -> None:
    """What the server did, when, and that nothing left."""
    error = lost("mail.example", stage, Broken(how, said))
    assert (error.detail, error.stage) == (told, stage)


def test_a_reset_before_the_greeting_has_its_own_code() -> None:
    """On a line it may come before there is one; here it can't."""
    assert finding_of(lost("s.example", "greeting", Broken(How.RESET)), "") == "greeting-reset"
