"""What is sent, who may show which address, and the copy in Sent Items."""

from __future__ import annotations

import base64

import pytest

from pillarbox.testing.graph import Manners
from tests.core.testing.graph.asking import (
    ALL,
    ANNA,
    CUSTOMER,
    HIDDEN,
    IMMUTABLE,
    SALES,
    TAG,
    Client,
    anna,
    file,
    message,
    mime,
    only,
    read,
    serving,
    to,
)


def test_a_mail_in_json_is_composed_and_its_bcc_hidden():
    with serving() as graph:
        said = anna(graph).post(
            "/sendMail",
            {
                "message": message(
                    ccRecipients=to("cc@customer.example"),
                    bccRecipients=to(HIDDEN),
                    replyTo=to(SALES),
                    importance="high",
                    internetMessageHeaders=[{"name": "X-Order", "value": "7"}],
                )
            },
        )
        assert (said.status, said.octets) == (202, b"")
        mail, got = only(graph), read(only(graph))
    assert mail.recipients == (CUSTOMER, "cc@customer.example", HIDDEN)
    assert (mail.sender, mail.shown, got["From"]) == (ANNA, ANNA, "Anna Berg <anna@acme.example>")
    assert (got["Reply-To"], got["Importance"], got["X-Order"], got["Bcc"]) == (SALES, "high", "7", None)
    assert read(mail.copy)["Bcc"] == HIDDEN
    assert got["Message-ID"] == mail.message_id


def test_html_and_files_reach_the_recipient():
    with serving() as graph:
        html = {"contentType": "HTML", "content": '<img src="cid:logo"> Grüße'}
        logo = file("logo.png", b"PNG", isInline=True, contentId="logo", contentType="image/png")
        body = {"message": message(body=html, attachments=[logo, file("Rechnung ü.pdf")])}
        assert anna(graph).post("/sendMail", body).status == 202
        got = read(only(graph))
    assert "Grüße" in got.get_body(("html",)).get_content()
    assert [part.get_filename() for part in got.iter_attachments()] == ["Rechnung ü.pdf"]
    assert [part["Content-ID"] for part in got.walk() if part["Content-ID"]] == ["<logo>"]


def test_a_mail_in_mime_goes_as_it_is_without_its_bcc():
    octets = f"Bcc: Boss\r\n <{HIDDEN}>\r\n".encode() + mime(X_Order="7")
    with serving() as graph:
        assert anna(graph).mime("/sendMail", octets).status == 202
        mail = only(graph)
    assert mail.recipients == (CUSTOMER, HIDDEN)
    assert HIDDEN.encode() not in mail.content
    assert mail.content.partition(b"\r\n\r\n")[2] == octets.partition(b"\r\n\r\n")[2]
    assert (read(mail)["X-Order"], mail.message_id, read(mail.copy)["Bcc"] is None) == (
        "7",
        "<1@acme.example>",
        False,
    )


@pytest.mark.parametrize("octets", [b"%%%", b"QUJD", base64.b64encode(b"no head"), b""])
def test_what_is_no_mail_in_base64_is_refused(octets: bytes):
    with serving() as graph:
        said = anna(graph).post("/sendMail", octets, **{"Content-Type": "text/plain"})
        assert (said.status, graph.sent(ANNA)) == (400, [])


@pytest.mark.parametrize("recipients", [[], to("nobody"), to("a b@c.example"), to("")])
def test_a_mail_needs_recipients_that_can_be_reached(recipients: list):
    with serving() as graph:
        said = anna(graph).post("/sendMail", {"message": message(toRecipients=recipients)})
        assert (said.error, graph.sent(ANNA)) == ((400, "ErrorInvalidRecipients"), [])


@pytest.mark.parametrize("kind", ["json", "mime"])
def test_a_request_over_four_mebibytes_is_too_large(kind: str):
    with serving() as graph:
        if kind == "json":
            content = {"contentType": "text", "content": "x" * 4_200_000}
            said = anna(graph).post("/sendMail", {"message": message(body=content)})
        else:
            said = anna(graph).mime("/sendMail", mime() + b"x" * 3_200_000)
        assert (said.error, graph.sent(ANNA)) == ((413, "ErrorMessageSizeExceeded"), [])


def test_a_mail_over_the_tenants_limit_is_too_large():
    with serving(Manners(message_octets=1000)) as graph:
        said = anna(graph).post("/sendMail", {"message": message(attachments=[file(content=bytes(1000))])})
        assert (said.error, graph.sent(ANNA)) == ((413, "ErrorMessageSizeExceeded"), [])


def test_no_copy_is_kept_where_none_is_wanted():
    with serving() as graph:
        anna(graph).post("/sendMail", {"message": message(), "saveToSentItems": False})
        assert only(graph).copy is None
        assert anna(graph).get("/messages").json["value"] == []


def test_a_copy_is_found_when_its_time_has_come():
    now = [100.0]
    with serving(Manners(copy_lag=30), clock=lambda: now[0]) as graph:
        draft = anna(graph).draft()
        assert anna(graph).post(f"/messages/{draft}/send").status == 202
        assert (anna(graph).get(f"/messages/{draft}").status, only(graph).copy) == (404, None)
        now[0] = 130.0
        assert anna(graph).get(f"/messages/{draft}").json["isDraft"] is False
        assert only(graph).copy is not None


@pytest.mark.parametrize(("how", "same"), [("kept", True), ("replaced", False)])
def test_the_message_id_is_kept_or_replaced(how: str, same: bool):
    with serving(Manners(message_ids=how)) as graph:
        client = anna(graph)
        assert client.mime("/sendMail", mime()).status == 202
        draft = client.draft(internetMessageId="<1@acme.example>")
        client.post(f"/messages/{draft}/send")
        told = [
            client.get("/mailFolders/sentitems/messages").json["value"][n]["internetMessageId"]
            for n in (0, 1)
        ]
        sent = graph.sent(ANNA)
    assert [mail.message_id == "<1@acme.example>" for mail in sent] == [same, same]
    assert sorted(told) == sorted(mail.message_id for mail in sent)
    assert [read(mail)["Message-ID"] for mail in sent] == [mail.message_id for mail in sent]


RIGHTS = {"send_as": (202, SALES, None), "on_behalf": (202, ANNA, f"Anna Berg <{ANNA}>")}


@pytest.mark.parametrize("right", RIGHTS)
def test_another_address_is_shown_with_the_right_to_it(right: str):
    status, sender, told = RIGHTS[right]
    with serving() as graph:
        graph.add_mailbox(SALES, **{right: ANNA})
        said = anna(graph).post("/sendMail", {"message": message(**{"from": to(SALES)[0]})})
        mail = only(graph)
    assert (said.status, mail.shown, mail.sender) == (status, SALES, sender)
    assert read(mail)["Sender"] == told


@pytest.mark.parametrize("form", ["json", "mime"])
@pytest.mark.parametrize("shown", [SALES, "stranger@elsewhere.example"])
def test_without_the_right_it_is_refused(form: str, shown: str):
    with serving() as graph:
        graph.add_mailbox(SALES, full_access=ANNA)
        if form == "json":
            said = anna(graph).post("/sendMail", {"message": message(**{"from": to(shown)[0]})})
        else:
            said = anna(graph).mime("/sendMail", mime(From=shown))
        assert (said.error, graph.sent(ANNA)) == ((403, "ErrorSendAsDenied"), [])


def test_without_the_shared_scope_another_address_is_refused():
    with serving() as graph:
        graph.add_mailbox(SALES, send_as=ANNA)
        body = {"message": message(**{"from": to(SALES)[0]})}
        assert anna(graph, "Mail.Send").post("/sendMail", body).error == (403, "ErrorAccessDenied")


def test_an_alias_is_ones_own():
    with serving() as graph:
        body = {"message": message(**{"from": to("a.berg@acme.example")[0]})}
        assert anna(graph, "Mail.Send").post("/sendMail", body).status == 202
        assert only(graph).shown == "a.berg@acme.example"


def test_a_strangers_sender_is_refused():
    with serving() as graph:
        body = {"message": message(sender=to(SALES)[0])}
        assert anna(graph).post("/sendMail", body).error == (403, "ErrorSendAsDenied")


def test_a_shared_mailbox_files_the_copy_itself():
    """Its own address needs a right beside Full Access."""
    with serving() as graph:
        graph.add_mailbox(SALES, full_access=ANNA, send_as=ANNA)
        graph.add_mailbox("closed@acme.example", send_as=ANNA)
        shared = Client(graph, graph.token(ANNA, *ALL), f"/v1.0/users/{SALES}")
        closed = Client(graph, graph.token(ANNA, *ALL), "/v1.0/users/closed%40acme.example")
        assert shared.post("/sendMail", {"message": message()}).status == 202
        assert closed.post("/sendMail", {"message": message()}).error == (403, "ErrorAccessDenied")
        assert (len(graph.sent(SALES)), graph.sent(ANNA)) == (1, [])
        assert len(shared.get("/mailFolders/sentitems/messages").json["value"]) == 1


def test_full_access_alone_shows_no_address():
    with serving() as graph:
        graph.add_mailbox(SALES, full_access=ANNA)
        shared = Client(graph, graph.token(ANNA, *ALL), f"/v1.0/users/{SALES}")
        assert shared.post("/sendMail", {"message": message()}).error == (403, "ErrorSendAsDenied")


def test_mime_can_be_shown_as_from_the_mailbox_whatever_it_says():
    with serving(Manners(mime_from="mailbox")) as graph:
        assert anna(graph).mime("/sendMail", mime(From="stranger@elsewhere.example")).status == 202
        assert (only(graph).shown, read(only(graph))["From"]) == (ANNA, ANNA)


@pytest.mark.parametrize(("kept", "status"), [(True, 200), (False, 404)])
def test_an_immutable_id_survives_the_send_or_does_not(kept: bool, status: int):
    with serving(Manners(immutable_ids=kept)) as graph:
        client = anna(graph)
        draft = client.draft()
        client.post(f"/messages/{draft}/send")
        said = client.ask("GET", f"/messages/{draft}", **IMMUTABLE)
        assert said.status == status
        assert client.get("/mailFolders/sentitems/messages").json["value"][0]["isDraft"] is False


def test_the_usual_id_changes_when_a_draft_is_sent():
    with serving() as graph:
        client = anna(graph)
        draft = client.post("/messages", message()).json["id"]
        assert client.post(f"/messages/{draft}/send").status == 202
        assert client.get(f"/messages/{draft}").error == (404, "ErrorItemNotFound")
        assert client.post(f"/messages/{draft}/send").error == (404, "ErrorItemNotFound")
    assert only(graph).copy is not None


def test_a_sent_draft_can_linger_in_the_outbox_and_is_not_sent_twice():
    now = [0.0]
    with serving(Manners(outbox_lag=10), clock=lambda: now[0]) as graph:
        client = anna(graph)
        draft = client.draft()
        assert client.post(f"/messages/{draft}/send").status == 202
        lingering = client.get(f"/messages/{draft}").json
        outbox = client.get("/mailFolders/outbox").json
        assert (lingering["isDraft"], lingering["parentFolderId"]) == (True, outbox["id"])
        assert client.post(f"/messages/{draft}/send").status == 400
        assert (len(graph.sent(ANNA)), graph.drafts(ANNA)) == (1, [])
        now[0] = 10.0
        assert client.get(f"/messages/{draft}").json["isDraft"] is False
        assert client.get("/mailFolders/outbox").json["totalItemCount"] == 0


@pytest.mark.parametrize(("tags", "found"), [("kept", 1), ("lost", 0)])
def test_a_tag_survives_the_send_or_does_not(tags: str, found: int):
    with serving(Manners(tags=tags)) as graph:
        client = anna(graph)
        draft = client.draft(singleValueExtendedProperties=[{"id": TAG, "value": "1"}])
        client.post(f"/messages/{draft}/send")
        test = f"singleValueExtendedProperties/any(p: p/id eq '{TAG}' and p/value eq '1')"
        assert len(client.get("/messages", filter=test).json["value"]) == found
        assert only(graph).properties == {TAG: "1"}


def test_a_mailbox_can_be_emptied():
    with serving() as graph:
        client = anna(graph)
        sent, left = client.draft(), client.draft()
        client.post(f"/messages/{sent}/send")
        graph.empty(ANNA)
        assert [client.get(f"/messages/{one}").status for one in (sent, left)] == [404, 404]
        assert (only(graph).copy, graph.drafts(ANNA)) == (None, [])
