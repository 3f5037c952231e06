"""What is made of answers and of keys: by what Resend says, in time, and within a bound."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from letters import written
from pillarbox_resend import ResendSettings, ResendTransport
from pillarbox_resend.api import Api
from pillarbox_resend.contract import KEY, ResendContract
from pillarbox_resend.fake import FakeApi
from pillarbox_resend.transport import AMBIENT

from pillarbox import (
    InvalidSettings,
    Journal,
    Level,
    Network,
    OutcomeUnknown,
    SendDeferred,
    SendRejected,
    SignInNeeded,
)

ANSWERS = [
    (500, "application_error", "", OutcomeUnknown),
    (503, "", "", OutcomeUnknown),
    (408, "", "", OutcomeUnknown),
    (302, "", "", OutcomeUnknown),
    (201, "", "", OutcomeUnknown),
    (409, "concurrent_idempotent_requests", "", OutcomeUnknown),
    (409, "invalid_idempotent_request", "", OutcomeUnknown),
    (429, "monthly_quota_exceeded", "", SendDeferred),
    (400, "validation_error", "API key is invalid", SignInNeeded),
    (401, "validation_error", "API key is invalid", SignInNeeded),
    (403, "invalid_api_key", "", SignInNeeded),
    (403, "validation_error", "The domain is not verified", SendRejected),
    (422, "missing_required_field", "", SendRejected),
]


@pytest.mark.parametrize(("status", "name", "said", "wanted"), ANSWERS)
def test_an_answer_means_what_resend_says_by_it(
    ground: ResendContract, status: int, name: str, said: str, wanted: type[Exception]
) -> None:
    """Over a real line; a look at the domains proves nothing by any of them, and the check does not pass."""
    ground.api.says = (status, name, said)
    with pytest.raises(wanted):
        ground.send(written())
    with ground.make_transport() as transport:
        assert transport.may_show("anna@acme.example") is None
        assert any(one.level is Level.FAIL for one in transport.check())


def test_a_key_that_may_only_send_is_a_good_one(ground: ResendContract) -> None:
    """The check says what it can't see, and what to do."""
    ground.api.says = (401, "restricted_api_key", "This API key is restricted to only send emails")
    with ground.make_transport() as transport:
        found = {one.stage: one for one in transport.check()}
    assert (found["sign-in"].level, found["sender"].level) == (Level.OK, Level.WARN)
    assert "from_policy" in found["sender"].cure


@pytest.mark.parametrize("key", ["re_a\nX-Other: 1", "re_é", "re a", " \n"])
def test_what_can_be_no_key_goes_nowhere(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """It is refused before the hand-over, and not told; a line's end behind a key is forgiven."""
    with FakeApi(KEY) as api, ResendTransport(ResendSettings(url=api.url, timeout=2.0)) as transport:
        monkeypatch.setenv(AMBIENT, key)
        journal = Journal()
        with pytest.raises(SignInNeeded) as refused:
            transport.send(written(), journal)
        assert "re_" not in str(refused.value)
        monkeypatch.setenv(AMBIENT, KEY + "\n")
        transport.send(written(), Journal())
        assert len(api.kept) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api.resend.com",
        "http://127.0.0.1:80@evil.example",
        "http://127.0.0.1.evil.example",
        "https://",
        "https://key@api.resend.com",
        "https://[::1",
        "https://api.resend.com:x",
        "ftp://127.0.0.1",
    ],
)
def test_a_key_goes_by_tls_or_stays_on_this_machine(url: str) -> None:
    with pytest.raises(InvalidSettings, match="url must be"):
        ResendSettings(url=url)


def answering(parts: Iterator[bytes]) -> tuple[str, threading.Thread]:
    """Return the address of a server that takes one request and answers it with *parts*, and its thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as line, contextlib.suppress(OSError):
            line.recv(65_536)
            for part in parts:
                line.sendall(part)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", thread


def dripping() -> Iterator[bytes]:
    """Yield an answer that never ends, an octet at a time."""
    yield b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"id": "'
    for _ in range(200):
        time.sleep(0.05)
        yield b"x"


def test_an_answer_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that drips is cut off as one that is silent; nobody knows what it did."""
    monkeypatch.setenv(AMBIENT, KEY)
    url, thread = answering(dripping())
    begun = time.monotonic()
    with (
        ResendTransport(ResendSettings(url=url, timeout=1.0)) as transport,
        pytest.raises(OutcomeUnknown, match="did not answer"),
    ):
        transport.send(written(), Journal())
    assert time.monotonic() - begun < 5
    thread.join()


def test_an_answer_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is read than an answer can have, though it is a right one."""
    monkeypatch.setenv(AMBIENT, KEY)
    taken = []

    def endless() -> Iterator[bytes]:
        yield b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"id": "x'
        for number in range(1_000):
            yield b"x" * 65_536
            taken.append(number)
        yield b'"}'

    url, thread = answering(endless())
    with (
        ResendTransport(ResendSettings(url=url, timeout=10.0)) as transport,
        pytest.raises(OutcomeUnknown, match="did not answer"),
    ):
        transport.send(written(), Journal())
    thread.join()
    assert len(taken) < 500


def test_a_wait_without_end_is_a_day() -> None:
    """However many digits the server writes."""
    url, thread = answering(iter([b"HTTP/1.1 429 No\r\nRetry-After: " + b"9" * 400 + b"\r\n\r\n{}"]))
    api = Api(url, Network(), 5.0)
    api.connect()
    assert api.exchange("GET", "/domains", KEY).retry_after == 86_400
    thread.join()
