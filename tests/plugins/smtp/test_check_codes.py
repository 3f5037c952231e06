"""What real servers answer, as `check` tells it: each refusal, at its stage, under its own code."""

from __future__ import annotations

import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from pillarbox import Account, Level, Secret
from pillarbox.testing.imap_server import ImapServer
from pillarbox.testing.smtp_server import Cut, Garbage, Reply, Reset, ScriptedServer, Silence
from pillarbox_smtp import Encryption
from pillarbox_smtp.imap_session import Trouble
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known
from tests.plugins.smtp.issuing import DAY, NOW, issue
from tests.plugins.smtp.mailboxes import USERS, unopened
from tests.plugins.smtp.test_imap import trouble_of
from tests.plugins.smtp.test_meanings import CASES
from tests.plugins.smtp.test_provider_meanings import ROWS
from tests.plugins.smtp.test_tls import CASES as BAD_CERTIFICATES

STAGES = {"auth": "sign-in", "mail": "sender"}
SAID = [
    *((stage, said, code) for stage, said, _, code, _ in CASES),
    *(
        (STAGES[point], f"{number} {lines[0]}", code)
        for point, number, lines, _, code, _ in ROWS
        if point in STAGES and len(lines) == 1
    ),
]
POINTS = {"greeting": "connect", "sign-in": "auth", "sender": "mail", "recipient": "rcpt", "reset": "rset"}


def failed(connect: Connect, server: ScriptedServer, **given: Any) -> tuple[str, str]:
    """Return the stage and the code of the check's one failure."""
    transport = connect(server, username=ORDERS, **given)
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    [one] = [finding for finding in transport.check() if finding.level is Level.FAIL]
    return one.stage, one.code


@pytest.mark.parametrize(
    ("stage", "said", "code"),
    [
        pytest.param(stage, said, code, id=f"{code}-{said[:24]}")
        for stage, said, code in SAID
        if stage in POINTS
    ],
)
def test_a_refusal_is_told_under_its_code(
    serve: Serve, connect: Connect, stage: str, said: str, code: str
) -> None:
    """The words of the server decide, as they do when something is sent."""
    lines = [line[4:] for line in said.split("\r\n")]
    answer = Reply(int(said[:3]), *lines)
    server = serve(users={ORDERS: PASSWORD}, at={POINTS[stage]: answer}, mechanisms=("PLAIN",))
    assert failed(connect, server) == (stage, code)


@pytest.mark.parametrize("stage", [*POINTS])
@pytest.mark.parametrize(
    ("behaviour", "how"),
    [(Cut(), "closed"), (Reset(), "reset"), (Garbage(), "garbage"), (Silence(), "silent")],
)
def test_a_line_that_breaks_is_told_at_its_stage(
    serve: Serve, connect: Connect, stage: str, behaviour: Any, how: str
) -> None:
    """Closed, broken off, silent, or not SMTP."""
    server = serve(users={ORDERS: PASSWORD}, at={POINTS[stage]: behaviour}, mechanisms=("PLAIN",))
    told = failed(connect, server, timeout=1.0)
    if stage == "greeting" and how == "reset":  # the system may tell of it as soon as the line is there
        assert told in {("greeting", "greeting-reset"), ("connect", "connect-failed")}
    else:
        assert told == (stage, f"{stage}-{how}")


@pytest.mark.parametrize("case", BAD_CERTIFICATES)
def test_a_bad_certificate_is_told_under_its_code(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path, case: str
) -> None:
    """Expired, too early, for another name."""
    given, code, _ = BAD_CERTIFICATES[case]
    root = issue(authority=True, names=(), common_name="Acme private authority")
    (tmp_path / "ca.pem").write_bytes(root.pem)
    server = serve(tls=issue(root, **given).context(tmp_path), users=users)
    told = failed(connect, server, encryption=Encryption.STARTTLS, ca_file=str(tmp_path / "ca.pem"))
    assert told == ("tls", code)


def test_a_strangers_certificate_is_told_under_its_code(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path
) -> None:
    """By an authority that is not trusted here; and another than the pinned one."""
    root = issue(authority=True, names=(), common_name="Another authority")
    server = serve(tls=issue(root).context(tmp_path), users=users)
    assert failed(connect, server, encryption=Encryption.STARTTLS) == ("tls", "tls-unknown-authority")
    told = failed(connect, server, encryption=Encryption.STARTTLS, fingerprint="00" * 32)
    assert told == ("tls", "tls-wrong-fingerprint")


def test_encryption_that_is_not_offered_is_told(
    serve: Serve, connect: Connect, users: dict[str, str]
) -> None:
    """Nothing is said in clear instead."""
    assert failed(connect, serve(users=users), encryption=Encryption.STARTTLS) == ("tls", "tls-not-offered")


def test_a_sign_in_that_can_not_be_is_told(serve: Serve, connect: Connect) -> None:
    """Not offered; and offered with nothing in common."""
    assert failed(connect, serve()) == ("sign-in", "sign-in-not-offered")
    server = serve(users={ORDERS: PASSWORD}, mechanisms=("GSSAPI",))
    assert failed(connect, server) == ("sign-in", "sign-in-mechanism")


def test_a_server_of_yesterday_is_told(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path
) -> None:
    """TLS 1.1 at best."""
    shown = issue()
    context = shown.context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve(tls=context, users=users)
    assert failed(connect, server, encryption=Encryption.STARTTLS, fingerprint=shown.fingerprint) == (
        "tls",
        "tls-old",
    )


def test_a_certificate_by_one_that_is_no_authority_is_told(
    serve: Serve, connect: Connect, users: dict[str, str], tmp_path: Path
) -> None:
    """OpenSSL's other reasons are told in its words."""
    root = issue(authority=True, names=(), common_name="Acme private authority")
    clerk = issue(root, names=(), common_name="No authority")
    (tmp_path / "ca.pem").write_bytes(root.pem + clerk.pem)
    server = serve(tls=issue(clerk).context(tmp_path), users=users)
    told = failed(connect, server, encryption=Encryption.STARTTLS, ca_file=str(tmp_path / "ca.pem"))
    assert told == ("tls", "tls-untrusted")


class Alert(socketserver.BaseRequestHandler):
    """Ends every handshake with an alert: there is nothing in common."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        self.request.recv(4096)


@attrs.frozen
class Place:
    """Where something listens that is no scripted server."""

    port: int


@pytest.fixture
def alerting() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Alert) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield Place(server.server_address[1])
        server.shutdown()


def test_a_handshake_without_anything_in_common_is_told(connect: Connect, alerting: Any) -> None:
    """In OpenSSL's words."""
    assert failed(connect, alerting, encryption=Encryption.TLS) == ("tls", "tls-failed")


def test_a_proxy_without_its_library_is_told(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pip line."""
    taken = {"python_socks", "pillarbox_smtp.tunnel"}
    for name in [one for one in sys.modules if one in taken or one.startswith("python_socks.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "python_socks", None)
    told = failed(connect, Place(9), proxy="socks5://127.0.0.1:9")
    assert told == ("proxy", "proxy-failed")


@pytest.mark.parametrize(
    ("proxy", "password"), [("socks5", "pässword"), ("http", "p€ssword")], ids=["socks", "http"]
)
def test_a_password_that_no_such_proxy_takes_is_told(connect: Connect, proxy: str, password: str) -> None:
    """It is not even asked."""
    place = f"{proxy}://127.0.0.1:9"
    transport = connect(
        Place(9), username=ORDERS, proxy=place, proxy_username="me", proxy_password=Secret(env="P")
    )
    transport.credentials = Other(password)
    [one] = [finding for finding in transport.check() if finding.level is Level.FAIL]
    assert (one.stage, one.code) == ("proxy", "proxy-sign-in-wrong")


class Other(Known):
    """Credentials with a password of one's own for the proxy."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self.other = password

    def secret(self, name: str) -> str:
        return self.other if "proxy" in name else super().secret(name)


@pytest.mark.parametrize("case", ["not yet", "plain", "old", "pinned", "no authority", "alert"])
def test_a_mailbox_for_copies_with_bad_encryption_is_told(tmp_path: Path, alerting: Any, case: str) -> None:
    """Under the codes of the mailbox."""
    root = issue(authority=True, names=(), common_name="Acme private authority")
    clerk = issue(root, names=(), common_name="No authority")
    (tmp_path / "ca.pem").write_bytes(root.pem + clerk.pem)
    given: dict[str, Any] = {"encryption": Encryption.TLS, "ca_file": str(tmp_path / "ca.pem")}
    shown = issue(
        clerk if case == "no authority" else root, **({"not_before": NOW + DAY} if case == "not yet" else {})
    )
    context = shown.context(tmp_path)
    if case == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSVersion"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    if case == "pinned":
        given["fingerprint"] = "00" * 32
    with ImapServer(
        users=USERS, tls=None if case == "plain" else context, implicit_tls=case != "plain"
    ) as server:
        found = trouble_of(alerting if case == "alert" else server, **given)
    assert found.code == f"copy-tls-{OF_CASES[case]}"


OF_CASES = {
    "not yet": "not-yet-valid",
    "plain": "plain-port",
    "old": "old",
    "pinned": "wrong-fingerprint",
    "no authority": "untrusted",
    "alert": "failed",
}


def test_a_mailbox_for_copies_without_a_password_is_told() -> None:
    """There is no credential."""
    with ImapServer(users=USERS) as server:
        mailbox = unopened(server)
        mailbox._credentials = None
        mailbox.connect()
        with pytest.raises(Trouble) as found:
            mailbox.sign_in()
    assert found.value.code == "copy-sign-in-failed"
