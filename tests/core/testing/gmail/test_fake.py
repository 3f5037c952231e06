"""Who may ask for what, and what a test can see and plan."""

from __future__ import annotations

import ssl
import threading
from urllib.request import Request, urlopen

import pytest
import trustme

from pillarbox.testing.gmail import FakeGmail, Fault, Token
from tests.core.testing.gmail.asking import MESSAGE, ORDERS, RFC822, Client, base64url, client
from tests.gmail_discovery import discovery

METHODS = {
    "profile": ("GET", "profile"),
    "messages.send": ("POST", "messages/send"),
    "draft": ("POST", "drafts"),
    "drafts.send": ("POST", "drafts/send"),
    "delete": ("DELETE", "drafts/x"),
    "aliases": ("GET", "settings/sendAs"),
}
GRANTS = {
    "gmail.send": {"messages.send"},
    "gmail.compose": {"profile", "messages.send", "draft", "drafts.send", "delete"},
    "gmail.readonly": {"profile", "aliases"},
    "gmail.metadata": {"profile"},
    "gmail.settings.basic": {"aliases"},
    "https://mail.google.com/": set(METHODS),
    "https://www.googleapis.com/auth/gmail.modify": set(METHODS),
    "openid": set(),
}


@pytest.mark.parametrize("scope", GRANTS)
def test_a_scope_allows_what_google_says(gmail: FakeGmail, scope: str):
    anna = client(gmail, scope)
    refused = {step for step, (verb, path) in METHODS.items() if _insufficient(anna, verb, path)}
    assert set(METHODS) - refused == GRANTS[scope]


def _insufficient(anna: Client, verb: str, path: str) -> bool:
    said = anna.ask(verb, path, None if verb == "GET" else b"{}", Content_Type="application/json")
    return said.status == 403 and said.reason == "insufficientPermissions"


def test_a_scope_that_is_missing_is_named(gmail: FakeGmail):
    said = client(gmail, "gmail.send").ask("GET", "settings/sendAs")
    assert said.json["error"]["message"] == "Request had insufficient authentication scopes."
    assert said.json["error"]["errors"][0]["message"] == "Insufficient Permission"
    assert 'error="insufficient_scope"' in said.headers["www-authenticate"]
    assert "auth/gmail.readonly" in said.headers["www-authenticate"]


@pytest.mark.parametrize(("token", "reason"), [("", "required"), ("made-up", "authError")])
def test_a_token_has_to_be_good(gmail: FakeGmail, token: str, reason: str):
    said = Client(gmail, token).send()
    assert (said.status, said.reason) == (401, reason)
    assert gmail.sent(ORDERS) == []


def test_a_token_can_be_revoked(gmail: FakeGmail):
    anna = client(gmail)
    gmail.revoke(anna.token)
    assert anna.send().reason == "authError"


def test_a_provider_may_say_what_a_token_is(gmail: FakeGmail):
    full = "openid https://www.googleapis.com/auth/gmail.send"
    gmail.accepts({"theirs": Token(ORDERS, full)}.get)
    assert Client(gmail, "theirs").send().status == 200
    assert Client(gmail, "theirs").ask("GET", "profile").status == 403
    assert Client(gmail, "unknown").send().reason == "authError"


def test_an_app_without_a_person_has_no_mailbox(gmail: FakeGmail):
    """A service account that stands for nobody: Precondition check failed."""
    app = Client(gmail, gmail.token(ORDERS, "gmail.send", app=True))
    assert (app.send().status, app.send().reason) == (400, "failedPrecondition")


def test_a_person_without_gmail_is_told_so(gmail: FakeGmail):
    error = client(gmail, address="nobody@acme.example").send().json["error"]
    assert (error["status"], error["message"]) == ("FAILED_PRECONDITION", "Mail service not enabled")


@pytest.mark.parametrize(
    ("user", "status"),
    [("me", 200), ("Orders@ACME.example", 200), ("orders%40acme.example", 200), ("other@acme.example", 403)],
)
def test_a_mailbox_is_ones_own(gmail: FakeGmail, user: str, status: int):
    gmail.add_mailbox("other@acme.example")
    assert client(gmail).ask("GET", f"/gmail/v1/users/{user}/profile").status == status


def test_metadata_alone_sees_little(gmail: FakeGmail):
    name = client(gmail).send().json["id"]
    anna = client(gmail, "gmail.metadata")
    assert anna.ask("GET", "messages?q=in:sent").reason == "forbidden"
    assert len(anna.ask("GET", "messages").json["messages"]) == 1
    seen = [
        anna.ask("GET", f"messages/{name}?format={form}").status
        for form in ("full", "raw", "metadata", "minimal")
    ]
    assert seen == [403, 403, 200, 200]
    assert anna.ask("GET", f"messages/{name}").status == 403
    both = client(gmail, "gmail.metadata", "gmail.readonly")
    assert both.ask("GET", "messages?q=in:sent").status == both.ask("GET", f"messages/{name}").status == 200


@pytest.mark.parametrize("query", ["forman=raw", "format=row"])
def test_a_query_that_google_does_not_know_is_refused(gmail: FakeGmail, query: str):
    assert client(gmail).ask("GET", f"messages/x?{query}").reason == "invalid"


def test_a_query_may_have_what_every_method_has(gmail: FakeGmail):
    assert client(gmail).ask("GET", "profile?alt=json&prettyPrint=false&fields=emailAddress").status == 200


def test_what_the_fake_lacks_it_says(gmail: FakeGmail):
    """A method of Google's is 501, anything else a page that is not found, and no JSON."""
    labels = client(gmail, "gmail.labels").ask("GET", "labels")
    assert (labels.status, labels.reason) == (501, "notImplemented")
    nowhere = client(gmail).ask("GET", "/gmail/v2/nowhere")
    assert (nowhere.status, nowhere.headers["content-type"][:9]) == (404, "text/html")


def test_a_mailbox_has_to_be_added_once(gmail: FakeGmail):
    with pytest.raises(ValueError, match="already"):
        gmail.add_mailbox(ORDERS.upper())
    for look in (gmail.sent, gmail.drafts):
        with pytest.raises(ValueError, match="add_mailbox"):
            look("nobody@acme.example")


def test_requests_are_remembered(gmail: FakeGmail):
    """In order, with their steps, and without the token."""
    anna = client(gmail)
    anna.post("drafts/send", {"id": anna.draft()})
    anna.ask("POST", "/upload/gmail/v1/users/me/messages/send?uploadType=media", MESSAGE, **RFC822)
    anna.ask("GET", "messages?q=in:sent")
    seen = [(one.step, one.method, one.status) for one in gmail.requests]
    assert seen == [
        ("draft", "POST", 200),
        ("drafts.send", "POST", 200),
        ("messages.send", "POST", 200),
        ("list", "GET", 200),
    ]
    assert (gmail.requests[2].octets, gmail.requests[3].query) == (len(MESSAGE), "q=in:sent")
    assert anna.token not in repr(gmail.requests)


@pytest.mark.parametrize("fault", [Fault.CUT_AFTER, Fault.GARBAGE])
def test_a_message_may_be_sent_and_nobody_told(gmail: FakeGmail, fault: Fault):
    """The answer is lost, or makes no sense; the draft is gone all the same."""
    anna = client(gmail)
    name = anna.draft()
    gmail.fault("drafts.send", fault)
    with pytest.raises((OSError, ValueError)):
        _ = anna.post("drafts/send", {"id": name}).json
    assert anna.ask("GET", f"drafts/{name}").status == 404
    assert len(gmail.sent(ORDERS)) == 1


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.ERROR, Fault.UNAVAILABLE, Fault.THROTTLED, Fault.UNAUTHORIZED]
)
def test_a_message_may_not_be_sent(gmail: FakeGmail, fault: Fault):
    anna = client(gmail)
    name = anna.draft()
    gmail.fault("drafts.send", fault)
    try:
        assert anna.post("drafts/send", {"id": name}).status >= 400
    except OSError:
        assert fault is Fault.CUT_BEFORE
    assert anna.ask("GET", f"drafts/{name}").status == 200
    assert gmail.sent(ORDERS) == []


def test_every_step_can_fail(gmail: FakeGmail):
    """Each name that `fault` takes is the step of some request."""
    anna = client(gmail)
    for step in FakeGmail.STEPS:
        gmail.fault(step, Fault.ERROR)
    asked = [*METHODS.values(), ("GET", "messages"), ("GET", "messages/x")]
    asked += [
        ("POST", "/upload/gmail/v1/users/me/drafts?uploadType=resumable"),
        ("PUT", "/upload/gmail/v1/users/me/drafts?upload_id=x"),
    ]
    assert {anna.ask(verb, path, b"").status for verb, path in asked} == {500}
    assert {one.step for one in gmail.requests} == set(FakeGmail.STEPS)


def test_tls_is_spoken_to_the_last_chunk():
    """Where the chunks go is https too."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with FakeGmail(tls=server) as gmail:
        gmail.add_mailbox(ORDERS)
        named = {"Authorization": f"Bearer {gmail.token(ORDERS, 'gmail.send')}", "Content-Length": "0"}
        begin = Request(
            f"{gmail.url}/upload/gmail/v1/users/me/messages/send?uploadType=resumable", b"", named
        )
        with urlopen(begin, context=trusting, timeout=20) as said:
            place = said.headers["Location"]
        with urlopen(Request(place, MESSAGE, method="PUT"), context=trusting, timeout=20) as said:
            assert said.status == 200
        assert place.startswith(f"{gmail.url}/")
        assert len(gmail.sent(ORDERS)) == 1


def test_many_may_send_at_once():
    with FakeGmail(discovery=discovery(), per_minute=None) as gmail:
        gmail.add_mailbox(ORDERS)
        anna = client(gmail)
        threads = [threading.Thread(target=anna.send, args=(MESSAGE,)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len({mail.message_id for mail in gmail.sent(ORDERS)}) == 20


def test_what_was_sent_is_what_a_test_looks_at(gmail: FakeGmail):
    said = client(gmail).post("messages/send", {"raw": base64url(MESSAGE)}).json
    (mail,) = gmail.sent(ORDERS.upper())
    assert (mail.id, mail.sender, mail.shown) == (said["id"], ORDERS, ORDERS)
    assert mail.properties == {"threadId": said["threadId"], "labelIds": "SENT"}
    assert mail.message_id.encode() in mail.content
    assert b"<1001@acme.example>" not in mail.content
