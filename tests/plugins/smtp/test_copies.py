"""Sent copies: looked for first, filed once, Bcc kept; whatever goes wrong is told and changes nothing of the send."""

from __future__ import annotations

import datetime as dt
import functools
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from pillarbox import (
    Copy,
    CopyState,
    Journal,
    Level,
    Network,
    OutcomeUnknown,
    Receipt,
    Sighting,
    SightingState,
    State,
)
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing.imap_server import ImapScript, ImapServer, Turn, cut, drip, nth, reset, silence
from pillarbox.testing.smtp_server import Cut, Nth, Reply, ScriptedServer
from pillarbox_smtp import SmtpTransport
from pillarbox_smtp.check import FINDINGS
from pillarbox_smtp.copies import Copies, Seen, access_of, sighting
from pillarbox_smtp.hosts import host
from tests.plugins.smtp.givens import ORDERS, PASSWORD, Known, signing_in
from tests.plugins.smtp.givens import submission as made
from tests.plugins.smtp.mailboxes import OWN_SECRET, USERS, copies, with_copy

CONTENT = b"Message-ID: <1@acme.example>\r\nSubject: Invoice 1001\r\n\r\nGood morning.\r\n"
SUBMISSION = attrs.evolve(made(CONTENT), bcc_header=b"Bcc: hidden@customer.example\r\n")
WITH_BCC = CONTENT.replace(b"1001\r\n", b"1001\r\nBcc: hidden@customer.example\r\n")
CREATABLE = ("SPECIAL-USE", "CREATE-SPECIAL-USE")


def file(server: ImapServer, times: int = 1, **given: Any) -> list[Copy]:
    """File a copy of the submission so many times, over one connection as long as it lasts."""
    filing = copies(server, **given)
    try:
        return [filing.file(SUBMISSION) for _ in range(times)]
    finally:
        filing.close()


def test_a_copy_is_filed_once_with_its_bcc() -> None:
    """A repeated call finds it; both go over one connection."""
    with ImapServer(users=USERS) as server:
        first, again = file(server, 2)
    assert (first.state, first.where, first.detail) == (CopyState.FILED, "Sent at 127.0.0.1", "UID 1")
    assert again.state is CopyState.ALREADY_THERE
    assert server.folders["Sent"] == [WITH_BCC]
    assert server.connections == 1
    assert b"(\\Seen)" in server.heard(b"APPEND")[0]


def test_a_copy_that_the_server_filed_itself_is_not_filed_again() -> None:
    """Whoever filed it, under whatever name it is kept."""
    with ImapServer(users=USERS) as server:
        server.folders["Sent"].append(CONTENT.replace(b"Message-ID", b"X-Microsoft-Original-Message-ID"))
        [copy] = file(server)
    assert copy.state is CopyState.ALREADY_THERE
    assert server.heard(b"APPEND") == []


def lost_after(filed: bool, how: ImapScript) -> ImapScript:
    """Return a script that takes the literal, files it or forgets it, and does *how* in the place of the answer."""

    def act(turn: Turn) -> None:
        if not filed:
            SERVER[0].folders["Sent"].pop()
        if isinstance(how, bytes):
            turn.say(how)
        else:
            how(turn)

    return act


SERVER: list[ImapServer] = []
LOST: dict[str, tuple[bool, ImapScript, CopyState, int]] = {
    "filed, then closed": (True, cut, CopyState.FILED, 1),
    "filed, then reset": (True, reset, CopyState.FILED, 1),
    "filed, then silent": (True, silence, CopyState.FILED, 1),
    "filed, then dripped": (True, drip(), CopyState.FILED, 1),
    "filed, then garbage": (True, b"what\r\n", CopyState.FILED, 1),
    "filed, then bye": (True, b"* BYE\r\n", CopyState.FILED, 1),
    "forgotten, then closed": (False, cut, CopyState.FILED, 1),
    "forgotten, then reset": (False, reset, CopyState.FILED, 1),
    "forgotten, then garbage": (False, b"what\r\n", CopyState.UNCLEAR, 0),
    "forgotten, then silent": (False, silence, CopyState.UNCLEAR, 0),
    "forgotten, then dripped": (False, drip(), CopyState.UNCLEAR, 0),
}


@pytest.mark.parametrize("case", LOST)
def test_a_lost_answer_is_looked_for_on_a_fresh_connection(case: str) -> None:
    """Filed once in the end, or in doubt where a silent server may still be at it; never twice."""
    filed, how, state, count = LOST[case]
    with ImapServer(at={"append-end": nth(1, lost_after(filed, how))}, users=USERS) as server:
        SERVER[:] = [server]
        [copy] = file(server)
    assert copy.state is state
    assert len(server.folders["Sent"]) == count
    assert server.connections == 2
    if state is CopyState.UNCLEAR:
        assert "is not known" in str(copy)


def test_answers_that_are_lost_each_time_leave_it_in_doubt() -> None:
    """One more APPEND, no third."""
    with ImapServer(at={"append-end": lost_after(False, cut)}, users=USERS) as server:
        SERVER[:] = [server]
        [copy] = file(server)
    assert copy.state is CopyState.UNCLEAR
    assert server.reached["append"] == 2


REFUSALS: dict[str, tuple[dict[str, ImapScript], str]] = {
    "full": ({"append": b"TAG NO [OVERQUOTA] Quota exceeded\r\n"}, "The mailbox is full"),
    "full behind the literal": (
        {"append-end": b"TAG NO [OVERQUOTA] Quota exceeded\r\n"},
        "The mailbox is full",
    ),
    "too large": ({"append": b"TAG NO [TOOBIG] too big\r\n"}, "of this size"),
    "refused": ({"append": b"TAG NO \x1b[31mno\x07\r\n"}, '"[31mno"'),
    "not searched": ({"search": b"TAG NO SEARCH is off\r\n"}, "can't be searched"),
    "no folder": ({"list": b"TAG OK none\r\n"}, "create_folder"),
    "signing in": ({"authenticate": b"TAG NO [AUTHENTICATIONFAILED] wrong\r\n"}, "refused the sign-in"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_told_with_its_cure(case: str) -> None:
    """Once, without a second try, and without the server's control characters."""
    script, said = REFUSALS[case]
    with ImapServer(at=script, users=USERS, capabilities=()) as server:
        [copy] = file(server)
    assert copy.state is CopyState.FAILED
    assert said in str(copy)
    assert server.connections == 1
    assert "\x1b" not in str(copy)


def test_a_server_that_is_down_is_not_waited_for_by_each_message() -> None:
    """The next minute it is not tried again."""
    with ImapServer(at={"greeting": silence}, users=USERS) as server:
        first, *rest = file(server, 20)
    assert server.connections == 1
    assert "in time" in first.detail
    assert all("not tried again" in copy.detail for copy in rest)


def test_a_connection_that_rested_too_long_is_replaced() -> None:
    """The server has closed it meanwhile: the copy goes over another."""
    with ImapServer(at={"noop": nth(1, cut)}, users=USERS) as server:
        filing = copies(server)
        other = attrs.evolve(SUBMISSION, message_id="<2@acme.example>")
        states = [filing.file(one).state for one in (SUBMISSION, other)]
        filing.close()
    assert states == [CopyState.FILED, CopyState.FILED]
    assert server.connections == 2


@pytest.mark.parametrize("folder", ["", "Archiv/Verschickt & mehr/Zürich"])
def test_a_missing_folder_is_created_where_that_is_wanted(folder: str) -> None:
    """With the mark where it is the one for sent mail; a named one goes by modified UTF-7."""
    with ImapServer(users=USERS, folders={"INBOX": ""}, capabilities=CREATABLE) as server:
        [copy] = file(server, folder=folder, create_folder=True)
    wire = "Archiv/Verschickt &- mehr/Z&APw-rich" if folder else "Sent"
    assert copy.where == f"{folder or 'Sent'} at 127.0.0.1"
    assert server.folders[wire] == [WITH_BCC]
    assert server.flags[wire] == ("" if folder else r"\Sent")


def test_a_folder_that_vanishes_is_created_again_on_trycreate() -> None:
    """What is open may be gone when the copy comes."""
    with ImapServer(at={"append": nth(1, b"TAG NO [TRYCREATE] gone\r\n")}, users=USERS) as server:
        [copy] = file(server, create_folder=True)
    assert copy.state is CopyState.FILED
    assert server.reached["create"] == 1


def test_nothing_is_created_unasked() -> None:
    with ImapServer(users=USERS, folders={"INBOX": ""}) as server:
        [copy] = file(server, folder="Sent/2026")
    assert copy.state is CopyState.FAILED
    assert server.heard(b"CREATE") == []
    assert list(server.folders) == ["INBOX"]


def test_a_secret_that_a_mailbox_repeats_is_not_told() -> None:
    """Nor one in an error that nobody foresaw."""

    class Redacts(Known):
        def redact(self, text: str) -> str:
            return text.replace(PASSWORD, "[secret]")

    with ImapServer(at={"append": f"TAG NO no {PASSWORD}\r\n".encode()}, users=USERS) as server:
        [copy] = file(server, credentials=Redacts())
    assert copy.detail == '127.0.0.1 refused the copy: "no [secret]".'


def test_an_error_that_nobody_foresaw_is_no_error_of_the_send() -> None:
    """The message was accepted, whatever breaks here; its text is not told."""

    class Breaks(Known):
        def secret(self, name: str) -> str:
            raise RuntimeError(PASSWORD)

    with ImapServer(users=USERS) as server:
        [copy] = file(server, credentials=Breaks())
    assert (copy.state, copy.detail) == (CopyState.FAILED, "Filing it failed with RuntimeError.")


def test_a_child_says_nothing_on_its_parents_connection() -> None:
    """It opens its own."""
    with ImapServer(users=USERS) as server:
        filing = copies(server)
        filing.file(SUBMISSION)
        filing._process = os.getpid() + 1
        assert filing.file(SUBMISSION).state is CopyState.ALREADY_THERE
        filing.close()
    assert server.connections == 2
    assert [number for number, _, line in server.log if b"LOGOUT" in line] == [2]


class TestSending:
    """The transport, with both servers."""

    def transport(self, smtp: ScriptedServer, imap: ImapServer | None, **given: Any) -> SmtpTransport:
        settings = with_copy(imap, **given) if imap else signing_in(**given)
        return SmtpTransport(attrs.evolve(settings, port=smtp.port, timeout=1.0), Known())

    def test_the_receipt_tells_of_the_copy(self) -> None:
        with (
            ScriptedServer(users=USERS) as smtp,
            ImapServer(users=USERS) as imap,
            self.transport(smtp, imap) as transport,
        ):
            receipt = transport.send(SUBMISSION, Journal())
        assert receipt.copy is not None
        assert receipt.copy.state is CopyState.FILED
        assert smtp.accepted[0].content == CONTENT
        assert imap.folders["Sent"] == [WITH_BCC]

    @pytest.mark.parametrize("fault", [cut, reset, silence, b"TAG NO no\r\n", b"what\r\n"])
    @pytest.mark.parametrize(
        "point", ["greeting", "authenticate", "examine", "search", "append", "append-end"]
    )
    def test_no_fault_of_the_mailbox_changes_the_send(self, point: str, fault: ImapScript) -> None:
        """It is accepted, once, and what became of the copy is told."""
        with (
            ScriptedServer(users=USERS) as smtp,
            ImapServer(at={point: fault}, users=USERS) as imap,
            self.transport(smtp, imap) as transport,
        ):
            receipt = transport.send(SUBMISSION, Journal())
        assert len(smtp.accepted) == 1
        assert receipt.copy is not None
        assert receipt.copy.state in {CopyState.FAILED, CopyState.UNCLEAR, CopyState.FILED}
        assert len(imap.folders["Sent"]) <= 1 or point == "append-end"

    def test_the_acceptance_is_noted_before_the_copy_is_begun(self) -> None:
        """A crash while filing is no doubt about the message."""
        journal = Journal()
        seen: list[dict[str, str]] = []

        def look(turn: Turn) -> None:
            seen.append(dict(journal.notes))
            turn.usual()

        with (
            ScriptedServer(users=USERS) as smtp,
            ImapServer(at={"greeting": look}, users=USERS) as imap,
            self.transport(smtp, imap) as transport,
        ):
            transport.send(SUBMISSION, journal)
            assert transport.find(SUBMISSION, Journal(seen[0])).state is SightingState.SENT
        assert list(seen[0]) == ["accepted"]

    def test_what_was_not_accepted_has_no_copy(self) -> None:
        """Refused, and in doubt: the mailbox is not even reached."""
        with (
            ScriptedServer(users=USERS, at={"dot": Cut()}) as smtp,
            ImapServer(users=USERS) as imap,
            self.transport(smtp, imap) as transport,
            pytest.raises(OutcomeUnknown),
        ):
            transport.send(SUBMISSION, Journal())
        assert imap.connections == 0

    def test_in_bulk_one_connection_files_each_copy(self) -> None:
        """Refused ones have none, and the answers keep their order."""
        some = [
            attrs.evolve(SUBMISSION, key=f"{n:032x}", message_id=f"<{n}@acme.example>") for n in range(2, 8)
        ]
        script = {"dot": Nth(3, Reply(550, "no"))}
        with (
            ScriptedServer(users=USERS, at=script) as smtp,
            ImapServer(users=USERS) as imap,
            self.transport(smtp, imap) as transport,
        ):
            answers = list(transport.send_many((one, Journal()) for one in some))
        kept = [one.copy.state if isinstance(one, Receipt) and one.copy else None for one in answers]
        assert kept.count(CopyState.FILED) == len(smtp.accepted)
        assert kept.count(None) == len(some) - len(smtp.accepted)
        assert imap.connections == 1

    def test_with_several_on_the_way_each_has_its_own(self) -> None:
        """By BDAT, answered in order while others wait for their answers."""
        some = [
            attrs.evolve(
                made(b"Message-ID: <%d@acme.example>\r\n\r\nx\r\n" % n, number=n),
                message_id=f"<{n}@acme.example>",
            )
            for n in range(1, 9)
        ]
        with (
            ScriptedServer(users=USERS) as smtp,
            ImapServer(users=USERS) as imap,
            self.transport(smtp, imap, chunking_window=4) as transport,
        ):
            answers = list(transport.send_many((one, Journal()) for one in some))
        assert [str(answer.copy.state.value) for answer in answers] == ["filed"] * len(some)  # type: ignore[union-attr]
        assert [answer.message_id for answer in answers] == [one.message_id for one in some]  # type: ignore[union-attr]
        assert imap.folders["Sent"] == [one.content for one in some]
        assert smtp.reached("bdat-last") == len(some)

    def test_a_provider_that_files_by_itself_gets_no_second_copy(self) -> None:
        """Gmail's host, here only named; what is set serves to look."""
        settings = attrs.evolve(with_copy(), server="smtp.gmail.com")
        copy = SmtpTransport(settings, Known())._copy(SUBMISSION, Journal(), Receipt("<1@acme.example>"))
        assert copy == Copy(CopyState.BY_CARRIER, "Gmail")
        assert SmtpTransport.describe(settings).copy == "filed by Gmail"
        assert "only serves to look" in SmtpTransport.warnings(settings)[-1]

    def test_an_account_without_the_setting_has_no_copy(self) -> None:
        with ScriptedServer(users=USERS) as smtp, self.transport(smtp, None) as transport:
            assert transport.send(SUBMISSION, Journal()).copy is None


OLD = attrs.evolve(SUBMISSION, composed_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("is_there", "server", "seconds", "state"),
    [
        (True, "smtp.gmail.com", 3600, SightingState.SENT),
        (True, "smtp.acme.example", 3600, SightingState.SENT),
        (False, "smtp.gmail.com", 3600, SightingState.ABSENT),
        (False, "smtp.gmail.com", 0, SightingState.UNCLEAR),
        (False, "smtp.acme.example", 3600, SightingState.UNCLEAR),
        (None, "smtp.gmail.com", 3600, SightingState.UNCLEAR),
        (None, "smtp.acme.example", 3600, SightingState.UNCLEAR),
    ],
)
def test_what_a_look_proves(is_there: bool | None, server: str, seconds: int, state: SightingState) -> None:
    """A hit is proof; a miss is one where the server files by itself, and later; a failed look never is (rule 21)."""
    filer = host(server) if host(server).files_copy else None
    composed_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=seconds)
    submission = attrs.evolve(SUBMISSION, composed_at=composed_at)
    found = sighting(Seen(is_there, "Sent at x", "It failed.", is_marked=True), submission, filer, 120.0)
    assert found.state is state
    assert found.is_final is (is_there is False and not filer)


@pytest.mark.parametrize(
    "fault", [cut, silence, b"TAG NO no\r\n", b"TAG OK nothing said\r\n", b"* SEARCH x\r\nTAG OK\r\n"]
)
def test_a_look_that_fails_is_unclear(fault: ImapScript) -> None:
    """Whatever the server does to it."""
    with ImapServer(at={"search": fault}, users=USERS) as server:
        transport = SmtpTransport(with_copy(server), Known())
        found = transport.find(OLD, Journal())
        transport.close()
    assert found.state is SightingState.UNCLEAR


def test_a_miss_in_a_folder_that_is_only_called_so_is_no_evidence() -> None:
    """A provider files where it says so itself; somebody else's Sent may lie beside it."""
    with ImapServer(users=USERS, folders={"INBOX": "", "Sent": ""}) as server:
        filing = copies(server)
        unmarked = filing.look(OLD)
        filing.close()
    assert (unmarked.is_there, unmarked.is_marked) == (False, False)
    assert sighting(unmarked, OLD, host("smtp.gmail.com"), 120.0).state is SightingState.UNCLEAR


def test_a_look_creates_nothing() -> None:
    with ImapServer(users=USERS, folders={"INBOX": ""}) as server:
        filing = copies(server, create_folder=True)
        assert filing.look(OLD).is_there is None
        filing.close()
    assert server.heard(b"CREATE") == []


def test_a_look_finds_the_copy_that_was_filed() -> None:
    """And says where; without anything set nobody can look."""
    with ImapServer(users=USERS) as server:
        server.folders["Sent"].append(CONTENT)
        transport = SmtpTransport(with_copy(server), Known())
        found = transport.find(OLD, Journal())
        transport.close()
    assert found.receipt is not None
    assert found.receipt.copy == Copy(CopyState.ALREADY_THERE, "Sent at 127.0.0.1")
    none: Sighting = SmtpTransport(signing_in(server="smtp.acme.example"), Known()).find(OLD, Journal())
    assert none.state is SightingState.UNCLEAR


class TestAccess:
    """Where copies go, and with whose secret."""

    def test_the_account_s_own_sign_in_is_used_where_none_is_said(self) -> None:
        access = access_of(with_copy())
        assert access is not None
        assert (access.username, access.secret, access.mechanisms[0]) == (ORDERS, "password", "SCRAM-SHA-256")
        token = access_of(with_copy(password=None, sign_in="m365"))
        assert token is not None
        assert (token.secret, token.mechanisms) == ("", ("XOAUTH2", "OAUTHBEARER"))

    def test_its_own_password_is_asked_for_by_its_own_name(self) -> None:
        with ImapServer(users=USERS) as server:
            settings = with_copy(server)
            assert settings.saved_copy is not None
            own = attrs.evolve(settings, saved_copy=attrs.evolve(settings.saved_copy, password=OWN_SECRET))
            known = Known()
            filing = Copies(own, Network(), known)
            assert filing.file(SUBMISSION).state is CopyState.FILED
            filing.close()
        assert known.asked == ["saved_copy.password"]

    def test_a_known_provider_is_looked_at_where_it_is(self) -> None:
        access = access_of(signing_in(server="smtp.gmail.com"))
        assert access is not None
        assert access.place == "imap.gmail.com:993"
        assert access_of(signing_in(server="smtp.acme.example")) is None


class TestCheck:
    """The diagnosis of the mailbox, behind that of sending."""

    def told(self, imap: ImapServer, **given: Any) -> dict[str, Level]:
        with ScriptedServer(users=USERS) as smtp:
            settings = attrs.evolve(with_copy(imap, **given), port=smtp.port)
            found = [one for one in SmtpTransport(settings, Known()).check() if one.stage == "copy"]
        assert {one.code for one in found} <= FINDINGS.keys()
        assert all(one.cure for one in found if one.level is Level.WARN)
        assert PASSWORD not in repr(found)
        return {one.code: one.level for one in found}

    def test_everything_works(self) -> None:
        with ImapServer(users=USERS) as imap:
            told = self.told(imap)
        assert list(told) == ["copy-connected", "copy-signed-in", "copy-folder", "copy-quota"]
        assert set(told.values()) == {Level.OK}
        assert imap.folders["Sent"] == []

    def test_it_warns_and_never_fails(self) -> None:
        """Copies stop no mail."""
        with ImapServer(users=USERS, quota=(990, 1000)) as imap:
            assert self.told(imap)["copy-nearly-full"] is Level.WARN
        with ImapServer(users={ORDERS: "another"}) as imap:
            assert list(self.told(imap).items())[-1] == ("copy-sign-in-refused", Level.WARN)
        with ImapServer(users=USERS, folders={"INBOX": ""}) as imap:
            assert list(self.told(imap))[-1] == "copy-folder-missing"

    def test_it_creates_nothing(self) -> None:
        with ImapServer(users=USERS, folders={"INBOX": ""}) as imap:
            assert list(self.told(imap, create_folder=True))[-1] == "copy-folder-to-come"
        assert imap.heard(b"CREATE") == []

    def test_after_a_failure_the_mailbox_is_left_alone(self) -> None:
        """A wrong password must not be tried twice as often."""
        with ImapServer(users=USERS) as imap, ScriptedServer(users={ORDERS: "another"}) as smtp:
            settings = attrs.evolve(with_copy(imap), port=smtp.port)
            found = list(SmtpTransport(settings, Known()).check())
        assert found[-1].code == "copy-not-reached"
        assert imap.connections == 0


CHILD = """
import sys
from pillarbox import Company, Mailer, MemoryDirectory, Message
from pillarbox.outbox import SqliteOutbox
smtp, imap, path = sys.argv[1:]
copy = {"server": "127.0.0.1", "port": int(imap), "encryption": "none", "username": "o", "password": {"env": "PW"}}
account = {"server": "127.0.0.1", "port": int(smtp), "encryption": "none", "authenticate": False, "saved_copy": copy}
company = Company(address="orders@acme.example", method="smtp", methods={"smtp": account}, typed_by="deployer")
mailer = Mailer(MemoryDirectory(company), outbox=SqliteOutbox(path))
if sys.stdin.readline() == "send\\n":
    mailer.send(Message(to="ap@customer.example", subject="s", text="t"))
else:
    mailer.worker().run(drain=True)
"""


def test_a_process_killed_while_it_filed_a_copy_left_no_doubt(tmp_path: Path) -> None:
    """The next worker knows from the journal that the message was accepted: nobody is asked, nothing is sent again."""
    came = threading.Event()

    def hang(turn: Turn) -> None:
        came.set()
        silence(turn)

    with ScriptedServer() as smtp, ImapServer(at={"greeting": hang}, users={"o": "pw"}) as imap:
        path = tmp_path / "outbox.sqlite3"
        command = [sys.executable, "-c", CHILD, str(smtp.port), str(imap.port), str(path)]
        tmp_path.chmod(0o700)
        start = functools.partial(
            subprocess.Popen, command, stdin=subprocess.PIPE, text=True, env={**os.environ, "PW": "pw"}
        )
        with start() as first:
            assert first.stdin is not None
            first.stdin.write("send\n")
            first.stdin.flush()
            assert came.wait(30)
            first.kill()
        with start() as second:
            second.communicate("work\n", timeout=60)
        assert second.returncode == 0
        [entry] = SqliteOutbox(path).list()
    assert entry.state is State.ACCEPTED
    assert len(smtp.accepted) == imap.connections == 1


class Renewing(Known):
    """Credentials whose token is another one after each that was refused."""

    def __init__(self, *tokens: str) -> None:
        super().__init__()
        self.tokens = list(tokens)

    def token(self, purpose: str = "send", *, host: str = "") -> str:
        if self.refused == self.tokens[0] and len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]


def filed_with(server: ImapServer, credentials: Known, times: int = 1) -> list[Copy]:
    """File a copy so many times, signed in by a connector's token, without waiting after what failed."""
    filing = copies(server, credentials, password=None, sign_in="m365")
    try:
        answers = []
        for _ in range(times):
            filing._pause = None
            answers.append(filing.file(SUBMISSION))
        return answers
    finally:
        filing.close()


def test_a_token_that_imap_refuses_is_replaced_once() -> None:
    """Another is tried on a new connection, and the copy is filed."""
    with ImapServer(users={ORDERS: "canary-new"}, mechanisms=("XOAUTH2",)) as server:
        [copy] = filed_with(server, Renewing("canary-old", "canary-new"))
        assert (copy.state, server.connections) == (CopyState.FILED, 2)


def test_no_token_that_imap_takes() -> None:
    """Two are tried, and the second no further time; a person is told to connect, and hears of no token."""
    known = Renewing("canary-1", "canary-2", "canary-3")
    with ImapServer(users={ORDERS: "canary-never"}, mechanisms=("XOAUTH2",)) as server:
        first, again = filed_with(server, known, 2)
        tried = len(server.heard(b"AUTHENTICATE"))
    assert first.state is again.state is CopyState.FAILED
    assert "connect the account again, with send and confirm" in first.cure
    assert "canary" not in repr((first, again))
    assert (tried, known.tokens[0]) == (2, "canary-2")


def test_a_connector_that_gives_imap_no_other_token() -> None:
    """The refused one is tried once."""
    with ImapServer(users={ORDERS: "canary-never"}, mechanisms=("XOAUTH2",)) as server:
        _, again = filed_with(server, Renewing("canary-1"), 2)
        assert len(server.heard(b"AUTHENTICATE")) == 1
    assert "has refused this token" in again.detail
