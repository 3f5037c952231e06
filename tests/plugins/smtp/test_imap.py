"""A mailbox is opened as safely as a line for sending, ends by its deadline, and reads nothing without a bound.

The table of faults follows the test cases of EAST for IMAP (starttls: D, O, B, P, L; greeting; certificates: T), and
what hostile servers can do to imaplib besides.
"""

from __future__ import annotations

import base64
import imaplib
import ssl
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from pillarbox import Network
from pillarbox.testing.imap_server import ImapScript, ImapServer, Turn, cut, drip, flood, nth, reset, silence
from pillarbox_smtp import Encryption
from pillarbox_smtp.imap import Mailbox
from pillarbox_smtp.imap_folders import Folder
from pillarbox_smtp.imap_session import Trouble
from pillarbox_smtp.imap_wire import MOST_OCTETS, Deadline
from tests import systems
from tests.plugins.smtp.givens import ORDERS, PASSWORD, TOKEN
from tests.plugins.smtp.issuing import DAY, NOW, issue
from tests.plugins.smtp.mailboxes import SHORT, USERS, opened, unopened

MESSAGE = b"Message-ID: <1@acme.example>\r\nSubject: Invoice\r\nBcc: b@customer.example\r\n\r\n.\r\n"
SENT = Folder.named("Sent")
PLAIN_OK = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n"


def enter(mailbox: Mailbox) -> None:
    """Connect and sign in."""
    mailbox.connect()
    mailbox.sign_in()


def trouble_of(server: ImapServer, **given: Any) -> Trouble:
    """Return what keeps a mailbox from being opened, within its time, and see that nothing of the password was said."""
    mailbox = unopened(server, **given)
    with pytest.raises(Trouble) as found:
        enter(mailbox)
    assert not mailbox.is_open
    assert PASSWORD not in repr(found.value.args)
    return found.value


@pytest.fixture
def tls(authority: trustme.CA, server_tls: ssl.SSLContext) -> ssl.SSLContext:
    """A server's context for 127.0.0.1."""
    return server_tls


STARTTLS_FAULTS: dict[str, tuple[dict[str, ImapScript], str]] = {
    "O_1: not offered, and refused": ({"capability": PLAIN_OK}, "copy-tls-not-offered"),
    "O_2: refused with NO": ({"starttls": b"TAG NO not now\r\n"}, "copy-tls-refused"),
    "O_3: refused with BAD": ({"starttls": b"TAG BAD what\r\n"}, "copy-tls-refused"),
    "O_4: no answer": ({"starttls": silence}, "copy-silent"),
    "D_1: answered by a close": ({"starttls": cut}, "copy-closed"),
    "D_2: answered by BYE": ({"starttls": b"* BYE go away\r\n"}, "copy-closed"),
    "D_3: answered with another tag": ({"starttls": b"X9 OK begin\r\n"}, "copy-garbage"),
    "B_1: a reply behind the answer": (
        {"starttls": b"TAG OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"},
        "copy-tls-injected",
    ),
    "B_2: half a line behind the answer": ({"starttls": b"TAG OK begin\r\nx"}, "copy-tls-injected"),
    "B_3: a sign-in behind the answer": (
        {"starttls": b"TAG OK begin\r\nTAG OK hello\r\n"},
        "copy-tls-injected",
    ),
    "P: PREAUTH": ({"greeting": b"* PREAUTH welcome\r\n"}, "copy-preauth"),
    "P_1: PREAUTH with capabilities": (
        {"greeting": b"* PREAUTH [CAPABILITY IMAP4rev1 AUTH=PLAIN] welcome\r\n"},
        "copy-preauth",
    ),
    "P_3: PREAUTH behind an ALERT": (
        {"greeting": b"* PREAUTH [ALERT] sign in elsewhere\r\n"},
        "copy-preauth",
    ),
    "the handshake is refused": ({"tls": cut}, "copy-tls-closed"),
    "the handshake never ends": ({"tls": silence}, "copy-tls-silent"),
}


@pytest.mark.parametrize("case", STARTTLS_FAULTS)
def test_a_fault_of_starttls_ends_it_before_anything_is_said(
    tls: ssl.SSLContext, ca_file: str, case: str
) -> None:
    """In clear nothing leaves but CAPABILITY and STARTTLS."""
    script, code = STARTTLS_FAULTS[case]
    with ImapServer(at=script, users=USERS, tls=tls) as server:
        found = trouble_of(server, encryption=Encryption.STARTTLS, ca_file=ca_file)
    assert found.code == code
    words = {word for line in server.clear.splitlines() for word in line.split()[1:2]}
    assert words <= {b"CAPABILITY", b"STARTTLS"}


GREETINGS: dict[str, tuple[ImapScript, str]] = {
    "no": (b"* NO no\r\n", "copy-greeting-refused"),
    "bad": (b"* BAD bad\r\n", "copy-greeting-refused"),
    "bye": (b"* BYE bye\r\n", "copy-greeting-refused"),
    "invalid": (b"220 smtp.acme.example ESMTP\r\n", "copy-garbage"),
    "tagged": (b"A1 OK hello\r\n", "copy-garbage"),
    "bare LF": (b"* OK hello\n", "copy-garbage"),
    "http": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "copy-garbage"),
    "closed": (cut, "copy-closed"),
    "reset": (reset, "copy-reset"),
    "silent": (silence, "copy-silent"),
    "dripped": (drip(), "copy-silent"),
    "an endless line": (flood(b"* OK " + b"x" * 4096), "copy-too-much"),
    "endless lines": (flood(b"* 1 EXISTS\r\n" * 500), "copy-greeting-refused"),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=systems.resets if case == "reset" else ()) for case in GREETINGS]
)
def test_a_fault_of_the_greeting_ends_it(case: str) -> None:
    """No sign-in follows."""
    script, code = GREETINGS[case]
    with ImapServer(at={"greeting": script}, users=USERS) as server:
        found = trouble_of(server).code
    assert found == code or (script is reset and found == "copy-unreachable")  # the reset may come first
    assert server.heard(b"AUTH") == []


FAULTS: dict[str, ImapScript] = {
    "silent": silence,
    "dripped": drip(),
    "dripped literal": drip(b"* LIST () {4}\r\nSent\r\n"),
    "closed": cut,
    "reset": reset,
    "bye": b"* BYE [UNAVAILABLE] going down\r\n",
    "garbage": b"220 what\r\n",
    "another tag": b"X9 OK done\r\n",
    "a huge literal": b"* LIST () {99999999999}\r\n",
    "an absurd literal": b"* LIST () {" + b"9" * 5000 + b"}\r\n",
    "a long line": b"* OK " + b"x" * 100_000 + b"\r\n",
    "endless lines": flood(b"* 1 EXISTS\r\n* OK [ALERT] x\r\n" * 300),
    "a bare LF": b"* OK x\nTAG OK done\n",
    "no": b"TAG NO [NONEXISTENT] no\r\n",
    "bad": b"TAG BAD what\r\n",
}
SPECIAL = {
    "silent": "copy-silent",
    "dripped": "copy-silent",
    "dripped literal": "copy-silent",
    "closed": "copy-closed",
    "reset": "copy-reset",
    "bye": "copy-closed",
    "garbage": "copy-garbage",
    "a huge literal": "copy-too-much",
    "a long line": "copy-too-much",
}
POINTS: dict[str, Callable[[Any], Any]] = {
    "list": lambda mailbox: mailbox.sent_folder(),
    "examine": lambda mailbox: mailbox.has(SENT, "<1@acme.example>"),
    "search": lambda mailbox: mailbox.has(SENT, "<1@acme.example>"),
    "append": lambda mailbox: mailbox.append(SENT, MESSAGE),
    "append-end": lambda mailbox: mailbox.append(SENT, MESSAGE),
    "create": lambda mailbox: mailbox.create("Sent/2026"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=systems.resets if fault == "reset" else ()) for fault in FAULTS]
)
@pytest.mark.parametrize("point", POINTS)
def test_every_fault_at_every_point_is_trouble_in_time(point: str, fault: str) -> None:
    """Never another exception, never a wait beyond the deadline, and a lost answer to APPEND is in doubt."""
    with ImapServer(at={point: FAULTS[fault]}, users=USERS) as server, opened(server) as mailbox:
        mailbox.deadline = Deadline(SHORT)
        with pytest.raises(Trouble) as found:
            POINTS[point](mailbox)
    answered = fault in {"no", "bad"}
    assert found.value.in_doubt is (point == "append-end" and not answered)
    assert (found.value.how is None) is answered
    assert found.value.code == SPECIAL.get(fault, found.value.code)
    assert "\x1b" not in found.value.detail


def test_what_a_server_says_is_bounded() -> None:
    """A flood is cut off after a mebibyte."""
    tracemalloc.start()
    with (
        ImapServer(at={"list": flood(b'* LIST () "/" "x"\r\n' * 100)}, users=USERS) as server,
        opened(server) as mailbox,
    ):
        mailbox.deadline = Deadline(30)
        tracemalloc.reset_peak()
        with pytest.raises(Trouble) as found:
            mailbox.sent_folder()
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.value.code == "copy-too-much"
    assert peak < 40 * MOST_OCTETS


def test_an_append_that_is_answered_before_it_was_made_is_not_believed() -> None:
    """An OK in the place of the continuation: nothing was filed."""
    with (
        ImapServer(at={"append": b"TAG OK done\r\n"}, users=USERS) as server,
        opened(server) as mailbox,
        pytest.raises(Trouble) as found,
    ):
        mailbox.append(SENT, MESSAGE)
    assert (found.value.code, found.value.in_doubt) == ("copy-garbage", False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] wrong\r\n", "copy-sign-in-refused"),
        (b"TAG NO [UNAVAILABLE] later\r\n", "copy-sign-in-unavailable"),
        (b"TAG BAD what\r\n", "copy-sign-in-refused"),
        (b"TAG OK hello\r\n", None),
        (b"TAG NO [REFERRAL imap://evil.example/] elsewhere\r\n", "copy-sign-in-refused"),
        (b"+ Zm9v\r\n+ Zm9v\r\n", "copy-sign-in-wrong"),
        (cut, "copy-closed"),
        (drip(b"+ "), "copy-silent"),
    ],
)
def test_what_a_server_says_to_a_sign_in(answer: ImapScript, code: str | None) -> None:
    """A referral is not followed (L_1), and no second mechanism is tried."""
    at = {"authenticate": answer}
    with ImapServer(at=at, users=USERS, mechanisms=("PLAIN", "LOGIN")) as server:
        if code is None:
            with opened(server) as mailbox:
                assert mailbox.is_open
        else:
            found = trouble_of(server)
            assert found.code == code
    assert len(server.heard(b"AUTHENTICATE")) == 1
    assert server.heard(b" LOGIN ") == []
    assert server.connections == 1


def test_a_referral_of_a_mailbox_is_not_followed() -> None:
    """M_1: what is said of another server is quoted, no more."""
    answer = b"TAG NO [REFERRAL imap://evil.example/Sent] elsewhere\r\n"
    with (
        ImapServer(at={"examine": answer}, users=USERS) as server,
        opened(server) as mailbox,
        pytest.raises(Trouble, match="evil") as found,
    ):
        mailbox.has(SENT, "<1@acme.example>")
    assert found.value.code == "copy-folder-missing"
    assert server.connections == 1


def test_a_refused_password_is_not_tried_again() -> None:
    """Forty copies must not lock a mailbox (rule 28)."""
    with ImapServer(users={ORDERS: "another"}) as server:
        mailbox = unopened(server)
        for _ in range(3):
            mailbox.deadline = Deadline(SHORT)
            mailbox.connect()
            with pytest.raises(Trouble) as found:
                mailbox.sign_in()
            assert found.value.code == "copy-sign-in-refused"
    assert len(server.heard(b"AUTHENTICATE")) == 1


CERTIFICATES: dict[str, tuple[dict[str, Any], str]] = {
    "T_1: for another name": ({"names": ("mail.other.example",)}, "copy-tls-wrong-name"),
    "T_2: by an unknown authority": ({}, "copy-tls-unknown-authority"),
    "T_3: expired": ({"not_before": NOW - 9 * DAY, "not_after": NOW - DAY}, "copy-tls-expired"),
    "T_4: signed by itself": ({"by": None}, "copy-tls-self-signed"),
}


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_bad_certificate_ends_it(tmp_path: Any, encryption: Encryption, case: str) -> None:
    """As for sending; nothing of the sign-in leaves."""
    given, code = CERTIFICATES[case]
    root = issue(names=(), common_name="Root", authority=True)
    known = root.pem if "T_2" not in case else issue(names=(), common_name="Other", authority=True).pem
    (tmp_path / "ca.pem").write_bytes(known)
    context = issue(**({"by": root} | given)).context(tmp_path)
    implicit = encryption is Encryption.TLS
    with ImapServer(users=USERS, tls=context, implicit_tls=implicit) as server:
        found = trouble_of(server, encryption=encryption, ca_file=str(tmp_path / "ca.pem"))
    assert found.code == code
    assert "othing left" not in found.detail
    assert server.heard(b"AUTH") == []


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
def test_a_copy_goes_under_tls(tls: ssl.SSLContext, ca_file: str, encryption: Encryption) -> None:
    """Connect, TLS, sign in, file, find: nothing of it in clear."""
    implicit = encryption is Encryption.TLS
    with (
        ImapServer(users=USERS, tls=tls, implicit_tls=implicit) as server,
        opened(server, encryption=encryption, ca_file=ca_file) as mailbox,
    ):
        folder = mailbox.sent_folder()
        assert folder is not None
        assert not mailbox.has(folder, "<1@acme.example>")
        assert mailbox.append(folder, MESSAGE) == "1"
        assert mailbox.has(folder, "<1@acme.example>")
        assert mailbox.protection.startswith("1.")
    assert server.folders["Sent"] == [MESSAGE]
    assert b"AUTH" not in server.clear


def test_no_password_goes_in_clear_to_another_machine() -> None:
    """Whatever the server offers (rule 17); the address counts, not the name."""
    with ImapServer(users=USERS) as server:
        mailbox = unopened(server)
        mailbox.access = attrs_evolve(mailbox.access, is_direct=False)
        mailbox.connect()
        with pytest.raises(Trouble) as found:
            mailbox.sign_in()
    assert found.value.code == "copy-sign-in-in-clear"
    assert server.heard(b"AUTH") == []


def attrs_evolve(value: Any, **changes: Any) -> Any:
    import attrs

    return attrs.evolve(value, **changes)


def test_a_server_that_a_person_typed_may_not_be_on_the_inside() -> None:
    """The one egress check holds for IMAP (rule 38)."""
    with ImapServer(users=USERS) as server:
        mailbox = unopened(server, network=Network(trusted=False))
        with pytest.raises(Trouble) as found:
            mailbox.connect()
        assert found.value.code == "copy-unreachable"
        assert server.connections == 0


def test_signing_in_by_the_command_where_nothing_else_is_offered() -> None:
    """LOGIN quotes what it must."""
    odd = 'a"b\\c d'
    from tests.plugins.smtp.givens import Known

    with ImapServer(users={ORDERS: odd}, mechanisms=("LOGIN",)) as server:
        mailbox = unopened(server)
        mailbox._credentials = Known(odd)
        mailbox.connect()
        mailbox.sign_in()
        assert mailbox.is_open
        mailbox.drop()


@pytest.mark.parametrize("password", ["line\r\nA9 DELETE Sent", "nul\0", "umläut"])
def test_a_password_can_inject_nothing(password: str) -> None:
    """What a quoted string can't hold is refused before anything is written."""
    from tests.plugins.smtp.givens import Known

    with ImapServer(users=USERS, mechanisms=("LOGIN",)) as server:
        mailbox = unopened(server)
        mailbox._credentials = Known(password)
        mailbox.connect()
        with pytest.raises(Trouble) as found:
            mailbox.sign_in()
    assert found.value.code == "copy-sign-in-wrong"
    assert server.heard(b"LOGIN") == server.heard(b"DELETE") == []


@pytest.mark.parametrize("mechanisms", [("CRAM-MD5",), ("XOAUTH2",)])
def test_a_mechanism_that_the_account_does_not_use(mechanisms: tuple[str, ...]) -> None:
    """With LOGINDISABLED nothing is left to try."""
    with ImapServer(users=USERS, mechanisms=mechanisms, capabilities=("LOGINDISABLED",)) as server:
        assert trouble_of(server).code == "copy-sign-in-mechanism"


def test_a_token_never_becomes_a_password() -> None:
    """An account with a connector signs in by XOAUTH2, and not at all where that is not offered."""
    with (
        ImapServer(users={ORDERS: TOKEN}, mechanisms=("PLAIN", "XOAUTH2")) as server,
        opened(server, password=None, sign_in="m365") as mailbox,
    ):
        assert mailbox.is_open
    with ImapServer(users={ORDERS: TOKEN}, mechanisms=("PLAIN",)) as server:
        mailbox = unopened(server, password=None, sign_in="m365")
        mailbox.connect()
        with pytest.raises(Trouble) as found:
            mailbox.sign_in()
    assert found.value.code == "copy-sign-in-mechanism"


def test_a_transcript_holds_no_secret_and_no_content() -> None:
    """It says that there was a sign-in, and how much content."""
    lines: list[str] = []
    with ImapServer(users=USERS) as server, opened(server, trace=lines.append) as mailbox:
        mailbox.append(SENT, MESSAGE)
    told = "\n".join(lines)
    assert PASSWORD not in told
    assert "Invoice" not in told
    assert f"[{len(MESSAGE)} octets of content]" in told
    assert "\x1b" not in told
    assert told.count("[redacted]") >= 2


def test_the_hosts_debug_switch_prints_no_password(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """Imaplib would print all that is said, the sign-in included."""
    monkeypatch.setattr(imaplib, "Debug", 9)
    with ImapServer(users=USERS) as server, opened(server) as mailbox:
        assert mailbox.sent_folder()
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_known_by_its_mark_or_by_its_name() -> None:
    """The mark counts more; what can hold no message doesn't count."""
    marked = {"INBOX": "", "Sent": "", "Archive/Versendet": r"\Sent", "Sent Items": r"\Noselect"}
    for folders, name in (
        (marked, "Archive/Versendet"),
        ({"INBOX": "", "Sent Items": ""}, "Sent Items"),
        ({"INBOX": "", "INBOX/Sent": r"\HasNoChildren"}, "INBOX/Sent"),
        ({"INBOX": "", "Deep/er/Sent": "", "Sent": r"\Noselect"}, None),
    ):
        for capabilities in (("SPECIAL-USE",), ()):
            with (
                ImapServer(users=USERS, folders=folders, capabilities=capabilities) as server,
                opened(server) as mailbox,
            ):
                found = mailbox.sent_folder()
            assert (found.name if found else None) == name


def test_a_folder_is_created_marked_or_below_the_inbox() -> None:
    """Some servers want every folder there."""

    def refuse_top(turn: Turn) -> None:
        if turn.number == 1:
            turn.say(b"TAG NO only below INBOX\r\n")
        else:
            turn.usual()

    capabilities = ("CREATE-SPECIAL-USE", "SPECIAL-USE")
    at = {"create": refuse_top}
    with (
        ImapServer(at=at, users=USERS, folders={"INBOX": ""}, capabilities=capabilities) as server,
        opened(server) as mailbox,
    ):
        assert mailbox.create().name == "INBOX/Sent"
    assert server.flags == {"INBOX": "", "INBOX/Sent": r"\Sent"}


def test_a_search_that_is_not_answered_is_no_miss() -> None:
    """OK without a result, or with nonsense, proves nothing."""
    for answer in (b"TAG OK done\r\n", b"* SEARCH many\r\nTAG OK done\r\n"):
        with (
            ImapServer(at={"search": answer}, users=USERS) as server,
            opened(server) as mailbox,
            pytest.raises(Trouble) as found,
        ):
            mailbox.has(SENT, "<1@acme.example>")
        assert found.value.code == "copy-search-refused"


def test_a_result_that_came_unasked_is_not_the_answer() -> None:
    """Said with the folder, it is forgotten before the search."""
    answer = b"* SEARCH 1\r\n* 0 EXISTS\r\nTAG OK done\r\n"
    with (
        ImapServer(at={"examine": answer, "search": b"* SEARCH\r\nTAG OK done\r\n"}, users=USERS) as server,
        opened(server) as mailbox,
    ):
        assert not mailbox.has(SENT, "<1@acme.example>")


def test_the_name_that_outlook_keeps_is_searched_too() -> None:
    """It replaces the Message-ID and keeps ours in a field of its own."""
    kept = b"Message-ID: <new@outlook.example>\r\nX-Microsoft-Original-Message-ID: <1@acme.example>\r\n\r\n"
    with ImapServer(users=USERS) as server, opened(server) as mailbox:
        server.folders["Sent"].append(kept)
        assert mailbox.has(SENT, "<1@acme.example>")


def test_a_quota_is_told_where_the_server_tells_it() -> None:
    with ImapServer(users=USERS, quota=(990, 1000)) as server, opened(server) as mailbox:
        assert mailbox.quota(SENT) == (990, 1000)
    with ImapServer(users=USERS, capabilities=()) as server, opened(server) as mailbox:
        assert mailbox.quota(SENT) is None


def test_nth_and_the_usual_take_turns() -> None:
    """The scripted server itself: only the second NOOP is refused."""
    with ImapServer(at={"noop": nth(2, b"TAG NO no\r\n")}, users=USERS) as server, opened(server) as mailbox:
        mailbox.look_into(SENT)
        mailbox.look_into(SENT)
        mailbox.look_into(SENT)
    assert server.reached["noop"] == 2


@pytest.mark.parametrize("point", ["authenticate", "list", "search", "append"])
def test_a_secret_that_a_server_repeats_is_blanked(point: str) -> None:
    """In any form that it went over the wire, in what is told and in the transcript."""
    lines: list[str] = []
    sent = base64.b64encode(f"\0{ORDERS}\0{PASSWORD}".encode()).decode()
    answer = f"* OK {PASSWORD} {sent}\r\nTAG NO {PASSWORD} {sent}\r\n".encode()

    def repeat(turn: Turn) -> None:
        if point == "authenticate":
            turn.say(b"+ \r\n")
        turn.say(answer)

    with ImapServer(at={point: repeat}, users=USERS, capabilities=()) as server:
        mailbox = unopened(server, trace=lines.append)
        with pytest.raises(Trouble) as found:
            everything(mailbox)
        mailbox.drop()
    told = "\n".join([*lines, found.value.detail])
    assert "[secret]" in told
    assert PASSWORD not in told
    assert sent not in told


def everything(mailbox: Mailbox) -> None:
    """Do all that a copy needs."""
    enter(mailbox)
    mailbox.sent_folder()
    mailbox.has(SENT, "<1@acme.example>")
    mailbox.append(SENT, MESSAGE)
