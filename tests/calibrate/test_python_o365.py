"""The fake Graph, as python-o365 meets it, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from pillarbox.testing.graph import Answer, FakeGraph, Fault
from tests.graph.schemas import published

pytest.importorskip("O365", reason="nox -s calibrate installs it")

from O365 import Account, MSGraphProtocol
from O365.utils.token import BaseTokenBackend
from requests import HTTPError

ANNA, CUSTOMER, HIDDEN = "anna@acme.example", "ap@customer.example", "boss@acme.example"
ALL = ("User.Read", "Mail.ReadWrite", "Mail.Send", "Mail.Send.Shared")
MIB = 1024 * 1024


class _Given(BaseTokenBackend):
    """A token that was made elsewhere."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def load_token(self) -> bool:
        return True

    def get_access_token(self, *, username: str | None = None) -> dict[str, str]:
        return {"secret": self._token}

    def token_is_expired(self, *, username: str | None = None) -> bool:
        return False


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FakeGraph(schema=published()) as fake:
        fake.add_mailbox(ANNA, "Anna Berg")
        fake.add_mailbox("sales@acme.example", send_as=ANNA)
        yield fake


def account(graph: FakeGraph, *scopes: str, retries: int = 0) -> Any:
    class Here(MSGraphProtocol):
        _protocol_url = f"{graph.url}/"

    backend = _Given(graph.token(ANNA, *scopes))
    return Account(
        ("id", "secret"), protocol=Here(), token_backend=backend, request_retries=retries, requests_delay=0
    )


def written(account: Any) -> Any:
    message = account.new_message()
    message.to.add(CUSTOMER)
    message.bcc.add(HIDDEN)
    message.subject = "Invoice 1001"
    message.body = "<p>Please find the <b>invoice</b>.</p>"
    return message


def read(octets: bytes) -> Message:
    return message_from_bytes(octets, policy=default)


def test_a_message_is_sent_in_one_step(graph: FakeGraph, tmp_path: Path):
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF")
    message = written(account(graph, "Mail.Send"))
    message.attachments.add(str(tmp_path / "invoice.pdf"))
    assert message.send()
    (mail,) = graph.sent(ANNA)
    assert (mail.shown, mail.recipients) == (ANNA, (CUSTOMER, HIDDEN))
    assert [part.get_filename() for part in read(mail.content).iter_attachments()] == ["invoice.pdf"]
    assert HIDDEN.encode() not in mail.content
    assert HIDDEN.encode() in (mail.copy or b"")


def test_no_copy_is_kept_where_none_is_wanted(graph: FakeGraph):
    assert written(account(graph, "Mail.Send")).send(save_to_sent_folder=False)
    assert [mail.copy for mail in graph.sent(ANNA)] == [None]


def test_another_address_is_shown_with_the_right_to_it(graph: FakeGraph):
    message = written(account(graph, *ALL))
    message.sender = "sales@acme.example"
    assert message.send()
    assert [mail.shown for mail in graph.sent(ANNA)] == ["sales@acme.example"]


def test_a_draft_is_saved_changed_found_and_sent(graph: FakeGraph):
    me = account(graph, *ALL)
    message = written(me)
    assert message.save_draft()
    message.subject = "Invoice 1002"
    assert message.save_draft()
    (found,) = me.mailbox().drafts_folder().get_messages()
    assert (found.subject, found.is_draft, found.to[0].address) == ("Invoice 1002", True, CUSTOMER)
    assert found.send()
    assert graph.drafts(ANNA) == []
    (copy,) = me.mailbox().sent_folder().get_messages(query="subject eq 'Invoice 1002'")
    assert (copy.is_draft, copy.sender.address) == (False, ANNA)


def test_a_large_attachment_goes_in_ranges(graph: FakeGraph, tmp_path: Path):
    content = bytes(range(256)) * (32 * 1024)
    (tmp_path / "drawing.bin").write_bytes(content)
    message = written(account(graph, *ALL))
    assert message.save_draft()
    message.attachments.add(str(tmp_path / "drawing.bin"))
    message.subject = "Drawing"
    assert message.save_draft()
    assert message.send()
    (mail,) = graph.sent(ANNA)
    (part,) = read(mail.content).iter_attachments()
    assert part.get_payload(decode=True) == content
    assert [one.status for one in graph.requests if one.step == "range"] == [200, 200, 201]


def test_attachments_are_read(graph: FakeGraph, tmp_path: Path):
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF")
    me = account(graph, *ALL)
    message = written(me)
    message.attachments.add(str(tmp_path / "invoice.pdf"))
    assert message.save_draft()
    (found,) = me.mailbox().drafts_folder().get_messages(download_attachments=True)
    assert [(one.name, one.size) for one in found.attachments] == [("invoice.pdf", 4)]
    assert b"invoice.pdf" in found.get_mime_content()
    assert found.delete()
    assert graph.drafts(ANNA) == []


def test_more_than_a_page_is_listed(graph: FakeGraph):
    me = account(graph, *ALL)
    for number in range(12):
        message = written(me)
        message.subject = f"Invoice {number}"
        message.save_draft()
    found = [one.subject for one in me.mailbox().drafts_folder().get_messages(limit=None, batch=5)]
    assert sorted(found) == sorted(f"Invoice {number}" for number in range(12))


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.THROTTLED, 429),
        (Fault.UNAVAILABLE, 503),
        (Answer(403, "ErrorSendAsDenied"), 403),
        (Answer(413, "ErrorMessageSizeExceeded"), 413),
    ],
)
def test_an_error_is_understood(graph: FakeGraph, fault: Fault | Answer, status: int):
    graph.fault("sendMail", fault)
    with pytest.raises(HTTPError) as error:
        written(account(graph, "Mail.Send")).send()
    assert error.value.response.status_code == status
    assert "Error Message: " in str(error.value)
    assert graph.sent(ANNA) == []


def test_its_own_retries_are_answered(graph: FakeGraph):
    """It looks again, after the time it was told."""
    graph.fault("list", Fault.THROTTLED, retry_after=0)
    assert list(account(graph, *ALL, retries=2).mailbox().sent_folder().get_messages()) == []
    assert [one.status for one in graph.requests] == [429, 200]


def test_a_scope_that_is_missing_is_an_error(graph: FakeGraph):
    with pytest.raises(HTTPError, match="403"):
        written(account(graph, "Mail.Send")).save_draft()
