"""What is this transport's own, beside the contract."""

from base64 import b64decode
from typing import Any

import jsonschema
import pytest
from letters import written
from pillarbox_resend import ResendSettings, ResendTransport
from pillarbox_resend.contract import KEY, ResendContract
from pillarbox_resend.fake import FakeApi
from pillarbox_resend.schema import SEND
from pillarbox_resend.transport import AMBIENT

from pillarbox import (
    Account,
    Address,
    Attachment,
    Journal,
    Level,
    MessageError,
    OutcomeUnknown,
    Route,
    SendDeferred,
    SignInNeeded,
)

MESSAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "html": {"html": "<p>Größe</p>"},
    "everybody": {
        "to": ["Zoë <zoe@customer.example>", "b@customer.example"],
        "cc": "cc@customer.example",
        "bcc": "hidden@customer.example",
        "reply_to": "answers@acme.example",
    },
    "attachments": {
        "html": '<img src="cid:logo">',
        "attachments": [
            Attachment("Rechnung – größer.pdf", b"%PDF"),
            Attachment("logo.png", b"\x89PNG", inline=True, content_id="logo"),
        ],
    },
    "headers": {"headers": {"X-Invoice": "1001"}, "in_reply_to": "<1@customer.example>"},
    "tags": {"options": {"resend": {"tags": {"kind": "invoice"}}}},
    "no subject": {"subject": ""},
    "nothing": {"text": ""},
}


@pytest.mark.parametrize("fields", MESSAGES.values(), ids=MESSAGES)
def test_a_request_is_what_resend_has_published(ground: ResendContract, fields: dict[str, Any]) -> None:
    """Held against its schema; the fake itself takes whatever it is given."""
    ground.send(written(**fields))
    (request,) = ground.api.requests
    jsonschema.validate(request, SEND)


def test_each_part_of_a_message_has_its_field(ground: ResendContract) -> None:
    """Bcc among them, and nothing twice."""
    ground.send(written(**MESSAGES["everybody"], **MESSAGES["headers"], **MESSAGES["tags"]))
    (request,) = ground.api.requests
    assert request["from"] == "Anna Bérg <anna@acme.example>"
    assert request["to"] == ["Zoë <zoe@customer.example>", "b@customer.example"]
    assert (request["cc"], request["bcc"]) == (["cc@customer.example"], ["hidden@customer.example"])
    assert request["reply_to"] == ["answers@acme.example"]
    assert request["headers"]["X-Invoice"] == "1001"
    assert request["headers"]["In-Reply-To"] == "<1@customer.example>"
    assert not {name.lower() for name in request["headers"]} & {
        "bcc",
        "to",
        "from",
        "subject",
        "content-type",
    }
    assert request["tags"] == [{"name": "kind", "value": "invoice"}]


def test_nobody_gets_a_mail_twice_whose_address_is_written_with_needless_quotes(
    ground: ResendContract,
) -> None:
    """The header leaves them out and the envelope keeps them; who is shown is not hidden."""
    shown = ['"john.doe"@customer.example', '"a \\"b"@customer.example', "zoe@BÜCHER.example"]
    ground.send(written(to=shown, bcc='"h.h"@customer.example'))
    (request,) = ground.api.requests
    assert len(request["to"]) == 3
    assert request["bcc"] == ['"h.h"@customer.example']


MAIL = (
    b"From: a@b.example\r\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\nX-Long: " + b"x " * 60 + b"\r\n\r\nHi.\r\n"
)


def test_a_mail_that_is_attached_goes_as_one_file_and_as_it_was_written(ground: ResendContract) -> None:
    """Not the parts of it: its recipient opens it as a mail."""
    ground.send(written(attachments=[Attachment("mail.eml", MAIL)]))
    (one,) = ground.api.requests[0]["attachments"]
    assert (one["filename"], one["content_type"]) == ("mail.eml", "message/rfc822")
    assert b64decode(one["content"]) == MAIL


def test_a_message_without_a_word_has_an_empty_text(ground: ResendContract) -> None:
    """Resend takes none that has neither text nor HTML; beside HTML it makes the text itself."""
    ground.send(written(text=""))
    ground.send(written(text="", html="<p>Hi</p>"))
    first, second = ground.api.requests
    assert first["text"] == ""
    assert "text" not in second


def test_a_message_whose_answer_was_lost_is_sent_again_and_goes_once(ground: ResendContract) -> None:
    """Resend recognises the key."""
    sent = written()
    with ground.stage("cut after"), pytest.raises(OutcomeUnknown):
        ground.send(sent)
    assert ground.send(sent).reference.startswith("00000000-")
    assert (len(ground.api.kept), len(ground.api.requests)) == (1, 2)


def test_a_rate_limit_says_how_long(ground: ResendContract) -> None:
    with ground.stage("content refused for now"), pytest.raises(SendDeferred) as deferred:
        ground.send(written())
    assert deferred.value.retry_after == 2


def test_the_machines_own_key_is_used_where_the_settings_name_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ambient: no vault has it, and nothing shows it."""
    with FakeApi(KEY) as api:
        with ResendTransport(ResendSettings(url=api.url, timeout=2.0)) as transport:
            monkeypatch.delenv(AMBIENT, raising=False)
            with pytest.raises(SignInNeeded, match="no API key"):
                transport.send(written(), Journal())
            monkeypatch.setenv(AMBIENT, KEY)
            lines: list[str] = []
            transport.trace = lines.append
            transport.send(written(), Journal())
        assert len(api.kept) == 1
        assert KEY not in repr(transport.settings) + "".join(lines)
    assert AMBIENT in ResendTransport.describe(ResendSettings()).sign_in


def test_what_is_of_a_verified_domain_may_be_shown(ground: ResendContract) -> None:
    """And nothing else; where nobody can look there is no proof."""
    with ground.make_transport() as transport:
        proof = transport.may_show("anna@ACME.example")
        assert proof is not None
        assert proof.how == "a verified domain"
        assert transport.may_show("anna@other.example") is None
    with ground.stage("unreachable"), ground.make_transport() as transport:
        assert transport.may_show("anna@acme.example") is None


def test_the_check_says_which_domain_is_not_verified(ground: ResendContract) -> None:
    ground.api.domains = ["other.example"]
    with ground.make_transport() as transport:
        transport.route = Route(
            account=Account(owner="company", method="resend"), from_address=Address("anna@acme.example")
        )
        found = {one.stage: one for one in transport.check()}
    assert found["sender"].level is Level.FAIL
    assert "acme.example is not verified at Resend; verified: other.example" in found["sender"].seen
    assert ground.api.kept == []


@pytest.mark.parametrize("tags", [{"a b": "x"}, {"a": "é"}, {"a": "x" * 257}, {"": "x"}])
def test_tags_that_resend_would_refuse_are_refused_here(ground: ResendContract, tags: dict[str, str]) -> None:
    """Before anything is asked."""
    with pytest.raises(MessageError, match="tags"):
        ground.send(written(options={"resend": {"tags": tags}}))
    with pytest.raises(MessageError, match="can't be used"):
        ground.send(written(options={"resend": {"colour": "red"}}))
    assert ground.api.requests == []


@pytest.mark.parametrize(
    "fields", [{"to": [f"r{n}@b.example" for n in range(51)]}, {"to": (), "bcc": "a@b.example"}]
)
def test_what_resend_does_not_carry_is_refused_here(ground: ResendContract, fields: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match=r"50 recipients|recipient in To"):
        ground.send(written(**fields))
    assert ground.api.requests == []


def test_a_request_that_is_too_large_is_refused_here(ground: ResendContract) -> None:
    """By its own octets: those of an attachment grow by a third in base64."""
    with pytest.raises(MessageError, match="octets; Resend takes 41,943,040"):
        ground.send(written(attachments=[Attachment("scan.pdf", b"x" * 31_500_000)]))
    assert ground.api.requests == []
