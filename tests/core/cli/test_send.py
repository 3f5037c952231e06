"""`pillarbox send`: one message, and what became of it."""

from __future__ import annotations

import pytest

from pillarbox.testing.smtp_server import ByAddress, Reply, ScriptedServer, Silence
from tests import systems

from .conftest import COMPANY, write

TO = ["--to", "ap@customer.example", "--subject", "Invoice"]


def test_send_says_what_the_server_said(command, settings, server, tmp_path):
    """Accepted by whom, as what, showing whom; with the file that was attached, and nothing of Bcc."""
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.4")
    done = command("send", "--user", "anna", *TO, "--bcc", "boss@acme.example", "--text", "-", "--attach", "invoice.pdf", stdin="Grüße\n")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Accepted by 127.0.0.1 as scripted-1 (")
    assert done.out.endswith("Shows Anna Berg <anna@acme.example>.\n")
    (mail,) = server.accepted
    assert [path.address for path in mail.recipients] == ["ap@customer.example", "boss@acme.example"]
    assert b"invoice.pdf" in mail.content
    assert b"boss" not in mail.content


def test_a_message_has_all_that_was_given(invoke, settings, server, tmp_path):
    """Cc, Reply-To, headers, text and HTML."""
    (tmp_path / "body.html").write_text("\ufeff<p>Hello</p>", "utf-8")
    done = invoke("send", "--user", "anna", *TO, "--cc", "cc@customer.example", "--reply-to", "office@acme.example", "--header", "X-Invoice: 1001", "--text", "Hello", "--html", "body.html")  # fmt: skip
    assert done.code == 0, done.err
    content = server.accepted[0].content
    for part in (
        b"Cc: cc@customer.example",
        b"Reply-To: office@acme.example",
        b"X-Invoice: 1001",
        b"<p>Hello</p>",
    ):
        assert part in content
    assert b"\xef\xbb\xbf" not in content


def test_send_tells_programs(invoke, settings):
    """Receipt, route and seconds."""
    story = invoke("send", "--user", "anna", *TO, "--json").json
    assert story["receipt"]["recipients"]["ap@customer.example"]["state"] == "accepted"
    assert story["route"]["from"]["address"] == "anna@acme.example"
    assert story["seconds"] >= 0


def test_a_partly_refused_message_is_sent_and_told(invoke, tmp_path):
    """Exit 0, and a line for who was refused."""
    script = {"rcpt": ByAddress({"b@customer.example": Reply(550, "5.1.1 no such user")})}
    with ScriptedServer(at=script) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = invoke("send", "--user", "anna", *TO, "--to", "b@customer.example")
    assert done.code == 0
    assert done.out.startswith("Accepted by ")
    assert done.err == "b@customer.example was refused: 550 5.1.1 no such user\n"


@pytest.mark.parametrize("option", ["--attach", "--html"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_that_can_not_be_read_is_66(invoke, settings, server, option, as_json):
    """A sentence, or a document; nothing left."""
    done = invoke("send", "--user", "anna", *TO, option, "missing.pdf", *(["--json"] if as_json else []))
    said = done.json["error"]["detail"] if as_json else done.err.strip()
    assert (done.code, said) == (66, "missing.pdf can't be read: no such file or directory.")
    assert server.accepted == []


def test_a_folder_is_no_attachment(invoke, settings, tmp_path):
    """Nor is a name that no file can have."""
    said = "permission denied" if systems.WINDOWS else "is a directory"
    assert invoke("send", *TO, "--attach", str(tmp_path)).err == f"{tmp_path} can't be read: {said}.\n"
    assert invoke("send", *TO, "--attach", "a\0b").code == 66


def test_text_has_to_be_text(invoke, settings, tmp_path, server):
    """UTF-8, from a pipe and from a file."""
    (tmp_path / "body.html").write_bytes(b"\xff")
    assert invoke("send", *TO, "--text", "-", stdin=b"\xff").err == "Standard input is not UTF-8 text.\n"
    done = invoke("send", *TO, "--html", "body.html")
    assert (done.code, done.err) == (66, "body.html is not UTF-8 text.\n")
    assert server.accepted == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--subject", "s"], "Name a recipient: --to ADDRESS."),
        ([*TO, "--header", "nothing"], "--header takes 'NAME: VALUE', not 'nothing'."),
        ([*TO, "--deadline", "0"], "not in the range"),
    ],
)
def test_a_call_that_can_not_be_meant_is_64(invoke, settings, arguments, said):
    """Before the settings are looked at."""
    done = invoke("send", *arguments)
    assert (done.code, said in done.err) == (64, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "nonsense"],
        ["--to", "a@b.example", "--header", "Subject: x"],
        ["--to", "a@b.example", "--header", "X: a\nb"],
    ],
)
def test_a_message_that_can_not_be_is_65(invoke, settings, server, arguments):
    """Nothing left."""
    assert invoke("send", "--subject", "s", *arguments).code == 65
    assert server.accepted == []


def test_mail_of_nobody_is_the_companys_and_marked(invoke, settings, server):
    """Rule 6."""
    assert invoke("send", *TO).code == 0
    assert b"From: Acme Ltd <orders@acme.example>" in server.accepted[0].content
    assert b"Auto-Submitted: auto-generated" in server.accepted[0].content


def test_a_deadline_that_passes_before_the_hand_over_is_75(command, tmp_path):
    """Nothing left."""
    with ScriptedServer(at={"greeting": Silence()}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = command("send", "--user", "anna", *TO, "--deadline", "0.3")
    assert (done.code, "nothing left" in done.err) == (75, True)


def test_leaving_while_it_is_sent_tells_the_truth(terminal, tmp_path):
    """A terminal shows that it is going on; Ctrl-C is 130, and the outcome is not known."""
    with ScriptedServer(at={"dot": Silence()}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        screen = terminal("send", "--user", "anna", *TO)
        screen.until("Sending ...")
        screen.interrupt()
        assert screen.end() == 130
    assert "whether the message left is not known" in screen.shown


def test_a_transcript_is_kept_without_secrets_and_overwrites_nothing(invoke, tmp_path, monkeypatch):
    """The sign-in redacted."""
    monkeypatch.setenv("PW", "hunter2")
    with ScriptedServer(users={"orders@acme.example": "hunter2"}) as server:
        sign_in = 'username = "orders@acme.example"\npassword = { env = "PW" }'
        write(tmp_path, COMPANY.format(port=server.port).replace("authenticate = false", sign_in))
        assert invoke("send", "--user", "anna", *TO, "--transcript", "talk.txt").code == 0
        assert invoke("send", "--user", "anna", *TO, "--transcript", "talk.txt").code == 78
    talk = (tmp_path / "talk.txt").read_text()
    assert "C: AUTH PLAIN [redacted]" in talk
    assert "S: 250" in talk
    assert "hunter2" not in talk
    assert "aHVudGVyMg" not in talk
    assert len(server.accepted) == 1


def test_the_connection_is_left_politely(command, settings, server):
    """QUIT, so that a server's log has nothing to complain of."""
    assert command("send", "--user", "anna", *TO).code == 0
    server.drain()
    assert server.reached("quit") == 1
