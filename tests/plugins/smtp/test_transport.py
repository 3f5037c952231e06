"""One message at a time: connections are kept, looked at before they are used again, and left to whom they belong."""

from __future__ import annotations

import pickle

import pytest

from pillarbox import (
    Account,
    AnswerState,
    Journal,
    MessageError,
    OutcomeUnknown,
    Receipt,
    Secret,
    SendDeferred,
    SenderPolicy,
    SendRejected,
    SightingState,
)
from pillarbox.testing.smtp_server import (
    CAPABILITIES,
    ByAddress,
    Cut,
    Nth,
    OnConnection,
    Reply,
    Slow,
    Then,
    Usual,
)
from pillarbox_smtp import Encryption, SavedCopy, SmtpOptions, SmtpSettings, SmtpTransport, line
from tests import forking, systems
from tests.plugins.smtp.conftest import Connect, Serve
from tests.plugins.smtp.givens import (
    CONTENT,
    CUSTOMER,
    ORDERS,
    OTHER,
    Known,
    settings,
    signing_in,
    submission,
)


def test_receipt(serve: Serve, connect: Connect) -> None:
    """A 250 to the content becomes a receipt with the server's name for the message and each recipient's answer."""
    server = serve()
    receipt = connect(server).send(submission(to=(CUSTOMER, OTHER)), Journal())
    assert (receipt.message_id, receipt.reference) == ("<1@acme.example>", "scripted-1")
    assert {who: answer.state for who, answer in receipt.recipients.items()} == dict.fromkeys(
        (CUSTOMER, OTHER), AnswerState.ACCEPTED
    )
    [received] = server.accepted
    assert received.content == CONTENT
    assert [received.sender.address, *[path.address for path in received.recipients]] == [
        ORDERS,
        CUSTOMER,
        OTHER,
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\r\n\r\n.\r\n",
        b"Subject: x\r\n\r\n..a\r\n.b\r\nc.\r\n",
        b"Subject: x\r\n\r\nno end of line",
        b"Subject: x\r\n\r\n" + b"." * 998 + b"\r\n",
        b"Subject: x\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n",
    ],
)
def test_bytes_arrive_as_they_are(serve: Serve, connect: Connect, content: bytes) -> None:
    """What was composed is what the server has, however it is cut into chunks."""
    server = serve()
    for size in (1, 3, 7, 1000):
        chunks = tuple(content[start : start + size] for start in range(0, len(content), size))
        connect(server).send(submission(chunks), Journal())
    whole = content if content.endswith(b"\r\n") else content + b"\r\n"
    assert {message.content for message in server.accepted} == {whole}


def test_large_message(serve: Serve, connect: Connect) -> None:
    """Five million octets in pieces of any size arrive whole."""
    block = b"0123456789abcdef" * 4 + b"\r\n.x\r\n"
    content = (b"Subject: x\r\n\r\n", *[block * 1500] * 40, b"end\r\n")
    server = serve()
    connect(server, timeout=10.0, final_timeout=10.0).send(submission(content), Journal())
    assert server.accepted[0].content == b"".join(content)


def test_round_trips(serve: Serve, connect: Connect) -> None:
    """With PIPELINING the envelope is one write and the content the next."""
    server = serve()
    connect(server).send(submission(to=(CUSTOMER, OTHER)), Journal())
    assert server.reads() == [("ehlo",), ("mail", "rcpt", "rcpt", "data"), ("dot",)]


def test_lock_step_without_pipelining(serve: Serve, connect: Connect) -> None:
    """Without PIPELINING each command waits for the answer to the last."""
    server = serve(capabilities=())
    connect(server).send(submission(), Journal())
    assert server.reads() == [("ehlo",), ("mail",), ("rcpt",), ("data",), ("dot",)]


def test_thousands_of_recipients(serve: Serve, connect: Connect) -> None:
    """However long the envelope, neither side waits for the other to read."""
    recipients = tuple(f"customer-{number}@{'x' * 60}.example" for number in range(3000))
    server = serve(receive_buffer=4096)
    receipt = connect(server, timeout=20.0, final_timeout=20.0).send(submission(to=recipients), Journal())
    assert len(receipt.recipients) == len(server.accepted[0].recipients) == 3000


def test_connection_is_kept(serve: Serve, connect: Connect) -> None:
    """The second message goes by the connection of the first."""
    server = serve()
    transport = connect(server)
    for number in (1, 2, 3):
        transport.send(submission(number=number), Journal())
    assert len(server.connections) == 1
    assert len(server.accepted) == 3


def test_farewell(serve: Serve, connect: Connect) -> None:
    """Closing says QUIT and waits for nothing."""
    server = serve(at={"quit": Slow(5.0)})
    transport = connect(server)
    transport.send(submission(), Journal())
    transport.close()
    transport.close()
    assert transport.send(submission(number=2), Journal()).reference == "scripted-2"
    assert len(server.connections) == 2


@pytest.mark.parametrize(
    "farewell", [Cut(), Then(Reply(250, "2.0.0 queued"), Reply(421, "4.4.2 idle too long"))]
)
def test_connection_that_was_closed_meanwhile(serve: Serve, connect: Connect, farewell: object) -> None:
    """A kept connection that the server has closed, with a word or without, is replaced; nothing is lost or doubled."""
    behaviour = Then(Usual(), farewell) if isinstance(farewell, Cut) else farewell
    server = serve(at={"dot": OnConnection(1, behaviour)})  # type: ignore[arg-type]
    transport = connect(server)
    for number in (1, 2):
        assert isinstance(transport.send(submission(number=number), Journal()), Receipt)
    assert [message.connection for message in server.accepted] == [1, 2]


@pytest.mark.parametrize("point", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", [Cut(), Reply(421, "4.7.0 too many messages on this connection")])
def test_kept_connection_that_ends_in_the_envelope(
    serve: Serve, connect: Connect, point: str, fault: object
) -> None:
    """A used connection that ends before the content is replaced once, without anybody hearing of it."""
    server = serve(at={point: Nth(2, fault)})  # type: ignore[arg-type]
    transport = connect(server)
    for number in (1, 2):
        assert isinstance(transport.send(submission(number=number), Journal()), Receipt)
    assert [message.connection for message in server.accepted] == [1, 2]


def test_new_connection_that_ends_in_the_envelope(serve: Serve, connect: Connect) -> None:
    """A fresh connection is not tried twice."""
    server = serve(at={"mail": Cut()})
    with pytest.raises(SendDeferred):
        connect(server).send(submission(), Journal())
    assert len(server.connections) == 1


def test_kept_connection_is_replaced_only_once(serve: Serve, connect: Connect) -> None:
    """When the new connection ends too, that is told."""
    server = serve(at={"mail": lambda turn: None if turn.occurrence == 1 else Cut()})
    transport = connect(server)
    transport.send(submission(), Journal())
    with pytest.raises(SendDeferred, match="closed the connection"):
        transport.send(submission(number=2), Journal())
    assert len(server.connections) == 2


def test_no_second_try_after_the_content(serve: Serve, connect: Connect) -> None:
    """Once content has left, a used connection that ends is an unknown outcome, not another try."""
    server = serve(at={"dot": Nth(2, Cut())})
    transport = connect(server)
    transport.send(submission(), Journal())
    with pytest.raises(OutcomeUnknown):
        transport.send(submission(number=2), Journal())
    server.drain()
    assert len(server.received) == 2


def test_reset_between_messages(serve: Serve, connect: Connect) -> None:
    """After a refusal the same connection carries the next message."""
    server = serve(at={"rcpt": ByAddress({OTHER: Reply(550, "5.1.1 no such user")})})
    transport = connect(server)
    with pytest.raises(SendRejected):
        transport.send(submission(to=(OTHER,)), Journal())
    assert transport.send(submission(number=2), Journal()).reference == "scripted-1"
    assert server.reads()[2:] == [("rset",), ("mail", "rcpt", "data"), ("dot",)]


def test_long_rest_is_asked_about(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a long rest the server is asked whether it is still there; after a longer one nobody asks."""
    server = serve()
    transport = connect(server)
    transport.send(submission(), Journal())
    monkeypatch.setattr(line, "ASK_AFTER", -1.0)
    transport.send(submission(number=2), Journal())
    assert (len(server.connections), server.reached("noop")) == (1, 1)
    monkeypatch.setattr(line, "RENEW_AFTER", -1.0)
    transport.send(submission(number=3), Journal())
    assert (len(server.connections), server.reached("noop")) == (2, 1)


@pytest.mark.parametrize("answer", [Cut(), Reply(421, "4.4.2 gone"), Reply(500, "what?")])
def test_no_answer_after_a_long_rest(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    """A connection that does not answer as it should is replaced."""
    server = serve(at={"noop": answer})
    transport = connect(server)
    transport.send(submission(), Journal())
    monkeypatch.setattr(line, "ASK_AFTER", -1.0)
    assert isinstance(transport.send(submission(number=2), Journal()), Receipt)
    assert len(server.connections) == 2


class _CalledOff(Journal):
    """A journal whose attempt was called off."""

    def __init__(self) -> None:
        super().__init__()
        self.call_off()


class _Broken(Journal):
    """A journal that can't keep its mark."""

    def _mark(self) -> None:
        raise OSError("the disk is full")


@pytest.mark.parametrize(("journal", "error"), [(_CalledOff(), SendDeferred), (_Broken(), OSError)])
def test_hand_over_that_does_not_happen(
    serve: Serve, connect: Connect, journal: Journal, error: type[Exception]
) -> None:
    """When the hand-over is called off or can't be marked, the server gets no octet of content, not even the dot."""
    server = serve()
    transport = connect(server)
    with pytest.raises(error):
        transport.send(submission(), journal)
    assert isinstance(transport.send(submission(number=2), Journal()), Receipt)
    transport.close()
    server.drain()
    assert [message.connection for message in server.received] == [2]
    assert server.heard("quit", connection=1) == []
    assert not journal.handed_over


def test_server_does_not_wait_for_content_in_vain(serve: Serve, connect: Connect) -> None:
    """The line on which content was awaited is cut at once, not when the next message comes."""
    server = serve()
    transport = connect(server)
    with pytest.raises(SendDeferred, match="called off"):
        transport.send(submission(), _CalledOff())
    server.drain()
    assert [connection.ended for connection in server.connections] == ["the client left"]


def test_interruption_leaves_no_half_conversation(serve: Serve, connect: Connect) -> None:
    """Whatever interrupts an exchange, the connection is not used again."""

    class Interrupted(BaseException):
        pass

    def trace(said: str) -> None:
        if said.startswith("S: 354") and server.reached("data") == 1:
            raise Interrupted

    server = serve()
    transport = connect(server, trace=trace)
    with pytest.raises(Interrupted):
        transport.send(submission(), Journal())
    assert isinstance(transport.send(submission(number=2), Journal()), Receipt)
    assert [message.connection for message in server.accepted] == [2]


def test_message_that_does_not_fit_leaves_the_connection(serve: Serve, connect: Connect) -> None:
    """A message larger than SIZE is refused before MAIL, and harms nobody else."""
    server = serve(capabilities=("SIZE 1000",))
    transport = connect(server)
    with pytest.raises(MessageError, match="takes 1,000"):
        transport.send(submission(b"Subject: x\r\n\r\n" + b"x" * 1000 + b"\r\n"), Journal())
    transport.send(submission(number=2), Journal())
    assert (len(server.connections), server.reached("mail")) == (1, 1)


def test_options_reach_the_server(serve: Serve, connect: Connect) -> None:
    """Delivery status parameters go as they were asked for."""
    server = serve()
    connect(server).send(
        submission(options={"notify": ["failure"], "ret": "hdrs", "envid": "INV-1001"}), Journal()
    )
    [received] = server.accepted
    assert {"RET": "HDRS", "ENVID": "INV-1001"}.items() <= received.sender.parameters.items()
    assert received.recipients[0].parameters == {"NOTIFY": "FAILURE", "ORCPT": f"rfc822;{CUSTOMER}"}


@systems.forks
@pytest.mark.parametrize("encryption", [Encryption.NONE, Encryption.STARTTLS])
def test_fork(
    serve: Serve, connect: Connect, server_tls: object, ca_file: str, encryption: Encryption
) -> None:
    """A child neither uses nor ends its parent's connection; both go on."""
    secured = {"tls": server_tls} if encryption is Encryption.STARTTLS else {}
    server = serve(**secured)
    transport = connect(server, encryption=encryption, ca_file=ca_file)
    transport.send(submission(), Journal())
    assert forking.ended(forking.child(lambda: _send_in_child(transport))) == 0
    transport.send(submission(number=3), Journal())
    transport.close()
    server.drain()
    assert [message.connection for message in server.accepted] == [1, 2, 1]
    assert server.reached("quit") == 2


def _send_in_child(transport: SmtpTransport) -> None:
    accepted = transport.send(submission(number=2), Journal())
    transport.close()
    assert accepted.reference


NOT_KEPT = "not kept by SMTP; add saved_copy to file one in Sent"


def test_class_attributes() -> None:
    """What core decides by, without an instance."""
    assert (SmtpTransport.label, SmtpTransport.sender_policy, SmtpTransport.saves_copy) == (
        "SMTP",
        SenderPolicy.USER,
        False,
    )
    assert SmtpTransport.settings_class() is SmtpSettings
    assert SmtpTransport.options is SmtpOptions
    assert SmtpTransport.marks_hand_over


@pytest.mark.parametrize(
    ("given", "sign_in", "via", "copy"),
    [
        ({}, "does not sign in", "smtp.acme.example:25, in clear", NOT_KEPT),
        (
            {"username": ORDERS, "password": Secret(env="X"), "encryption": Encryption.STARTTLS},
            f"signs in as {ORDERS}",
            "smtp.acme.example:587, STARTTLS required",
            NOT_KEPT,
        ),
        (
            {
                "username": ORDERS,
                "password": Secret(env="X"),
                "encryption": Encryption.TLS,
                "saved_copy": SavedCopy(server="imap.acme.example", folder="Sent/2026"),
            },
            f"signs in as {ORDERS}",
            "smtp.acme.example:465, TLS required",
            "filed in Sent/2026 at imap.acme.example:993, by IMAP",
        ),
        (
            {
                "username": ORDERS,
                "sign_in": "m365",
                "encryption": Encryption.TLS,
                "server": "smtp.office365.com",
            },
            f"signs in as {ORDERS}, with m365",
            "smtp.office365.com:465, TLS required",
            "filed by Microsoft 365",
        ),
    ],
)
def test_description(given: dict[str, object], sign_in: str, via: str, copy: str) -> None:
    """An account in words."""
    described = SmtpTransport.describe(settings(**({"server": "smtp.acme.example"} | given)))
    assert (described.sign_in, described.via, described.copy) == (sign_in, via, copy)


def test_limits() -> None:
    """Two connections by default; a known provider's rate."""
    assert SmtpTransport.limits(settings()).concurrency == 2
    assert SmtpTransport.limits(settings()).per_minute is None
    assert SmtpTransport.limits(settings(server="SMTP.Office365.com")).per_minute == 28


def test_identity() -> None:
    """The user name must be the owner's address, unless it may differ, or there is none."""
    assert SmtpTransport.identity(signing_in()) == ORDERS
    assert SmtpTransport.identity(signing_in(username_differs=True)) is None
    assert SmtpTransport.identity(settings()) is None


def test_looking(serve: Serve, connect: Connect) -> None:
    """SMTP can't look, and says so."""
    sighting = connect(serve()).find(submission(), Journal())
    assert sighting.state is SightingState.UNCLEAR
    assert not SmtpTransport.capabilities(None).find
    assert SmtpTransport.capabilities(None).note


def test_nobody_listens(connect: Connect, serve: Serve) -> None:
    """A closed port is deferred, at the stage of connecting."""
    server = serve()
    transport = connect(server)
    server.stop()
    with pytest.raises(SendDeferred) as caught:
        transport.send(submission(), Journal())
    assert caught.value.stage == "connect"


def test_errors_survive_pickle(serve: Serve, connect: Connect) -> None:
    """An error can cross a process, its code and its recipients with it."""
    with pytest.raises(SendRejected) as caught:
        connect(serve(at={"rcpt": Reply(550, "5.1.1 no")})).send(submission(), Journal())
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.code, again.stage, again.recipients) == (
        str(caught.value),
        "550 5.1.1",
        "recipient",
        caught.value.recipients,
    )


def test_ipv6(serve: Serve) -> None:
    """Over IPv6 the address literal is one of IPv6."""
    server = serve(host="::1", capabilities=CAPABILITIES)
    with SmtpTransport(settings(server="[::1]", port=server.port), Known()) as transport:
        transport.send(submission(), Journal())
    assert server.heard("ehlo") == [b"EHLO [IPv6:::1]\r\n"]


def test_own_name(serve: Serve, connect: Connect) -> None:
    """The deployer's name for this machine goes into EHLO; else the address in brackets, without a look-up."""
    server = serve()
    connect(server, local_hostname="erp.acme.example").send(submission(), Journal())
    connect(server).send(submission(number=2), Journal())
    assert server.heard("ehlo") == [b"EHLO erp.acme.example\r\n", b"EHLO [127.0.0.1]\r\n"]


def test_account_is_none_until_core_says(serve: Serve, connect: Connect) -> None:
    """A transport made by hand checks without an account."""
    transport = connect(serve())
    assert transport.account is None
    transport.account = Account(owner="company", method="smtp", mailbox=ORDERS)
    assert [finding.code for finding in transport.check()][-3:] == [
        "sender-accepted",
        "recipient-accepted",
        "reset-done",
    ]
