"""A mail that bounces: a real Postfix writes the notification, a real Dovecot keeps it, and the slip of the mail shows it."""

from __future__ import annotations

import imaplib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pillarbox import Entry, Mailer, Message, Recorded, ReportKind, State
from pillarbox.cli._app import run
from tests.services._client import CUSTOMER, ORDERS
from tests.services._sink import UNKNOWN
from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Dovecot, Postfix

pytestmark = pytest.mark.services
NOBODY = f"{UNKNOWN}customer.example"
CONFIG = """\
[company]
address = "{orders}"
name = "Acme Ltd"
method = "smtp"
[company.smtp]
server = "localhost"
port = {smtp}
username = "{orders}"
password = {{ env = "ORDERS_PASSWORD" }}
ca_file = "{ca}"
bounces = "INBOX"
[company.smtp.saved_copy]
server = "localhost"
port = {imap}
ca_file = "{ca}"
[outbox]
"""


@pytest.fixture
def config(
    postfix: Postfix, dovecot: Dovecot, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A company whose mail goes by Postfix, and whose mailbox is Dovecot's."""
    monkeypatch.setenv("ORDERS_PASSWORD", LOGINS[ORDERS])
    ports = {"smtp": postfix.starttls_port, "imap": dovecot.imaps_port}
    path = tmp_path / "pillarbox.toml"
    path.write_text(CONFIG.format(orders=ORDERS, ca=authority.ca_file, **ports))
    path.chmod(0o600)
    return path


@pytest.fixture
def mailer(config: Path) -> Iterator[Mailer]:
    with Mailer.open(config) as made:
        yield made


def sent(mailer: Mailer, *to: str) -> Entry:
    """Send a mail by the outbox, and return its entry, which was accepted."""
    entry = mailer.enqueue(Message(to=to, subject="Invoice 1001", text="Good morning"))
    mailer.worker().run(drain=True)
    entry = mailer.queue.known(entry.key)
    assert entry.state is State.ACCEPTED
    return entry


def bounced_into(dovecot: Dovecot, postfix: Postfix, *, at_least: int = 1) -> bytes:
    """Put what Postfix has written to the sender into their mailbox, as a delivery would; return the last of it."""
    mails = postfix.inbox(ORDERS, at_least=at_least)
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(ORDERS, LOGINS[ORDERS])
        imap.append("INBOX", "", "", mails[-1].content)
    return mails[-1].content


def unread(dovecot: Dovecot) -> int:
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(ORDERS, LOGINS[ORDERS])
        imap.select("INBOX", readonly=True)
        _, [found] = imap.search(None, "UNSEEN")
        return len(found.split())


def test_a_bounce_is_shown_with_its_mail(
    mailer: Mailer, config: Path, postfix: Postfix, dovecot: Dovecot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the recipient that it is about; what was accepted stays accepted, and the notification stays unread."""
    assert mailer.poll_reports() == Recorded()
    entry = sent(mailer, CUSTOMER, NOBODY)
    bounced_into(dovecot, postfix)
    assert mailer.poll_reports() == Recorded(new=1)
    (report,) = mailer.queue.reports(entry.key)
    assert (report.recipient, report.kind) == (NOBODY, ReportKind.BOUNCED)
    assert "5.1.1" in report.detail
    assert "no such user here" in report.detail
    assert report.at is not None
    assert mailer.queue.known(entry.key) == entry
    assert unread(dovecot) == 1
    assert run(["--config", str(config), "outbox", "show", entry.key]) == 0
    assert f"{NOBODY}  reported as bounced" in capsys.readouterr().out
    assert run(["--config", str(config), "--json", "outbox", "reports", entry.key]) == 0
    assert json.loads(capsys.readouterr().out)["reports"][0]["kind"] == "bounced"


def test_the_next_look_begins_where_the_last_ended(
    mailer: Mailer, postfix: Postfix, dovecot: Dovecot
) -> None:
    """What was read is not read again; a folder that was made anew is."""
    first = sent(mailer, NOBODY)
    content = bounced_into(dovecot, postfix)
    assert mailer.poll_reports() == Recorded(new=1)
    assert mailer.poll_reports() == Recorded()
    second = sent(mailer, NOBODY)
    bounced_into(dovecot, postfix, at_least=2)
    assert mailer.poll_reports() == Recorded(new=1)
    assert [len(mailer.queue.reports(one.key)) for one in (first, second)] == [1, 1]
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(ORDERS, LOGINS[ORDERS])
        imap.append("INBOX", "", "", content)  # the same once more
    assert mailer.poll_reports() == Recorded(again=1)


def test_a_notification_that_anybody_wrote_is_of_no_mail_here(
    mailer: Mailer, dovecot: Dovecot, postfix: Postfix
) -> None:
    """Nor is a mail that only carries one."""
    entry = sent(mailer, NOBODY)
    content = bounced_into(dovecot, postfix)
    forged = content.replace(entry.key.encode(), b"f" * 32)
    forwarded = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        + content
        + b"\r\n--x--\r\n"
    )
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(ORDERS, LOGINS[ORDERS])
        for one in (forged, forwarded):
            imap.append("INBOX", "", "", one)
    assert mailer.poll_reports() == Recorded(new=1, unknown=1)


def test_a_slow_look_ends_and_the_next_goes_on_there(
    mailer: Mailer, dovecot: Dovecot, postfix: Postfix, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One notification at a time, when no time is left for more: none is lost, none is read twice."""
    entries = [sent(mailer, NOBODY) for _ in range(3)]
    for number in range(3):
        bounced_into(dovecot, postfix, at_least=number + 1)
    contents = {mail.content for mail in postfix.inbox(ORDERS, at_least=3)}
    with imaplib.IMAP4(dovecot.host, dovecot.imap_port, timeout=10) as imap:
        imap.login(ORDERS, LOGINS[ORDERS])
        for content in contents:
            imap.append("INBOX", "", "", content)
    monkeypatch.setattr("pillarbox_smtp.bounces.READING", 0.0)
    assert mailer.poll_reports().new == 3
    assert [len(mailer.queue.reports(one.key)) for one in entries] == [1, 1, 1]
    assert mailer.poll_reports() == Recorded()
