"""Sent copies in a real Dovecot: sent by its submission port, filed in its Sent folder, once, with Bcc."""

from __future__ import annotations

import contextlib
import imaplib
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from pillarbox import Account, Address, CopyState, Journal, Level, Route, SightingState
from pillarbox._trial import trial
from pillarbox.settings import Secret
from pillarbox_smtp import Encryption, SavedCopy
from pillarbox_smtp.imap_folders import Folder
from tests.services._client import LETTER, ORDERS
from tests.services._cutter import Cutter
from tests.services._smtp import Password, submission, transport_to
from tests.services.servers import LOGINS, Dovecot, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pillarbox_smtp import SmtpTransport
    from tests.services.servers import Authority, Server

pytestmark = pytest.mark.services
WIRE = re.sub(rb"Bcc: [^\r]+\r\n", b"", LETTER).replace(
    b"Subject:", b"Message-ID: <1@acme.example>\r\nSubject:"
)
SUBMISSION = attrs.evolve(submission(WIRE), bcc_header=b"Bcc: hidden@customer.example\r\n")
FILED = SUBMISSION.content_with_bcc()


def filing(
    dovecot: Dovecot,
    authority: Authority,
    *,
    trace: Any = None,
    account: dict[str, Any] | None = None,
    **given: Any,
) -> contextlib.closing[SmtpTransport]:
    """Return a transport whose copies go to the Sent folder of the orders mailbox, under TLS unless *given* otherwise."""
    usual: dict[str, Any] = {
        "server": "localhost",
        "port": dovecot.imaps_port,
        "ca_file": str(authority.ca_file),
    }
    made = transport_to(dovecot, authority, saved_copy=SavedCopy(**(usual | given)), **(account or {}))
    made.trace = trace
    return contextlib.closing(made)


def in_clear(port: int) -> dict[str, Any]:
    """Return settings for a line on loopback that a relay can read."""
    return {"server": "127.0.0.1", "port": port, "encryption": Encryption.NONE, "ca_file": ""}


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
def test_a_copy_is_filed_with_its_bcc(dovecot: Dovecot, authority: Authority, encryption: Encryption) -> None:
    """The recipient's mail has none; the copy is there byte for byte."""
    port = dovecot.imaps_port if encryption is Encryption.TLS else dovecot.imap_port
    with filing(dovecot, authority, encryption=encryption, port=port) as transport:
        receipt = transport.send(SUBMISSION, Journal())
    assert receipt.copy is not None
    assert (receipt.copy.state, receipt.copy.where) == (CopyState.FILED, "Sent at localhost")
    assert re.fullmatch(r"UID \d+", receipt.copy.detail)
    assert dovecot.folder_of(ORDERS, "Sent") == [FILED]
    [mail] = dovecot.mails()
    assert b"hidden@" not in mail.content


def test_a_repeated_call_files_none_twice(dovecot: Dovecot, authority: Authority) -> None:
    """The same submission, over the same connection and over another."""
    states = []
    for _ in range(2):
        with filing(dovecot, authority) as transport:
            for _ in range(2):
                copy = transport.send(SUBMISSION, Journal()).copy
                states.append(copy.state if copy else None)
    assert states == [CopyState.FILED, *[CopyState.ALREADY_THERE] * 3]
    assert dovecot.folder_of(ORDERS, "Sent") == [FILED]


def test_in_bulk_each_has_its_own(dovecot: Dovecot, authority: Authority) -> None:
    """Twenty messages, twenty copies, one sign-in."""
    some = [
        attrs.evolve(
            submission(WIRE.replace(b"<1@", b"<%d@" % n)), message_id=f"<{n}@acme.example>", key=f"{n:032x}"
        )
        for n in range(20)
    ]
    lines: list[str] = []
    with filing(dovecot, authority, trace=lines.append) as transport:
        answers = list(transport.send_many((one, Journal()) for one in some))
    assert {getattr(answer.copy, "state", None) for answer in answers} == {CopyState.FILED}  # type: ignore[union-attr]
    assert dovecot.folder_of(ORDERS, "Sent") == [one.content for one in some]
    assert sum("by IMAP" in line for line in lines) == 1


def test_a_look_finds_what_was_sent(dovecot: Dovecot, authority: Authority) -> None:
    """A hit is proof; a miss proves nothing, where only we file copies."""
    with filing(dovecot, authority) as transport:
        assert transport.find(SUBMISSION, Journal()).state is SightingState.UNCLEAR
        transport.send(SUBMISSION, Journal())
        assert transport.find(SUBMISSION, Journal()).state is SightingState.SENT


def test_the_diagnosis_tells_of_the_mailbox(dovecot: Dovecot, authority: Authority) -> None:
    """And files nothing."""
    with filing(dovecot, authority) as transport:
        found = [finding for finding in transport.check() if finding.stage == "copy"]
    assert [one.code for one in found] == ["copy-connected", "copy-signed-in", "copy-folder"]
    assert dovecot.folder_of(ORDERS, "Sent") == []


def test_a_test_mail_is_followed_into_the_mailbox(dovecot: Dovecot, authority: Authority) -> None:
    """Taken, and seen in Sent; it goes on to another server here, so it does not come into the inbox."""
    account = Account(owner="company", method="smtp", mailbox=ORDERS)
    route = Route(account=account, from_address=Address(ORDERS), envelope_sender=ORDERS)
    found = {one.stage: one for one in trial(route, lambda _: filing(dovecot, authority).thing, seconds=3.0)}
    assert [one.code for one in found.values()] == ["send-accepted", "sent-seen", "arrival-not-seen"]
    assert found["sent"].seen == "found in Sent at localhost"
    assert len(dovecot.mails()) == len(dovecot.folder_of(ORDERS, "Sent")) == 1


def test_a_mail_that_came_into_the_inbox_has_arrived(dovecot: Dovecot, authority: Authority) -> None:
    """By its Message-ID."""
    with filing(dovecot, authority) as transport:
        assert transport.has_arrived(SUBMISSION) is False
        transport._kept_copies().mailbox.append(Folder.named("INBOX"), SUBMISSION.content)
        assert transport.has_arrived(SUBMISSION) is True


class TestCut:
    """The line is cut between the copy and the answer to it."""

    def sent(self, dovecot: Dovecot, authority: Authority, at: Any) -> tuple[CopyState | None, int]:
        with (
            Cutter(dovecot.imap_port, at) as cutter,
            filing(dovecot, authority, **in_clear(cutter.port)) as transport,
        ):
            copy = transport.send(SUBMISSION, Journal()).copy
        return copy.state if copy else None, cutter.connections

    def test_behind_the_server_s_answer(self, dovecot: Dovecot, authority: Authority) -> None:
        """Dovecot has filed it, and said so to nobody: it is found."""
        sent = self.sent(dovecot, authority, lambda who, data: who == "server" and b"APPENDUID" in data)
        assert sent == (CopyState.FILED, 2)
        assert dovecot.folder_of(ORDERS, "Sent") == [FILED]

    def test_within_the_copy(self, dovecot: Dovecot, authority: Authority) -> None:
        """Dovecot forgets the half; it is filed again, whole."""
        sent = self.sent(dovecot, authority, lambda who, data: who == "client" and b"Invoice" in data)
        assert sent == (CopyState.FILED, 2)
        assert dovecot.folder_of(ORDERS, "Sent") == [FILED]

    def test_before_the_copy(self, dovecot: Dovecot, authority: Authority) -> None:
        """With the search's answer; the rest goes over another line."""
        sent = self.sent(dovecot, authority, lambda who, data: who == "server" and b"* SEARCH" in data)
        assert sent == (CopyState.FILED, 2)
        assert dovecot.folder_of(ORDERS, "Sent") == [FILED]

    def test_the_server_s_process_is_killed_at_the_copy(self, dovecot: Dovecot, authority: Authority) -> None:
        """As by the machine's own out-of-memory killer: once in the end."""

        def kill(who: str, data: bytes) -> bool:
            if who == "server" and data.startswith(b"+"):
                for pid in dovecot.processes():
                    with contextlib.suppress(OSError):
                        if Path(f"/proc/{pid}/comm").read_text().strip() == "imap":
                            os.kill(pid, signal.SIGKILL)
            return False

        sent = self.sent(dovecot, authority, kill)
        assert sent == (CopyState.FILED, 2)
        assert dovecot.folder_of(ORDERS, "Sent") == [FILED]


class Cramped(Dovecot):
    """A Dovecot with a small quota and no folder but the inbox."""

    quota_kib = 64

    def configure(self) -> list[str]:
        command = super().configure()
        file = self.folder / "dovecot.conf"
        text = file.read_text().replace("auto = create", "auto = no")
        more = (
            "mail_plugins = quota\nprotocol imap {\n  mail_plugins = quota imap_quota\n}\n"
            f"plugin {{\n  quota = maildir:User\n  quota_rule = *:storage={self.quota_kib}K\n  quota_grace = 0\n}}\n"
        )
        file.write_text(text + more)
        return command


@pytest.fixture(scope="module")
def cramped(authority: Authority) -> Iterator[Cramped]:
    """A running one."""
    with running(lambda: Cramped(authority)) as server:
        yield server


@pytest.fixture(autouse=True)
def _empty(request: pytest.FixtureRequest) -> None:
    if "cramped" in request.fixturenames:
        server: Server = request.getfixturevalue("cramped")
        server.clear()


def large(number: int, octets: int) -> Any:
    """Return a submission of so many octets."""
    lines = b"".join(b"x" * 70 + b"\r\n" for _ in range(octets // 72))
    content = b"Message-ID: <%d@acme.example>\r\nSubject: Large\r\n\r\n" % number + lines
    return attrs.evolve(submission(content), message_id=f"<{number}@acme.example>")


def test_a_missing_folder_is_told_or_created(cramped: Cramped, authority: Authority) -> None:
    """The mark of RFC 6154 comes with the configuration; a folder of one's own by name."""
    with filing(cramped, authority, folder="Rechnungen.Zürich&Bern") as transport:
        copy = transport.send(SUBMISSION, Journal()).copy
    assert copy is not None
    assert copy.state is CopyState.FAILED
    assert "create_folder" in copy.cure
    with filing(cramped, authority, folder="Rechnungen.Zürich&Bern", create_folder=True) as transport:
        copy = transport.send(SUBMISSION, Journal()).copy
    assert copy is not None
    assert (copy.state, copy.where) == (CopyState.FILED, "Rechnungen.Zürich&Bern at localhost")
    assert cramped.folder_of(ORDERS, '"Rechnungen.Z&APw-rich&-Bern"') == [FILED]


def test_a_folder_that_somebody_removes_is_created_again(cramped: Cramped, authority: Authority) -> None:
    """While it is open, and between two connections."""
    with filing(cramped, authority, create_folder=True) as transport:
        states = []
        for number in (1, 2):
            copy = transport.send(large(number, 100), Journal()).copy
            states.append(copy.state if copy else None)
            kept = cramped.folder_of(ORDERS, "Sent")
            with imaplib.IMAP4(cramped.host, cramped.imap_port, timeout=10) as imap:
                imap.login(ORDERS, LOGINS[ORDERS])
                imap.delete("Sent")
    assert states == [CopyState.FILED] * 2
    assert kept == [large(2, 100).content]


def test_a_full_mailbox_is_told(cramped: Cramped, authority: Authority) -> None:
    """The message is accepted all the same; the diagnosis warns while there is little room left."""
    with filing(cramped, authority, create_folder=True) as transport:
        states = [transport.send(large(n, 64_000 if n == 1 else 10_000), Journal()).copy for n in (1, 2)]
        found = {finding.code: finding.level for finding in transport.check()}
    assert [one.state for one in states if one] == [CopyState.FILED, CopyState.FAILED]
    assert states[1] is not None
    assert "The mailbox is full" in states[1].cure
    assert found["copy-nearly-full"] is Level.WARN
    assert len(cramped.mails()) == 2
    assert len(cramped.folder_of(ORDERS, "Sent")) == 1


def test_a_token_opens_the_mailbox_too(dovecot: Dovecot, authority: Authority) -> None:
    """The account's connector signs in for both, each time for its own purpose."""

    class Token(Password):
        def token(self, purpose: str = "send", *, host: str = "") -> str:
            asked.append(purpose)
            return dovecot.token(ORDERS)

    asked: list[str] = []
    with filing(dovecot, authority, account={"password": None, "sign_in": "m365"}) as transport:
        transport.credentials = Token("")
        copy = transport.send(SUBMISSION, Journal()).copy
    assert copy is not None
    assert copy.state is CopyState.FILED
    assert asked == ["smtp", "imap"]


def test_a_wrong_password_is_tried_once(dovecot: Dovecot, authority: Authority) -> None:
    """Its own, so that sending still works; then it is left alone."""
    with filing(
        dovecot, authority, username="anna@acme.example", username_differs=True, password=Secret(env="X")
    ) as transport:
        copies = [transport.send(large(n, 100), Journal()).copy for n in range(3)]
    assert [one.state for one in copies if one] == [CopyState.FAILED] * 3
    assert copies[0] is not None
    assert "refused the sign-in" in copies[0].detail
    assert dovecot.folder_of("anna@acme.example", "Sent") == []
    assert len(dovecot.mails()) == 3
