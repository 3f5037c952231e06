"""Web hooks: believed only where Resend signed them, lately, and read as far as they are events."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pillarbox_resend import ResendEvents, ResendSettings, ResendTransport
from pillarbox_resend.contract import HOOK, KEY, OneKey
from pillarbox_resend.fake import FakeApi
from pillarbox_resend.transport import AMBIENT

from pillarbox import (
    Company,
    Mailer,
    MemoryDirectory,
    Message,
    Plugins,
    Recorded,
    ReportKind,
    ReportRefused,
    Secret,
    State,
)
from pillarbox.outbox import SqliteOutbox

NOW = 1_772_352_764
EVENT: dict[str, Any] = {
    "type": "email.bounced",
    "created_at": "2026-03-01T08:12:44.000Z",
    "data": {
        "email_id": "4ef9a417-02e9-4d39-ad75-9611e0fcc33c",
        "from": "Acme <orders@acme.example>",
        "to": ["Zoë <ap@customer.example>"],
        "subject": "Invoice 1001",
        "bounce": {"message": "550 5.1.1 no such user", "type": "Permanent"},
    },
}
Parsed = Callable[..., list[Any]]


def source() -> ResendEvents:
    made = ResendEvents(ResendSettings(key=Secret(env="K"), hook=Secret(env="H")), OneKey())
    made.clock = lambda: NOW
    return made


def signed(body: bytes, *, at: int = NOW, secret: str = HOOK, name: str = "msg_1") -> dict[str, str]:
    """Return the headers with which Svix signs *body*."""
    key = b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {"svix-id": name, "Svix-Timestamp": str(at), "SVIX-SIGNATURE": f"v1,{b64encode(mac).decode()}"}


def body_of(event: object) -> bytes:
    return json.dumps(event).encode()


def test_an_event_that_is_signed_is_a_report() -> None:
    body = body_of(EVENT)
    (report,) = source().parse(signed(body), body)
    assert (report.kind, report.recipient) == (ReportKind.BOUNCED, "ap@customer.example")
    assert (report.provider_id, report.detail) == (EVENT["data"]["email_id"], "550 5.1.1 no such user")
    assert report.at is not None
    assert report.at.timestamp() == NOW


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("email.delivered", [ReportKind.ARRIVED]),
        ("email.complained", [ReportKind.COMPLAINED]),
        ("email.failed", [ReportKind.FAILED]),
        ("email.opened", []),
        ("email.sent", []),
        ("domain.updated", []),
    ],
)
def test_what_is_no_end_of_a_mail_is_no_report(kind: str, wanted: list[ReportKind]) -> None:
    body = body_of({**EVENT, "type": kind})
    assert [one.kind for one in source().parse(signed(body), body)] == wanted


def test_one_of_several_signatures_is_enough_while_a_secret_is_replaced() -> None:
    body = body_of(EVENT)
    headers = signed(body)
    headers["SVIX-SIGNATURE"] = f"v1,AAAA v1a,xyz {headers['SVIX-SIGNATURE']}"
    assert len(source().parse(headers, body)) == 1


def wrong_secret(body: bytes) -> dict[str, str]:
    return signed(body, secret="whsec_YW5vdGhlci1zaWduaW5nLXNlY3JldA==")


def too_old(body: bytes) -> dict[str, str]:
    return signed(body, at=NOW - 301)


def too_new(body: bytes) -> dict[str, str]:
    return signed(body, at=NOW + 301)


def of_another(body: bytes) -> dict[str, str]:
    return signed(body + b" ")


def renamed(body: bytes) -> dict[str, str]:
    return {**signed(body), "svix-id": "msg_2"}


def redated(body: bytes) -> dict[str, str]:
    return {**signed(body), "Svix-Timestamp": str(NOW + 1)}


def no_text(body: bytes) -> dict[str, str]:
    return {**signed(body), "svix-id": "\ud800", "SVIX-SIGNATURE": "v1,\udcff"}


def unsigned(_: bytes) -> dict[str, str]:
    return {}


def strange(body: bytes) -> dict[str, str]:
    return {**signed(body), "Svix-Timestamp": "\u0661" * 10}


@pytest.mark.parametrize(
    "headers", [wrong_secret, too_old, too_new, of_another, renamed, redated, no_text, unsigned, strange]
)
def test_what_resend_did_not_sign_lately_is_refused(headers: Callable[[bytes], dict[str, str]]) -> None:
    """And what it says is in no error."""
    body = body_of(EVENT)
    with pytest.raises(ReportRefused) as refused:
        source().parse(headers(body), body)
    assert "no such user" not in str(refused.value)
    assert HOOK not in str(refused.value)


@pytest.mark.parametrize(
    "event",
    [
        [],
        {},
        "x",
        None,
        {**EVENT, "data": []},
        {**EVENT, "created_at": "yesterday"},
        {**EVENT, "data": {**EVENT["data"], "to": ["nobody"]}},
        {**EVENT, "data": {**EVENT["data"], "email_id": ""}},
    ],
)
def test_what_is_signed_and_no_event_is_refused(event: object) -> None:
    body = body_of(event)
    with pytest.raises(ReportRefused, match="no event"):
        source().parse(signed(body), body)


def test_a_body_without_end_is_not_read() -> None:
    body = b" " * 1_100_000
    with pytest.raises(ReportRefused, match="larger"):
        source().parse(signed(body), body)


class Given(OneKey):
    """Credentials with a signing secret of the test's."""

    def __init__(self, hook: str) -> None:
        self.hook = hook

    def secret(self, name: str) -> str:
        return self.hook


def test_a_signature_that_svix_has_published_fits() -> None:
    """The vector of its documentation: what signs here is not what is tested."""
    made = ResendEvents(ResendSettings(hook=Secret(env="H")), Given("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    made.clock = lambda: 1_614_265_330
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": signature,
    }
    with pytest.raises(ReportRefused, match="no event"):  # it is Svix's, and none of Resend's
        made.parse(headers, b'{"test": 2432232314}')
    with pytest.raises(ReportRefused, match="not signed"):
        made.parse(headers, b'{"test": 2432232315}')


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_YQ==", "whsec_not base64"])
def test_a_secret_with_which_anybody_could_sign_is_none(secret: str) -> None:
    """An empty one above all: its signature can be made by who knows nothing."""
    body = body_of(EVENT)
    made = ResendEvents(ResendSettings(hook=Secret(env="H")), Given(secret))
    made.clock = lambda: NOW
    mac = hmac.new(b"", f"msg_1.{NOW}.".encode() + body, hashlib.sha256).digest()
    forged = {
        "svix-id": "msg_1",
        "svix-timestamp": str(NOW),
        "svix-signature": f"v1,{b64encode(mac).decode()}",
    }
    with pytest.raises(ReportRefused, match="secret is none"):
        made.parse(forged, body)


def test_without_a_secret_nothing_is_believed() -> None:
    body = body_of(EVENT)
    made = ResendEvents(ResendSettings(key=Secret(env="K")), OneKey())
    with pytest.raises(ReportRefused, match="no signing secret"):
        made.parse(signed(body), body)


def test_a_web_hook_is_kept_with_the_mail_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By Resend's name for it, which the receipt has; the mail stays accepted, whatever is reported."""
    monkeypatch.setenv(AMBIENT, KEY)
    plugins = Plugins(extra={"resend": ResendTransport})
    with FakeApi(KEY) as api:
        company = Company(
            address="orders@acme.example", method="resend", methods={"resend": {"url": api.url}}
        )
        directory = MemoryDirectory(company, plugins=plugins)
        with Mailer(directory, plugins=plugins, outbox=SqliteOutbox(tmp_path / "outbox.sqlite3")) as mailer:
            receipt = mailer.send(Message(to="ap@customer.example", subject="Invoice", text="Hi"))
            body = body_of({**EVENT, "data": {**EVENT["data"], "email_id": receipt.reference}})
            reports = source().parse(signed(body), body)
            assert mailer.record(reports) == Recorded(new=1)
            assert mailer.record(reports) == Recorded(again=1)
            (entry,) = mailer.queue.list()
            assert entry.state is State.ACCEPTED
            (kept,) = mailer.queue.reports(entry.key)
            assert (kept.recipient, kept.detail) == ("ap@customer.example", "550 5.1.1 no such user")
