"""A stranger's transport by a real sendmail: Debian's msmtp, which hands on to a real Postfix with STARTTLS and a password."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pillarbox import Journal, Message, OutcomeUnknown, SendDeferred, SendRejected, compose
from tests.services._client import CUSTOMER, ORDERS
from tests.services._smtp import submission
from tests.services.servers import LOGINS

if TYPE_CHECKING:
    from tests.services.servers import Authority, Postfix

pytestmark = pytest.mark.services
SOURCE = Path(__file__).parents[1] / "thirdparty/pillarbox-sendmail/src"
CONFIG = """\
account orders
host localhost
port {port}
timeout 10
tls on
tls_starttls on
tls_trust_file {ca}
auth plain
user {user}
password {password}
account default : orders
"""


@pytest.fixture
def sendmail(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The third party's module, from its own folder."""
    monkeypatch.syspath_prepend(str(SOURCE))
    import pillarbox_sendmail

    yield pillarbox_sendmail
    sys.modules.pop("pillarbox_sendmail")


@pytest.fixture
def by_msmtp(sendmail: Any, authority: Authority, tmp_path: Path) -> Callable[..., Any]:
    """Make a transport whose program is msmtp, set up as the orders mailbox at a port."""
    program = shutil.which("msmtp")
    assert program is not None, "msmtp is missing: .ci/install-servers"

    def make(port: int, password: str = LOGINS[ORDERS]) -> Any:
        config = tmp_path / "msmtprc"
        facts = {"port": port, "ca": authority.ca_file, "user": ORDERS, "password": password}
        config.write_text(CONFIG.format(**facts))
        config.chmod(0o600)
        command = tmp_path / "sendmail"
        command.write_text(f'#!/bin/sh\nexec {program} --file={config} "$@"\n')
        command.chmod(0o700)
        return sendmail.SendmailTransport(sendmail.SendmailSettings(command=str(command), timeout=20.0))

    return make


def test_the_envelope_and_the_octets_arrive(by_msmtp: Any, postfix: Postfix) -> None:
    """Long lines, lone dots and a folded subject; msmtp reads no header for whom it goes to."""
    sent = submission(
        b"From: Orders <orders@acme.example>\r\nSubject: Invoice\r\n 1001\r\n\r\n.\r\n..two\r\nx\r\n"
    )
    receipt = by_msmtp(postfix.starttls_port).send(sent, Journal())
    (mail,) = postfix.mails()
    assert receipt.message_id == sent.message_id
    assert (mail.envelope_sender, mail.recipients) == (ORDERS, (CUSTOMER,))
    assert mail.content.endswith(b"\r\n\r\n.\r\n..two\r\nx\r\n")
    assert mail.message["Subject"] == "Invoice 1001"


def test_a_blind_copy_is_in_the_envelope_alone(by_msmtp: Any, postfix: Postfix, route: Any) -> None:
    """A composed message as a host writes it."""
    letter = Message(to=[CUSTOMER], bcc=["hidden@customer.example"], subject="Invoice", text="x")
    by_msmtp(postfix.starttls_port).send(compose(letter, route), Journal())
    mails = postfix.mails()
    assert sorted(who for mail in mails for who in mail.recipients) == [CUSTOMER, "hidden@customer.example"]
    assert all(b"hidden" not in mail.sent for mail in mails)


@pytest.fixture
def route() -> Any:
    from pillarbox import Account, Address, Route

    account = Account(owner="company", method="sendmail", mailbox=ORDERS)
    return Route(account=account, from_address=Address(ORDERS), envelope_sender=ORDERS)


def test_a_refused_password_and_a_dead_port_are_told(
    by_msmtp: Any, postfix: Postfix, unused_port: int
) -> None:
    """By msmtp's exit status; nothing arrives."""
    with pytest.raises((SendRejected, SendDeferred)) as refused:
        by_msmtp(postfix.starttls_port, "wrong").send(submission(), Journal())
    assert "authentication failed" in refused.value.detail.lower()
    with pytest.raises((SendDeferred, SendRejected, OutcomeUnknown)) as dead:
        by_msmtp(unused_port).send(submission(), Journal())
    assert not isinstance(dead.value, OutcomeUnknown)
    assert postfix.mails() == []


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_the_program_is_run_without_a_shell(sendmail: Any, tmp_path: Path) -> None:
    """Whatever stands in an address."""
    command = tmp_path / "sendmail"
    command.write_text('#!/bin/sh\ncat >/dev/null\nprintf "%s\\n" "$@" >"$0.arguments"\n')
    command.chmod(0o700)
    transport = sendmail.SendmailTransport(sendmail.SendmailSettings(command=str(command)))
    hostile = "$(touch x)@customer.example", "-oQ/tmp@customer.example"
    transport.send(submission(to=hostile), Journal())
    assert Path(f"{command}.arguments").read_text().splitlines()[-2:] == list(hostile)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["sendmail", "sendmail.arguments"]
