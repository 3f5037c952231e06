"""`pillarbox demo`: two messages leave from the right account, one is refused, and it notices when that is not so."""

from __future__ import annotations

import smtplib
import tempfile
from pathlib import Path

import attrs
import pytest

from pillarbox import NoMethod, Receipt, SendRejected
from pillarbox.cli._demo_files import PDF, write
from pillarbox.cli._demo_server import LARGEST, DemoServer, Mail
from pillarbox.cli._demo_story import WANTED, Chapter, differences, told
from tests import access, systems


@pytest.fixture
def mail_server():
    with DemoServer() as running:
        yield running


@pytest.fixture
def story(mail_server, tmp_path):
    """What the demo's story comes to, and the server it was told with."""
    config = write(tmp_path, mail_server.port, mail_server.passwords)
    return told(config, mail_server, quiet=True), mail_server


def test_the_demo_shows_why_what_and_what_arrived(command, tmp_path):
    """Exit 0, nothing on standard error, 80 columns, and nothing left behind."""
    done = command("demo", TMPDIR=str(tmp_path))
    assert (done.code, done.err) == (0, "")
    for said in (
        "  1  Anna Berg's e-mail setting is From company\n",
        "  Accepted by 127.0.0.1 as ",
        "Carl Weber can't send: their setting is Personal with method None.\n",
        "    Choose a method:   pillarbox user set carl --method smtp\n",
        "  From Anna Berg <anna@acme.example>\n",
        "       signed in as orders@acme.example, envelope sender anna@acme.example\n",
        "       signed in as otto@acme.example, envelope sender otto@acme.example\n",
        f"with invoice-1001.pdf ({len(PDF)} bytes)\n",
    ):
        assert said in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def test_the_demo_looks_well_on_a_terminal(terminal):
    """In colour where that is wanted, 80 columns without it."""
    screen = terminal("demo")
    assert screen.end() == 0, screen.shown
    assert max(map(len, screen.visible)) <= 80


def test_the_demo_tells_programs(command):
    """One document."""
    story = command("demo", "--json").json
    assert story["differences"] == []
    assert [mail["signed_in_as"] for mail in story["arrived"]] == ["orders@acme.example", "otto@acme.example"]
    assert story["results"][2]["error"]["kind"] == "NoMethod"
    assert "pillarbox user set carl" in story["results"][2]["error"]["cure"]


def test_what_is_kept_can_be_played_with(terminal, tmp_path, invoke):
    """The commands that it prints do what they say; Ctrl-C ends it and removes the settings."""
    screen = terminal("demo", "--keep", TMPDIR=str(tmp_path))
    screen.until("Ctrl-C ends it")
    config = screen.shown.partition("PILLARBOX_CONFIG=")[2].partition("\n")[0]
    port = screen.shown.partition("--port ")[2].partition(" ")[0]
    assert invoke("--config", config, "check", "otto").code == 0
    done = invoke("--config", config, "user", "set", "carl", "--method", "smtp", "--server", "127.0.0.1", "--port", port, "--encryption", "none", "--username", "carl@acme.example", "--password-file", f"{Path(config).parent}/carl.password")  # fmt: skip
    assert done.code == 0, done.err
    assert invoke("--config", config, "send", "--user", "carl", "--to", "ap@customer.example", "--subject", "Hello").code == 0  # fmt: skip
    screen.until("Hello: from Carl Weber <carl@acme.example>, signed in as carl@acme.example")
    screen.interrupt()
    assert screen.end() == 0
    assert not Path(config).exists()


def test_without_the_smtp_method_it_is_one_line(command):
    """Exit 69; where it is there and left out, that is said instead."""
    done = command("demo", PILLARBOX_PLUGINS="")
    assert (done.code, done.out) == (69, "")
    assert "Left out" in done.err


def test_all_that_is_written_is_owner_only(mail_server, tmp_path):
    """Settings and passwords; the settings hold no password."""
    config = write(tmp_path, mail_server.port, mail_server.passwords)
    assert {access.mode(path) for path in tmp_path.iterdir()} == {0o600}
    assert not any(password in config.read_text() for password in mail_server.passwords.values())


ODD = "it's [odd] # " if systems.WINDOWS else 'it\'s "odd" # '


def test_a_strange_folder_is_no_trouble(mail_server):
    """Its name stands in the settings as text."""
    with tempfile.TemporaryDirectory(prefix=ODD) as folder:
        story = told(write(Path(folder), mail_server.port, mail_server.passwords), mail_server, quiet=True)
    assert story["differences"] == []


def test_the_server_takes_nothing_without_a_sign_in(mail_server):
    """Nor with a wrong password, nor what is too large."""
    with smtplib.SMTP("127.0.0.1", mail_server.port, timeout=10) as client:
        client.ehlo()
        assert client.mail("anna@acme.example")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("otto@acme.example", "wrong")
        assert int(client.esmtp_features["size"]) == LARGEST
    assert mail_server.mails == []


def test_the_pdf_is_one(story):
    """Header, cross-reference where startxref says it is, end; and it arrived whole."""
    start = int(PDF.rpartition(b"startxref\n")[2].partition(b"\n")[0])
    assert PDF.startswith(b"%PDF-1.4\n")
    assert PDF[start : start + 5] == b"xref\n"
    for number, place in enumerate(PDF[start:].split(b"\n")[3:8], 1):
        assert PDF[int(place[:10]) :].startswith(b"%d 0 obj\n" % number)
    assert {mail.attachment_size for mail in story[1].mails} == {len(PDF)}


def chapters() -> list[Chapter]:
    """What has to become of the three."""
    sent = [Chapter(user, receipt=Receipt(f"<{user}@x>", reference=user)) for user in WANTED]
    return [*sent, Chapter("carl", error=NoMethod("None."))]


@pytest.fixture
def mails(story) -> list[Mail]:
    """What arrived, under ids that `chapters` knows."""
    assert story[0]["differences"] == []
    return [attrs.evolve(mail, queue_id=user) for user, mail in zip(WANTED, story[1].mails, strict=True)]


def test_nothing_differs_where_all_is_right(mails):
    """In whatever order they arrived."""
    assert differences(chapters(), mails) == []
    assert differences(chapters(), mails[::-1]) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shown", "Acme Ltd <orders@acme.example>"),
        ("envelope_sender", "orders@acme.example"),
        ("signed_in_as", "otto@acme.example"),
        ("subject", ""),
        ("recipients", ("ap@customer.example", "boss@acme.example")),
        ("attachment", "x.pdf"),
        ("attachment_sha256", "0"),
    ],
)
def test_what_arrived_otherwise_is_told(mails, name, value):
    """Whatever it is."""
    (said,) = differences(chapters(), [attrs.evolve(mails[0], **{name: value}), mails[1]])
    assert said.startswith(f"anna's message arrived with {name} {value!r} instead of ")


def test_what_did_not_arrive_or_twice_is_told(mails):
    """And what arrived beside it."""
    assert "arrived 0 times" in differences(chapters(), mails[1:])[0]
    assert "arrived 2 times" in differences(chapters(), [mails[0], *mails])[0]
    stray = attrs.evolve(mails[0], queue_id="stray")
    assert differences(chapters(), [*mails, stray]) == ["3 messages arrived, and had to be 2."]


def test_what_was_not_accepted_or_not_refused_is_told(mails):
    """Carl has to be refused for his method, not for anything else."""
    failed = [
        Chapter("anna", error=SendRejected("no")),
        *chapters()[1:2],
        Chapter("carl", error=SendRejected("no")),
    ]
    assert differences(failed, mails) == [
        "anna's message was not accepted: no",
        "carl, whose method is None, was not refused for it.",
    ]


def test_a_difference_makes_the_demo_fail(monkeypatch, invoke):
    """Exit 1, and it says what was different."""
    monkeypatch.setitem(WANTED["otto"], "signed_in_as", "orders@acme.example")
    done = invoke("demo")
    assert done.code == 1
    assert "Not as it has to be: otto's message arrived with signed_in_as" in done.out
