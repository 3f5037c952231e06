"""explain, check, send, demo, methods: what people look at."""

from __future__ import annotations

import pytest

from pillarbox.testing.smtp_server import ByAddress, Reply, ScriptedServer

from .conftest import COMPANY, write


def test_explain_says_whose_account_which_address_and_why(command, settings, server):
    """Numbered reasons with their sources."""
    done = command("explain", "anna")
    assert done.out.startswith("Anna Berg <anna@acme.example> sends through the company's SMTP account.\n")
    assert "  1  Anna Berg's e-mail setting is From company   users.anna.settings\n" in done.out
    assert "rule: company SMTP, From = user" in done.out
    assert f"Sent by   127.0.0.1:{server.port}, in clear" in done.out


def test_explain_as_json_holds_the_whole_route(command, settings):
    """And no settings beyond the account's name."""
    route = command("explain", "anna", "--json").json
    assert route["account"] == {"owner": "company", "method": "smtp", "mailbox": "orders@acme.example", "signs_in_as": "orders@acme.example"}  # fmt: skip
    assert route["from"] == {"address": "anna@acme.example", "name": "Anna Berg"}
    assert [reason["source"] for reason in route["reasons"]][-1].startswith("rule:")


def test_explain_of_a_refusal_says_how_to_mend_it(command, settings):
    """Both ways."""
    done = command("explain", "carl")
    assert done.code == 78
    assert "pillarbox user set carl --method smtp" in done.err
    assert "pillarbox user set carl --settings company" in done.err


def test_check_tells_each_stage(command, settings):
    """In order, nothing sent."""
    done = command("check", "anna", "--json")
    assert done.code == 0
    stages = [finding["stage"] for finding in done.json]
    assert stages == [
        "settings",
        "dns",
        "connect",
        "tls",
        "greeting",
        "sign-in",
        "sender",
        "recipient",
        "reset",
    ]


def test_check_ends_with_the_code_of_its_first_failing_stage(command, tmp_path):
    """And skips what it could not reach."""
    with ScriptedServer(at={"mail": Reply(553, "5.7.1 not yours")}) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = command("check", "anna")
    assert done.code == 65
    assert "  fail  sender" in done.out
    assert "  skip  recipient" in done.out
    assert server.accepted == []


def test_a_transcript_is_kept_without_secrets_and_overwrites_nothing(command, tmp_path, monkeypatch):
    """Each line with its time; the sign-in redacted."""
    with ScriptedServer(users={"orders@acme.example": "hunter2"}) as server:
        text = COMPANY.format(port=server.port).replace(
            "authenticate = false", 'username = "orders@acme.example"\npassword = { env = "PW" }'
        )
        write(tmp_path, text)
        arguments = [
            "send",
            "--user",
            "anna",
            "--to",
            "a@b.example",
            "--subject",
            "s",
            "--transcript",
            "talk.txt",
        ]
        assert command(*arguments, PW="hunter2").code == 0
        assert command(*arguments, PW="hunter2").code == 78
    talk = (tmp_path / "talk.txt").read_text()
    assert "C: AUTH PLAIN [redacted]" in talk
    assert "S: 250" in talk
    assert "hunter2" not in talk
    assert "aHVudGVyMg" not in talk


def test_send_says_what_the_server_said(command, settings, server, tmp_path):
    """Accepted by whom, as what, showing whom; with the file that was attached."""
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.4")
    done = command("send", "--user", "anna", "--to", "ap@customer.example", "--bcc", "boss@acme.example", "--subject", "Invoice", "--text", "-", "--attach", "invoice.pdf", stdin="Grüße\n")  # fmt: skip
    assert done.code == 0, done.err
    assert done.out.startswith("Accepted by 127.0.0.1 as scripted-1 (")
    assert done.out.endswith("Shows Anna Berg <anna@acme.example>.\n")
    (mail,) = server.accepted
    assert [path.address for path in mail.recipients] == ["ap@customer.example", "boss@acme.example"]
    assert b"invoice.pdf" in mail.content
    assert b"boss" not in mail.content


def test_a_partly_refused_message_is_sent_and_told(command, tmp_path):
    """Exit 0, and a line for who was refused."""
    script = {"rcpt": ByAddress({"b@customer.example": Reply(550, "5.1.1 no such user")})}
    with ScriptedServer(at=script) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = command(
            "send",
            "--user",
            "anna",
            "--to",
            "a@customer.example",
            "--to",
            "b@customer.example",
            "--subject",
            "s",
        )
    assert done.code == 0
    assert done.err == "b@customer.example was refused: 550 5.1.1 no such user\n"


@pytest.mark.parametrize("option", ["--attach", "--html"])
def test_a_file_that_can_not_be_read_is_66(command, settings, server, option):
    """A sentence; nothing left."""
    done = command("send", "--user", "anna", "--to", "a@b.example", "--subject", "s", option, "missing.pdf")
    assert (done.code, done.err) == (66, "missing.pdf can't be read: no such file or directory.\n")
    assert server.accepted == []


def test_mail_of_nobody_is_the_companys_and_marked(command, settings, server):
    """Rule 6."""
    assert command("send", "--to", "a@b.example", "--subject", "s").code == 0
    assert b"From: Acme Ltd <orders@acme.example>" in server.accepted[0].content
    assert b"Auto-Submitted: auto-generated" in server.accepted[0].content


def test_methods_lists_what_is_and_what_could_be(command):
    """Without a settings file."""
    found = {one["name"]: one for one in command("methods", "--json").json}
    assert (found["smtp"]["label"], found["smtp"]["problem"]) == ("SMTP", "")
    assert "pip install pillarbox-m365" in found["m365"]["problem"]
    assert "pillarbox-gmail" in command("methods").out


def test_the_demo_shows_two_that_leave_and_one_that_is_refused(command):
    """And says so only when it is true."""
    done = command("demo")
    assert (done.code, done.err) == (0, "")
    assert "From Anna Berg <anna@acme.example>" in done.out
    assert "signed in as orders@acme.example, envelope sender anna@acme.example" in done.out
    assert "Carl Weber can't send" in done.out
    assert all(len(line) <= 100 for line in done.out.splitlines())


def test_the_demo_tells_a_program_too(command):
    """One document."""
    story = command("demo", "--json").json
    assert story["differences"] == []
    assert [mail["signed_in_as"] for mail in story["arrived"]] == ["orders@acme.example", "otto@acme.example"]
    assert story["results"][2]["error"]["kind"] == "NoMethod"
