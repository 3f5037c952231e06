"""A nested table of settings on the command line, and what `send` tells of a sent copy."""

from __future__ import annotations

import tomllib

import pytest

from pillarbox.testing.imap_server import ImapServer

TO = ["--to", "ap@customer.example", "--subject", "Invoice", "--text", "x"]
IMAP = [
    "--saved-copy-server",
    "127.0.0.1",
    "--saved-copy-encryption",
    "none",
    "--saved-copy-username",
    "orders",
]


@pytest.fixture
def imap(invoke, settings, monkeypatch):
    """A mailbox that the company's copies go to."""
    monkeypatch.setenv("PW", "pw")
    with ImapServer(users={"orders": "pw"}) as server:
        port = ["--saved-copy-port", str(server.port), "--saved-copy-password-env", "PW"]
        assert invoke("company", "set", *IMAP, *port).code == 0
        yield server


def saved(settings):
    return tomllib.loads(settings.read_text("utf-8"))["company"]["smtp"].get("saved_copy")


def test_a_nested_table_is_set_and_unset_by_its_fields(invoke, settings, imap):
    """By options of their own, and by their dotted names; nothing else changes."""
    assert saved(settings) == {
        "server": "127.0.0.1", "encryption": "none", "port": imap.port, "username": "orders", "password": {"env": "PW"},
    }  # fmt: skip
    assert invoke("company", "set", "--set", "saved_copy.folder=Sent").code == 0
    assert saved(settings)["folder"] == "Sent"
    assert invoke("company", "set", "--unset", "saved_copy.folder").code == 0
    assert "folder" not in saved(settings)
    assert invoke("company", "set", "--unset", "saved_copy").code == 0
    assert saved(settings) is None
    assert "# this machine" in settings.read_text("utf-8")


def test_what_is_wrong_in_a_nested_table_is_told_at_its_place(invoke, settings):
    done = invoke("company", "set", "--set", "saved_copy.sever=x")
    assert done.code == 78
    assert "company.smtp.saved_copy.sever is not a setting; did you mean server?" in done.err
    assert "company.smtp.saved_copy.server is required" in done.err


def test_send_tells_of_the_copy(invoke, imap):
    """Where it is, for people and for programs."""
    done = invoke("send", *TO)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\nA copy was filed in Sent at 127.0.0.1.\n")
    copy = invoke("--json", "send", *TO).json["receipt"]["copy"]
    assert (copy["state"], copy["where"]) == ("filed", "Sent at 127.0.0.1")


def test_a_copy_that_failed_is_told_beside_the_result(invoke, imap):
    """The message was accepted: the exit code is 0."""
    imap.at["append"] = b"TAG NO [OVERQUOTA] full\r\n"
    done = invoke("send", *TO)
    assert done.code == 0
    assert "Accepted by 127.0.0.1" in done.out
    assert "A copy" not in done.out
    assert "No copy was filed in Sent at 127.0.0.1." in done.err
    assert "The mailbox is full" in done.err


def test_explain_and_check_tell_where_copies_go(invoke, imap):
    assert f"Copy      filed in Sent at 127.0.0.1:{imap.port}, by IMAP" in invoke("explain").out
    done = invoke("check")
    assert done.code == 0
    assert done.out.count("\n  ok    copy ") == 4


def test_a_new_place_for_copies_wants_the_password_again(invoke, settings):
    """The vault released it to the server for sending alone; one of the mailbox's own has an entry of its own."""
    assert invoke("vault", "init", "--key-file", "vault.key").code == 0
    own = ["--authenticate", "--username", "orders@acme.example", "--password"]
    assert invoke("company", "set", *own, stdin="pw\n").code == 0
    moved = invoke("company", "set", "--saved-copy-server", "imap.acme.example", "--json").json
    assert moved["warnings"] == [
        "The vault holds no password for these settings. Enter it: pillarbox company set --password"
    ]
    kept = invoke("company", "set", "--saved-copy-password", "--json", stdin="pw2\n").json
    assert kept["warnings"] == []
    assert saved(settings)["password"] == {"vault": "smtp-saved-copy-password"}
