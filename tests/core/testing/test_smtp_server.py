"""The scripted server, as smtplib meets it."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage

import attrs
import pytest
import trustme

from pillarbox.testing import smtp_server
from pillarbox.testing._smtp import session
from pillarbox.testing.smtp_server import (
    ESCAPES,
    After,
    Behaviour,
    ByAddress,
    Cut,
    Drip,
    Endless,
    Garbage,
    Joined,
    MailPath,
    Nth,
    Offer,
    OnConnection,
    Raw,
    Reply,
    Reset,
    Said,
    ScriptedServer,
    Silence,
    Slow,
    Stall,
    Then,
    Turn,
    Usual,
    Without,
    first_reply,
)
from tests import systems

ANNA, BOB, CARL = "anna@acme.example", "bob@customer.example", "carl@customer.example"
CONTENT = b"Subject: Invoice 1001\r\n\r\nHello.\r\n.\r\n..two dots\r\n"
AUTHORITY = trustme.CA()
USERS = {"anna": "s3cret"}


def server_context() -> ssl.SSLContext:
    """A certificate for the loopback addresses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1", "::1").configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    """A client's that trusts it."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@contextlib.contextmanager
def client(server: ScriptedServer, seconds: float = 5.0) -> Iterator[smtplib.SMTP]:
    """A client of *server* whose connection is closed at the end, without QUIT."""
    talking = smtplib.SMTP(server.host, server.port, timeout=seconds)
    try:
        yield talking
    finally:
        talking.close()


def tls_line(server: ScriptedServer) -> ssl.SSLSocket:
    """A bare connection under implicit TLS that tells an end without close_notify from one with it."""
    line = socket.create_connection((server.host, server.port), timeout=5)
    return client_context().wrap_socket(line, server_hostname="127.0.0.1", suppress_ragged_eofs=False)


def send(server: ScriptedServer, *, to: tuple[str, ...] = (BOB,), seconds: float = 5.0) -> dict[str, object]:
    """Send `CONTENT` as smtplib does, QUIT included; return the refused recipients."""
    with client(server, seconds) as talking:
        refused = talking.sendmail(ANNA, to, CONTENT)
        talking.quit()
        return dict(refused)


def conversation(server: ScriptedServer, octets: bytes) -> bytes:
    """Write *octets* in one write and return all that the server says until it ends the line."""
    with socket.create_connection((server.host, server.port), timeout=5) as line:
        line.sendall(octets)
        return b"".join(iter(lambda: line.recv(65536), b""))


class TestWithoutAScript:
    def test_a_message_arrives_as_it_was_sent(self):
        """Content, paths and parameters are recorded; the dots are unstuffed."""
        with ScriptedServer() as server, client(server) as talking:
            talking.sendmail(ANNA, [BOB, CARL], CONTENT, ["BODY=8BITMIME"], ["NOTIFY=NEVER"])
            [message] = server.accepted
        assert message.content == CONTENT
        assert message.sender == MailPath(ANNA, {"SIZE": str(len(CONTENT)), "BODY": "8BITMIME"})
        assert message.recipients == (MailPath(BOB, {"NOTIFY": "NEVER"}), MailPath(CARL, {"NOTIFY": "NEVER"}))
        assert (message.tls, message.authenticated_as, message.connection, message.answer) == (
            False,
            None,
            1,
            250,
        )

    def test_the_log_holds_every_octet_in_order(self):
        """What smtplib wrote is there, stuffed dots and line ends included."""
        with ScriptedServer() as server:
            send(server)
        assert [heard.point for heard in server.log] == [
            "ehlo",
            "mail",
            "rcpt",
            "data",
            "body",
            "dot",
            "quit",
        ]
        assert server.heard("rcpt")[0].lower() == b"rcpt to:<bob@customer.example>\r\n"
        assert server.heard("body") == [CONTENT.replace(b"\r\n.", b"\r\n..")]
        assert server.heard("dot") == [b".\r\n"]
        assert server.clear.startswith(b"ehlo ")

    def test_a_connection_is_known_by_its_number_and_its_end(self):
        """Two connections, one ended by QUIT and one left."""
        with ScriptedServer() as server:
            send(server)
            with client(server):
                pass
            server.drain()
            assert [(each.number, each.ended) for each in server.connections] == [
                (1, "quit"),
                (2, "the client left"),
            ]

    def test_recipients_that_it_refuses_are_not_recipients(self):
        """The dictionary of smtplib and the server's record agree."""
        with ScriptedServer(at={"rcpt": ByAddress({CARL: Reply(550, "5.1.1 no such user")})}) as server:
            assert send(server, to=(BOB, CARL)) == {CARL: (550, b"5.1.1 no such user")}
            assert [path.address for path in server.accepted[0].recipients] == [BOB]

    def test_content_comes_by_bdat_too(self):
        """Two chunks and no dot: the octets are taken as they are."""
        with ScriptedServer() as server, client(server) as talking:
            talking.ehlo()
            talking.mail(ANNA)
            talking.rcpt(BOB)
            talking.send(b"BDAT 4\r\n.\r\n.BDAT 3 LAST\r\n..\n")
            assert [talking.getreply()[0] for _ in range(2)] == [250, 250]
            assert server.accepted[0].content == b".\r\n...\n"

    def test_commands_of_one_write_are_seen_together(self):
        """PIPELINING is answered command by command, and the record tells what came in one read."""
        with ScriptedServer() as server, client(server) as talking:
            talking.ehlo()
            talking.send(f"MAIL FROM:<{ANNA}>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n")
            assert [talking.getreply()[0] for _ in range(3)] == [250, 250, 354]
            talking.send(b"Hello.\r\n.\r\nRSET\r\nNOOP\r\n")
            assert [talking.getreply()[0] for _ in range(3)] == [250, 250, 250]
            assert server.reads() == [("ehlo",), ("mail", "rcpt", "data"), ("dot", "rset", "noop")]

    def test_commands_that_wait_for_answers_are_seen_apart(self):
        """The way of smtplib: it writes one command at a time."""
        with ScriptedServer() as server:
            send(server)
        assert server.reads() == [("ehlo",), ("mail",), ("rcpt",), ("data",), ("dot",), ("quit",)]

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            (b"MAIL FROM:<a@b.example>", 503),
            (b"EHLO x\r\nRCPT TO:<a@b.example>", 503),
            (b"EHLO x\r\nDATA", 503),
            (b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>", 503),
            (b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nDATA", 554),
            (b"EHLO x\r\nMAIL FROM:a@b.example", 501),
            (b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a b@c.example>", 501),
            (b"EHLO x\r\nMAIL FROM:<a@b.example> HOLDFOR=60", 555),
            (b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=99999999", 552),
            (b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=many", 501),
            (b"HELO x\r\nMAIL FROM:<a@b.example> BODY=8BITMIME", 555),
            (b"HELO x\r\nMAIL FROM:<\xc3\xa4@b.example>", 553),
            (b"HELO x\r\nSTARTTLS", 502),
            (b"EHLO x\r\nAUTH PLAIN AAA=", 502),
            (b"HELO x\r\nBDAT 0 LAST", 502),
            (b"BDAT many", 501),
            (b"VRFY anna", 500),
        ],
    )
    def test_what_breaks_the_protocol_is_refused(self, said: bytes, code: int):
        """A well-behaved server says so with the code that RFC 5321 or the extension gives."""
        with ScriptedServer() as server:
            answer = conversation(server, said + b"\r\nQUIT\r\n")
        assert answer.splitlines()[-2][:3] == b"%d" % code
        assert answer.splitlines()[-1] == b"221 2.0.0 farewell"

    def test_content_beyond_size_is_refused(self):
        """SIZE is kept, also when it was not declared."""
        with ScriptedServer(capabilities=("SIZE 20",)) as server, client(server) as talking:
            talking.helo()
            talking.ehlo()
            talking.mail(ANNA)
            talking.rcpt(BOB)
            assert talking.data(CONTENT)[0] == 552
            assert [message.answer for message in server.received] == [552]
            assert server.accepted == []

    def test_quoted_local_parts_are_read_as_they_are(self):
        """A bracket within quotes ends no path."""
        with ScriptedServer() as server, client(server) as talking:
            talking.sendmail('"a> b"@acme.example', [BOB], CONTENT)
            assert server.accepted[0].sender.address == '"a> b"@acme.example'

    def test_a_bare_line_feed_ends_nothing(self):
        """Content with LF . LF is one message; a lenient server lets a second one be smuggled in."""
        smuggling = b"One\r\n\n.\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<bob@x.example>\r\nDATA\r\nTwo\r\n.\r\nQUIT\r\n"
        opening = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@x.example>\r\nDATA\r\n"
        counts = []
        for lenient in (False, True):
            with ScriptedServer(lenient=lenient) as server:
                conversation(server, opening + smuggling)
            counts.append(len(server.accepted))
        assert counts == [1, 2]

    def test_it_listens_on_the_other_loopback_too(self):
        """IPv6 on request."""
        with ScriptedServer(host="::1") as server:
            send(server)
            assert server.connections[0].peer[0] == "::1"


class TestSigningIn:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
    def test_a_user_signs_in_and_sends(self, mechanism: str):
        """The record says who it was."""
        with ScriptedServer(users=USERS, mechanisms=(mechanism,)) as server, client(server) as talking:
            talking.login("anna", "s3cret")
            talking.sendmail(ANNA, [BOB], CONTENT)
            assert server.accepted[0].authenticated_as == "anna"
            assert server.connections[0].authenticated_as == "anna"

    def test_a_wrong_password_is_refused(self):
        """With 535, and nobody has signed in."""
        with ScriptedServer(users=USERS, mechanisms=("PLAIN",)) as server, client(server) as talking:
            with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
                talking.login("anna", "wrong")
            assert caught.value.smtp_code == 535
            assert server.connections[0].authenticated_as is None

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            (b"AUTH SCRAM-SHA-256 AAA=", 504),
            (b"AUTH PLAIN !", 501),
            (b"AUTH LOGIN\r\n*", 501),
            (b"AUTH PLAIN =", 535),
            (b"AUTH LOGIN YW5uYQ==\r\nczNjcmV0", 235),
        ],
    )
    def test_each_exchange_has_its_answer(self, said: bytes, code: int):
        """Unknown mechanisms, what is not base64, a cancelled exchange, an empty one, and an initial response."""
        with ScriptedServer(users=USERS) as server:
            answer = conversation(server, b"EHLO x\r\n" + said + b"\r\nQUIT\r\n")
        assert answer.splitlines()[-2][:3] == b"%d" % code

    def test_who_does_not_sign_in_may_not_send(self):
        """530 where AUTH was offered."""
        with ScriptedServer(users=USERS) as server, pytest.raises(smtplib.SMTPSenderRefused) as caught:
            send(server)
        assert caught.value.smtp_code == 530

    def test_a_mechanism_that_only_the_script_knows(self):
        """Any exchange can be played: here XOAUTH2 with its error in a challenge."""
        script = {
            "auth": Reply(334, "eyJzdGF0dXMiOiI0MDAifQ=="),
            "auth-continue": Reply(535, "5.7.8 expired"),
        }
        with (
            ScriptedServer(at=script, users=USERS, mechanisms=("XOAUTH2",)) as server,
            client(server) as talking,
        ):
            talking.ehlo()
            assert talking.docmd("AUTH", "XOAUTH2 dXNlcj1hbm5h")[0] == 334
            assert talking.docmd("") == (535, b"5.7.8 expired")
            assert server.heard("auth-continue") == [b"\r\n"]


class TestTls:
    def test_starttls_hides_what_follows(self):
        """Credentials and MAIL are in the log, and not in what an eavesdropper has."""
        with ScriptedServer(tls=server_context(), users=USERS) as server, client(server) as talking:
            talking.starttls(context=client_context())
            talking.login("anna", "s3cret")
            talking.sendmail(ANNA, [BOB], CONTENT)
            assert server.accepted[0].tls
            assert server.connections[0].tls.startswith("TLSv1.")
        assert server.clear.split() == [b"ehlo", server.clear.split()[1], b"STARTTLS"]
        assert [heard.point for heard in server.log][:4] == ["ehlo", "starttls", "ehlo-after-tls", "auth"]

    def test_tls_from_the_start(self):
        """Implicit TLS: nothing at all is clear."""
        with ScriptedServer(tls=server_context(), implicit_tls=True, users=USERS) as server:
            with smtplib.SMTP_SSL(server.host, server.port, timeout=5, context=client_context()) as talking:
                talking.login("anna", "s3cret")
                talking.sendmail(ANNA, [BOB], CONTENT)
            assert server.accepted[0].tls
            server.drain()
            assert server.clear == b""
            assert server.connections[0].ended == "quit"

    def test_auth_is_offered_under_tls_alone(self):
        """Unless a script offers it in the clear."""
        with ScriptedServer(tls=server_context(), users=USERS) as server, client(server) as talking:
            talking.ehlo()
            assert not talking.has_extn("auth")
            talking.starttls(context=client_context())
            talking.ehlo()
            assert talking.has_extn("auth")
            assert not talking.has_extn("starttls")

    def test_auth_offered_in_the_clear_alone(self):
        """A downgrade: the record shows a client that falls for it."""
        script = {"ehlo": Offer("STARTTLS", "AUTH PLAIN"), "ehlo-after-tls": Without("AUTH")}
        with (
            ScriptedServer(at=script, tls=server_context(), users=USERS) as server,
            client(server) as talking,
        ):
            talking.login("anna", "s3cret")
            assert b"AUTH PLAIN" in server.clear
            talking.starttls(context=client_context())
            talking.ehlo()
            assert not talking.has_extn("auth")

    def test_starttls_that_is_refused(self):
        """It is offered, and then it is not to be had."""
        with (
            ScriptedServer(at={"starttls": Reply(454, "4.7.0 not now")}, tls=server_context()) as server,
            client(server) as talking,
        ):
            with pytest.raises(smtplib.SMTPResponseException) as caught:
                talking.starttls(context=client_context())
            assert caught.value.smtp_code == 454
            assert server.connections[0].tls == ""

    def test_starttls_that_vanishes(self):
        """On the second connection it is no longer offered, and refused."""
        with ScriptedServer(
            at={"ehlo": OnConnection(2, Without("STARTTLS"))}, tls=server_context()
        ) as server:
            offers = []
            for _ in range(2):
                with client(server) as talking:
                    talking.ehlo()
                    offers.append(talking.has_extn("starttls"))
            assert offers == [True, False]

    def test_octets_injected_after_the_answer_to_starttls(self):
        """They come in the same write, before the handshake that then goes on."""
        script = {"starttls": Joined(Usual(), Raw(b"250-injected\r\n250 AUTH PLAIN\r\n"))}
        with ScriptedServer(at=script, tls=server_context()) as server, client(server) as talking:
            talking.ehlo()
            talking.sock.sendall(b"STARTTLS\r\n")
            assert talking.sock.recv(65536) == b"220 2.0.0 go ahead\r\n250-injected\r\n250 AUTH PLAIN\r\n"
            with client_context().wrap_socket(talking.sock, server_hostname="127.0.0.1") as secured:
                secured.sendall(b"EHLO x\r\n")
                assert secured.recv(65536).startswith(b"250-scripted.example")

    def test_octets_injected_before_the_handshake_are_not_read_as_commands(self):
        """What a client writes behind STARTTLS is dropped, and told as unread."""
        with ScriptedServer(tls=server_context()) as server:
            with client(server) as talking:
                talking.ehlo()
                talking.sock.sendall(b"STARTTLS\r\nMAIL FROM:<a@b.example>\r\n\r\n\r\n")
                assert talking.getreply()[0] == 220
            server.drain()
        assert server.heard("mail") == []
        assert b"MAIL FROM:<a@b.example>\r\n\r\n\r\n" in server.heard("unread")

    @pytest.mark.parametrize(
        ("said", "ended"), [("farewell", "the client left"), ("garbage", "the client broke TLS")]
    )
    def test_a_client_that_ends_tls(self, said: str, ended: str):
        """In order, or with what is no record."""
        with ScriptedServer(tls=server_context(), implicit_tls=True) as server, tls_line(server) as line:
            line.sendall(b"NOOP\r\n")
            while b"here" not in line.recv(65536):
                pass
            if said == "garbage":
                socket.socket.send(line, b"NOOP\r\n")
            else:
                line.setblocking(False)
                with contextlib.suppress(ssl.SSLError):
                    line.unwrap()
            server.drain()
            assert server.connections[0].ended == ended
            assert server.heard("noop") == [b"NOOP\r\n"]

    def test_a_handshake_that_the_client_ends(self):
        """A client that does not trust the certificate leaves nothing but its reason."""
        with ScriptedServer(tls=server_context()) as server:
            with client(server) as talking, pytest.raises(ssl.SSLCertVerificationError):
                talking.starttls(context=ssl.create_default_context())
            server.drain()
            assert server.connections[0].ended.startswith("handshake failed")
            assert server.heard("mail") == []

    @pytest.mark.parametrize(
        ("script", "ending"), [(Cut(), ssl.SSLEOFError), (Reply(421, "bye"), None), (Usual(), None)]
    )
    def test_only_who_leaves_in_order_says_so_under_tls(
        self, script: Behaviour, ending: type[OSError] | None
    ):
        """A cut brings no close_notify; 421 and QUIT do."""
        with (
            ScriptedServer(at={"quit": script}, tls=server_context(), implicit_tls=True) as server,
            tls_line(server) as line,
        ):
            line.sendall(b"QUIT\r\n")
            with pytest.raises(ending) if ending else contextlib.nullcontext():
                while line.recv(65536):
                    pass

    @systems.resets
    def test_a_reset_under_tls_is_a_reset(self):
        """Seen below TLS, since OpenSSL may call it an end of file."""
        with (
            ScriptedServer(at={"noop": Reset()}, tls=server_context(), implicit_tls=True) as server,
            tls_line(server) as line,
        ):
            line.recv(65536)
            line.sendall(b"NOOP\r\n")
            with pytest.raises(ConnectionResetError):
                socket.socket.recv(line, 65536)

    def test_words_in_place_of_a_handshake(self):
        """A plain server on a TLS port; the client's hello is nobody's command."""
        with ScriptedServer(
            at={"tls": Reply(454, "no TLS")}, tls=server_context(), implicit_tls=True
        ) as server:
            with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record layer|packet"):
                smtplib.SMTP_SSL(server.host, server.port, timeout=5, context=client_context())
            server.drain()
            assert server.connections[0].ended == "no handshake"
            assert server.log[0].point == "unread"


REFUSED_CONNECTIONS = (ConnectionResetError, smtplib.SMTPServerDisconnected)


class TestScripts:
    def test_a_reply_in_place_of_the_usual(self):
        """The sentence that the kit is made for."""
        with ScriptedServer(at={"rcpt": Reply(450, "4.2.1 mailbox busy")}) as server:
            with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
                send(server)
            assert caught.value.recipients == {BOB: (450, b"4.2.1 mailbox busy")}
            assert server.received == []

    def test_a_reply_of_several_lines(self):
        """One argument for each."""
        with ScriptedServer(at={"noop": Reply(250, "one", "two")}) as server, client(server) as talking:
            assert talking.noop() == (250, b"one\ntwo")

    def test_a_421_closes_the_line(self):
        """As a real server does after it."""
        with ScriptedServer(at={"noop": Reply(421, "4.3.2 closing")}) as server, client(server) as talking:
            assert talking.noop()[0] == 421
            with pytest.raises(smtplib.SMTPServerDisconnected):
                talking.noop()

    def test_a_refused_session_takes_nothing_but_quit(self):
        """RFC 5321 3.1: after a greeting of 554 everything else is 503."""
        with ScriptedServer(at={"greeting": Reply(554, "no service")}) as server:
            assert conversation(server, b"EHLO x\r\nQUIT\r\n").splitlines() == [
                b"554 no service",
                b"503 5.5.1 there is no service here",
                b"221 2.0.0 farewell",
            ]

    def test_a_line_cut_after_the_dot(self):
        """The content has arrived, no answer was given."""
        with ScriptedServer(at={"dot": Cut()}) as server:
            with pytest.raises(smtplib.SMTPServerDisconnected):
                send(server)
            [message] = server.received
            assert (message.content, message.answer) == (CONTENT, None)
            assert server.accepted == []

    def test_an_answer_and_then_the_cut(self):
        """250 was said: the message is accepted, whatever happens to QUIT."""
        with ScriptedServer(at={"dot": Then(Reply(250, "taken"), Cut())}) as server:
            with pytest.raises(smtplib.SMTPServerDisconnected):
                send(server)
            assert server.accepted[0].answer == 250

    @systems.resets
    def test_a_line_reset(self):
        """RST, which a client sees as such."""
        with ScriptedServer(at={"data": Reset()}) as server, client(server) as talking:
            talking.ehlo()
            talking.mail(ANNA)
            talking.rcpt(BOB)
            talking.sock.sendall(b"DATA\r\n")
            with pytest.raises(ConnectionResetError):
                talking.sock.recv(1)
            assert server.reached("data") == 1

    @pytest.mark.parametrize("behaviour", [Cut(), Reset()])
    def test_a_connection_that_is_broken_at_once(self, behaviour: Behaviour):
        """Before any greeting."""
        with ScriptedServer(at={"connect": behaviour}) as server, pytest.raises(REFUSED_CONNECTIONS):
            send(server)

    @pytest.mark.parametrize("behaviour", [Silence(), Stall()])
    def test_a_server_that_says_nothing(self, behaviour: Behaviour):
        """The client's own time-out ends it."""
        with (
            ScriptedServer(at={"greeting": behaviour}) as server,
            pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"),
        ):
            send(server, seconds=0.1)

    def test_silence_ends_with_the_connections_life(self):
        """A forgotten one hangs nothing, even when the client waits for ever."""
        with ScriptedServer(at={"ehlo": Silence()}, life=1.0) as server, client(server, 60) as talking:
            with pytest.raises(smtplib.SMTPServerDisconnected):
                talking.ehlo()
            server.drain()
            assert server.connections[0].ended == "life over"

    def test_leaving_the_context_ends_a_silence(self):
        """All threads are gone then, and what the client had sent is in the log."""
        with ScriptedServer(at={"noop": Silence()}, life=600) as server, client(server) as talking:
            talking.sock.sendall(b"NOOP\r\nNOOP again\r\n")
            server.stop()
        assert (server.heard("noop"), server.heard("unread")) == ([b"NOOP\r\n"], [b"NOOP again\r\n"])
        assert server.connections[0].ended == "the server stopped"

    def test_leaving_the_context_ends_a_stall(self):
        """It does not even read, and wakes all the same."""
        before = threading.active_count()
        with ScriptedServer(at={"noop": Stall()}, life=600) as server, client(server) as talking:
            talking.sock.sendall(b"NOOP\r\n")
            server.stop()
        assert threading.active_count() == before

    def test_a_stall_in_the_content_stops_the_clients_writes(self):
        """The buffers fill up, and the client waits."""
        with (
            ScriptedServer(at={"body": After(1000, Stall())}, receive_buffer=4096) as server,
            client(server, 0.3) as talking,
        ):
            talking.ehlo()
            talking.mail(ANNA)
            talking.rcpt(BOB)
            talking.docmd("DATA")
            with pytest.raises(TimeoutError):
                talking.sock.sendall(b"x" * 30_000_000)
            assert server.received == []

    def test_a_slow_answer_is_an_answer(self):
        """After the pause the usual follows."""
        with ScriptedServer(at={"dot": Slow(0.05)}) as server:
            assert send(server) == {}
            assert len(server.accepted) == 1

    def test_a_slow_answer_comes_too_late_for_a_client_that_has_left(self):
        """The server notices within the pause."""
        with ScriptedServer(at={"dot": Slow(600)}, life=600) as server:
            with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
                send(server, seconds=0.1)
            server.drain()
            assert server.received[0].answer is None

    def test_a_dripped_answer_is_an_answer(self):
        """Octet by octet, the usual arrives."""
        with ScriptedServer(at={"dot": Drip(Usual(), every=0.001)}) as server:
            assert send(server) == {}

    def test_a_drip_outlasts_a_time_out_for_each_read(self):
        """Such a client, as smtplib is one, is freed only by the end of the connection's life."""
        with ScriptedServer(at={"greeting": Drip(every=0.02)}, life=1.0) as server:
            assert conversation(server, b"").startswith(b"220-and there")
            server.drain()
            assert server.connections[0].ended == "life over"

    def test_an_endless_answer_ends_at_its_cap(self):
        """And then there is a cut."""
        with ScriptedServer(at={"ehlo": Endless(cap=100_000)}) as server:
            said = conversation(server, b"EHLO x\r\n")
        assert len(said.partition(b"\r\n")[2]) == 100_000
        assert said.partition(b"\r\n")[2].startswith(b"250-and there is more\r\n250-")

    def test_an_endless_answer_ends_when_the_client_leaves(self):
        """Before the cap."""
        with ScriptedServer(at={"greeting": Endless(cap=1 << 30)}, life=600) as server:
            with socket.create_connection((server.host, server.port), timeout=5) as line:
                assert line.recv(10).startswith(b"220-")
            server.drain()
            assert server.connections[0].ended == "the client left"

    def test_garbage_is_no_answer(self):
        """And has no effect."""
        with ScriptedServer(at={"dot": Garbage()}) as server, client(server) as talking:
            with pytest.raises(smtplib.SMTPResponseException) as caught:
                talking.sendmail(ANNA, [BOB], CONTENT)
            assert caught.value.smtp_code == -1
            assert server.received[0].answer is None

    def test_lines_that_disagree_accept_nothing(self):
        """A client that believes the last one is wrong: the server took charge of nothing."""
        with ScriptedServer(at={"dot": Raw(b"550-no\r\n250 ok\r\n")}) as server:
            assert send(server) == {}
            assert server.accepted == []

    def test_escapes_reach_the_client_as_they_are(self):
        """What a client shows to a person is its own business."""
        with ScriptedServer(at={"noop": Reply(250, ESCAPES)}) as server, client(server) as talking:
            assert talking.noop() == (250, ESCAPES.encode())

    def test_only_the_nth_time(self):
        """The second message meets the cut, the first does not."""
        with ScriptedServer(at={"dot": Nth(2, Cut())}) as server:
            send(server)
            with pytest.raises(smtplib.SMTPServerDisconnected):
                send(server)
            assert [message.answer for message in server.received] == [250, None]
            assert server.reached("dot") == 2

    def test_only_on_one_connection(self):
        """The first is broken, the second is as usual."""
        with ScriptedServer(at={"greeting": OnConnection(1, Reset())}) as server:
            with pytest.raises(REFUSED_CONNECTIONS):
                send(server)
            assert send(server) == {}

    def test_a_function_decides_for_each_recipient(self):
        """It is given the turn; None is the usual."""

        def busy(turn: Turn) -> Behaviour | None:
            return Reply(450, f"4.2.1 {turn.address} is busy") if turn.address == CARL else None

        with ScriptedServer(at={"rcpt": busy}) as server:
            assert send(server, to=(BOB, CARL)) == {CARL: (450, f"4.2.1 {CARL} is busy".encode())}

    def test_a_behaviour_of_ones_own(self):
        """A subclass has the whole turn."""

        @attrs.frozen
        class Echo(Behaviour):
            def act(self, turn: Turn) -> None:
                turn.send(b"250 %s, time %d\r\n" % (turn.line, turn.occurrence))

        with ScriptedServer(at={"noop": Echo()}) as server, client(server) as talking:
            assert talking.noop() == (250, b"noop, time 1")

    def test_a_script_that_raises_is_heard_of(self):
        """The connection ends, and the error comes out where the context does."""
        server = ScriptedServer(at={"noop": lambda turn: {}[turn.point]})
        with pytest.raises(KeyError, match="noop"), server:
            conversation(server, b"NOOP\r\n")
        assert server.connections[0].ended == "a script failed"

    def test_a_cut_in_the_middle_of_the_content(self):
        """After so many octets; a shorter message comes through."""
        with ScriptedServer(at={"body": After(len(CONTENT) + 10, Cut())}) as server:
            assert send(server) == {}
            with client(server) as talking, pytest.raises(smtplib.SMTPServerDisconnected):
                talking.sendmail(ANNA, [BOB], CONTENT * 2)
            assert len(server.received) == 1

    def test_an_answer_in_the_middle_of_the_content(self):
        """It is the answer to the message: the dot gets no other."""
        with ScriptedServer(at={"body": Reply(552, "5.3.4 too large")}) as server, client(server) as talking:
            with pytest.raises(smtplib.SMTPDataError) as caught:
                talking.sendmail(ANNA, [BOB], CONTENT)
            assert caught.value.smtp_code == 552
            assert talking.noop() == (250, b"2.0.0 here")
            assert [message.answer for message in server.received] == [552]

    def test_data_that_is_let_in_without_recipients(self):
        """RFC 2920: a server that answers 354 all the same, and a client that sends the lone dot."""
        script = {"rcpt": Reply(550, "5.1.1 nobody"), "data": Reply(354, "go ahead")}
        with ScriptedServer(at=script) as server, client(server) as talking:
            talking.ehlo()
            talking.send(f"MAIL FROM:<{ANNA}>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n")
            assert [talking.getreply()[0] for _ in range(3)] == [250, 550, 354]
            talking.send(b".\r\n")
            assert talking.getreply() == (554, b"5.5.1 no valid recipients")
            assert server.accepted == []

    @pytest.mark.parametrize("chunks", [b"BDAT 5\r\nHelloBDAT 0 LAST\r\n", b"BDAT 5 LAST\r\nHello"])
    def test_the_last_chunk_has_a_script_of_its_own(self, chunks: bytes):
        """Or that of every chunk."""
        opening = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<b@c.example>\r\n"
        with ScriptedServer(at={"bdat-last": Reply(451, "4.3.0 later")}) as server:
            assert conversation(server, opening + chunks + b"QUIT\r\n").splitlines()[-2] == b"451 4.3.0 later"
        with ScriptedServer(at={"bdat": Cut()}) as server:
            assert conversation(server, opening + chunks).splitlines()[-1] == b"250 2.1.5 recipient ok"
        assert server.accepted == []

    def test_a_chunk_that_comes_in_pieces(self):
        """Its answer waits for the last of it."""
        with ScriptedServer(at={"body": After(2, Usual())}) as server, client(server) as talking:
            talking.ehlo()
            talking.mail(ANNA)
            talking.rcpt(BOB)
            for piece in (b"BDAT 5 LAST\r\nH", b"e", b"l", b"l", b"o"):
                talking.send(piece)
                time.sleep(0.02)
            assert talking.getreply()[0] == 250
            assert server.accepted[0].content == b"Hello"

    def test_a_chunk_cut_in_its_middle(self):
        """`body` is the same point for BDAT."""
        opening = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<b@c.example>\r\nBDAT 500 LAST\r\n"
        with ScriptedServer(at={"body": After(300, Cut())}) as server:
            conversation(server, opening + b"x" * 400)
        assert server.received == []
        assert server.heard("unread") == [b"x" * 400]


class TestBounds:
    def test_a_client_that_sends_too_much_is_dropped(self):
        """What is recorded of a connection has an end."""
        with ScriptedServer(keep=10_000) as server:
            with client(server) as talking, pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
                talking.sendmail(ANNA, [BOB], b"x" * 70 + b"\r\n" * 20_000)
            server.drain()
            assert server.connections[0].ended == "the client sent more than is kept"
            assert sum(len(heard.octets) for heard in server.log) <= 10_000

    def test_a_client_that_does_not_read_is_left_in_the_end(self):
        """The server's own writes are bounded by the connection's life."""
        with (
            ScriptedServer(at={"greeting": Endless(cap=1 << 30)}, life=0.5) as server,
            socket.create_connection((server.host, server.port), timeout=5),
        ):
            server.drain()
            assert server.connections[0].ended == "life over"

    def test_commands_are_counted(self, monkeypatch: pytest.MonkeyPatch):
        """A client that never ends is ended."""
        monkeypatch.setattr(session, "COMMANDS", 3)
        with ScriptedServer() as server:
            assert conversation(server, b"NOOP\r\n" * 4).count(b"250 ") == 3
            assert server.connections[0].ended == "the client sent more commands than are taken"

    def test_connections_are_counted(self, monkeypatch: pytest.MonkeyPatch):
        """After the last one nobody listens."""
        monkeypatch.setattr(smtp_server, "CONNECTIONS", 1)
        with ScriptedServer() as server:
            assert send(server) == {}
            server.drain()
            with pytest.raises(ConnectionRefusedError):
                send(server)

    def test_a_client_that_stays_keeps_drain_waiting(self):
        """And is named as the reason."""
        with ScriptedServer() as server, client(server), pytest.raises(TimeoutError, match="still open"):
            server.drain(0.05)

    def test_connections_that_wait_to_be_accepted_are_served_before_the_end(self):
        """What was sent before the context is left is recorded, even by clients that have gone."""
        with ScriptedServer() as server:
            for number in range(10):
                with socket.create_connection((server.host, server.port), timeout=5) as line:
                    line.sendall(b"NOOP %d\r\n" % number)
            server.drain()
        assert sorted(server.heard("noop")) == [b"NOOP %d\r\n" % number for number in range(10)]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"at": {"recipient": Cut()}}, "not a point"),
            ({"host": "0.0.0.0"}, "not a loopback"),
            ({"implicit_tls": True}, "needs a context"),
        ],
    )
    def test_what_can_not_be_is_refused_when_it_is_made(self, wrong, words: str):
        """With the cure."""
        with pytest.raises(ValueError, match=words):
            ScriptedServer(**wrong)

    @pytest.mark.parametrize("script", [Cut, "cut", 450])
    def test_a_script_that_is_none(self, script):
        """The class in place of its instance, above all."""
        with pytest.raises(TypeError, match="A script is a behaviour"):
            ScriptedServer(at={"dot": script})

    @pytest.mark.parametrize(("code", "line"), [(25, "x"), (1000, "x"), (250, "a\r\nb")])
    def test_a_reply_is_well_formed(self, code: int, line: str):
        """What is not is Raw."""
        with pytest.raises(ValueError, match="use Raw"):
            Reply(code, line)

    def test_starttls_that_is_promised_without_a_context(self):
        """A script that promises TLS where there is none is a mistake of the test's, and said to be one."""
        server = ScriptedServer(at={"starttls": Reply(220, "go")})
        with pytest.raises(RuntimeError, match="given no tls="), server:
            conversation(server, b"STARTTLS\r\n")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"250 ok\r\n", Said(250, (b"ok",))),
        (b"250\r\n", Said(250, (b"",))),
        (b"250-a\r\n250-\r\n250 b\r\nrest", Said(250, (b"a", b"", b"b"))),
        (b"220 go\r\n250 injected\r\n", Said(220, (b"go",))),
        (b"250-a\r\n", None),
        (b"250 ok", None),
        (b"250 ok\n", None),
        (b"250-a\r\n550 b\r\n", None),
        (b"999 no\r\n", None),
        (b"250_no\r\n", None),
        (b"250 " + b"x" * 506 + b"\r\n", Said(250, (b"x" * 506,))),
        (b"250 " + b"x" * 507 + b"\r\n", None),
        (b"", None),
    ],
)
def test_what_counts_as_a_complete_valid_reply(octets: bytes, said: Said | None):
    """RFC 5321 4.2 and 4.5.3.1.5, to the octet."""
    assert first_reply(octets) == said


def test_the_door_is_complete_and_sorted():
    """Everything in `__all__` exists and says what it is."""
    names = smtp_server.__all__
    constants, classes = (
        [name for name in names if name.isupper()],
        [name for name in names if not name.isupper()],
    )
    assert names == sorted(constants) + sorted(name for name in classes if name[0].isupper()) + sorted(
        name for name in classes if name[0].islower()
    )
    assert all(getattr(getattr(smtp_server, name), "__doc__", None) for name in names)


def test_an_email_message_goes_through_send_message():
    """What hosts' own code does."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ANNA, BOB, "Invoice 1001"
    message.set_content("Hello.")
    with ScriptedServer() as server, client(server) as talking:
        talking.send_message(message)
        assert b"Subject: Invoice 1001\r\n" in server.accepted[0].content
