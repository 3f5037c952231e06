"""The fake Graph, as Microsoft's own client meets it, unmodified."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from pillarbox.testing.graph import Answer, FakeGraph, Fault
from tests.graph.schemas import published

pytest.importorskip("msgraph", reason="nox -s calibrate installs it")

from kiota_abstractions.authentication import AccessTokenProvider, BaseBearerTokenAuthenticationProvider
from kiota_abstractions.authentication.allowed_hosts_validator import AllowedHostsValidator
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.attachment_item import AttachmentItem
from msgraph.generated.models.attachment_type import AttachmentType
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.file_attachment import FileAttachment
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty
from msgraph.generated.users.item.messages.item.attachments.create_upload_session.create_upload_session_post_request_body import (
    CreateUploadSessionPostRequestBody,
)
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph.generated.users.item.send_mail.send_mail_post_request_body import SendMailPostRequestBody
from msgraph_core.tasks.large_file_upload import LargeFileUploadTask

ANNA, CUSTOMER, HIDDEN = "anna@acme.example", "ap@customer.example", "boss@acme.example"
ALL = ("User.Read", "Mail.ReadWrite", "Mail.Send")
TAG = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name pillarbox"
MIB = 1024 * 1024


class _Given(AccessTokenProvider):
    """A token that was made elsewhere, for the service's own host; in production an upload's address is on another."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
        return "" if "/AttachmentSessions(" in uri else self._token

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([])


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FakeGraph(schema=published()) as fake:
        fake.add_mailbox(ANNA, "Anna Berg")
        yield fake


def run(graph: FakeGraph, work: Callable[[Any], Awaitable[Any]], *scopes: str) -> Any:
    """Do *work* with Microsoft's client, signed in with *scopes*, and close it."""

    async def all_of_it() -> Any:
        adapter = GraphRequestAdapter(
            BaseBearerTokenAuthenticationProvider(_Given(graph.token(ANNA, *(scopes or ALL))))
        )
        adapter.base_url = f"{graph.url}/v1.0"
        try:
            return await work(GraphServiceClient(request_adapter=adapter))
        finally:
            await adapter._http_client.aclose()

    return asyncio.run(all_of_it())


def written(subject: str = "Invoice 1001") -> Message:
    return Message(
        subject=subject,
        body=ItemBody(content_type=BodyType.Html, content="<p>Please find the invoice.</p>"),
        to_recipients=[Recipient(email_address=EmailAddress(address=CUSTOMER))],
        bcc_recipients=[Recipient(email_address=EmailAddress(address=HIDDEN))],
        attachments=[
            FileAttachment(
                odata_type="#microsoft.graph.fileAttachment",
                name="invoice.pdf",
                content_type="application/pdf",
                content_bytes=b"%PDF",
            )
        ],
        single_value_extended_properties=[SingleValueLegacyExtendedProperty(id=TAG, value="key-1")],
    )


def test_who_is_signed_in_is_told(graph: FakeGraph):
    me = run(graph, lambda client: client.me.get())
    assert (me.mail, me.user_principal_name, me.display_name) == (ANNA, ANNA, "Anna Berg")


def test_a_message_is_sent_in_one_step(graph: FakeGraph):
    body = SendMailPostRequestBody(message=written(), save_to_sent_items=False)
    assert run(graph, lambda client: client.me.send_mail.post(body), "Mail.Send") is None
    (mail,) = graph.sent(ANNA)
    assert (mail.recipients, mail.copy) == ((CUSTOMER, HIDDEN), None)
    (part,) = message_from_bytes(mail.content, policy=default).iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True)) == ("invoice.pdf", b"%PDF")


def test_a_draft_is_made_changed_sent_and_found_by_its_tag(graph: FakeGraph):
    headers = RequestConfiguration()
    headers.headers.add("Prefer", 'IdType="ImmutableId"')

    async def work(client: GraphServiceClient) -> Any:
        draft = await client.me.messages.post(written(), headers)
        message = client.me.messages.by_message_id(draft.id)
        changed = await message.patch(Message(subject="Invoice 1002"))
        assert (draft.is_draft, draft.internet_message_id is not None) == (True, True)
        assert changed.subject == "Invoice 1002"
        await message.send.post()
        asked = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
            filter=f"singleValueExtendedProperties/any(ep: ep/id eq '{TAG}' and ep/value eq 'key-1')",
            expand=[f"singleValueExtendedProperties($filter=id eq '{TAG}')"],
            select=["subject", "isDraft", "internetMessageId"],
            top=5,
        )
        found = await client.me.messages.get(RequestConfiguration(query_parameters=asked))
        return draft, found.value, await message.get(headers)

    draft, (found,), same = run(graph, work)
    assert (found.subject, found.is_draft) == ("Invoice 1002", False)
    assert found.internet_message_id == draft.internet_message_id
    assert [(tag.id, tag.value) for tag in found.single_value_extended_properties] == [(TAG, "key-1")]
    assert (same.id, same.is_draft) == (draft.id, False)


def test_a_mailbox_is_named_by_its_address(graph: FakeGraph):
    run(graph, lambda client: client.users.by_user_id(ANNA).messages.post(written()))
    found = run(
        graph,
        lambda client: client.users.by_user_id(ANNA).mail_folders.by_mail_folder_id("drafts").messages.get(),
    )
    assert [one.to_recipients[0].email_address.address for one in found.value] == [CUSTOMER]


def test_the_first_range_of_a_large_attachment_is_taken(graph: FakeGraph):
    """Its LargeFileUploadTask stumbles over the second: it expects OneDrive's `start-end`, and mail says the start."""
    content = bytes(range(256)) * (16 * 1024)
    wanted = AttachmentItem(attachment_type=AttachmentType.File, name="drawing.bin", size=len(content))

    async def work(client: GraphServiceClient) -> Any:
        draft = await client.me.messages.post(written())
        attachments = client.me.messages.by_message_id(draft.id).attachments
        body = CreateUploadSessionPostRequestBody(attachment_item=wanted)
        session = await attachments.create_upload_session.post(body)
        task = LargeFileUploadTask(
            session, client.request_adapter, io.BytesIO(content), max_chunk_size=3 * MIB
        )
        return session, task.upload_session_expired(), await task.next_chunk(task.stream, 0, 3 * MIB - 1)

    session, expired, told = run(graph, work)
    assert (session.next_expected_ranges, expired) == (["0-"], False)
    assert told.next_expected_ranges == [str(3 * MIB)]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Answer(403, "ErrorSendAsDenied"), "ErrorSendAsDenied"),
        (Answer(403, "ErrorAccessDenied", "Access to OData is disabled."), "ErrorAccessDenied"),
        (Fault.ERROR, "ErrorInternalServerError"),
        (Fault.UNAUTHORIZED, "InvalidAuthenticationToken"),
    ],
)
def test_an_error_is_understood(graph: FakeGraph, fault: Fault | Answer, code: str):
    graph.fault("sendMail", fault)
    with pytest.raises(ODataError) as error:
        run(graph, lambda client: client.me.send_mail.post(SendMailPostRequestBody(message=written())))
    told = error.value.error
    assert (told.code, bool(told.message)) == (code, True)
    assert told.inner_error.request_id
    assert error.value.response_headers["request-id"]


def test_what_the_fake_itself_refuses_is_understood(graph: FakeGraph):
    with pytest.raises(ODataError) as error:
        run(graph, lambda client: client.me.messages.get(), "Mail.Send")
    assert (error.value.response_status_code, error.value.error.code) == (403, "ErrorAccessDenied")
