"""`pillarbox outbox`: what is listed, what one mail's slip says, and what a person decides."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from pillarbox import Mailer, State
from pillarbox._outbox import steps
from pillarbox.outbox import Step
from pillarbox.testing.smtp_server import ByAddress, Reply, ScriptedServer

from .conftest import COMPANY, write

TO = ["--to", "ap@customer.example", "--subject", "Invoice 1001"]


@pytest.fixture
def queued(invoke, settings):
    """Return what keeps a mail of Anna's and returns its key."""

    def queue(*more):
        done = invoke("send", "--user", "anna", *TO, "--queue", *more, "--json")
        assert done.code == 0, done.err
        return done.json["entry"]["key"]

    return queue


def in_doubt(settings, key):
    """Let *key* have been handed over, with no answer."""
    with Mailer.open(settings) as mailer:
        outbox = mailer.queue
        from pillarbox.outbox import Wanted

        (entry,) = outbox.claim(Wanted(worker=outbox.enter("worker")))
        unknown = Step(
            key=key,
            come_from=frozenset({State.ATTEMPTING}),
            state=State.UNKNOWN,
            fence=entry.fence,
            reason="The line broke.",
        )
        assert outbox.take([steps.attempting(entry), unknown]) == [True, True]


def held(settings, key):
    """Let *key* wait for a person, since nobody could look."""
    in_doubt(settings, key)
    with Mailer.open(settings) as mailer:
        entry = mailer.queue.known(key)
        mailer.queue.take([steps.looked_in_vain(entry, "Nobody can look.")])


def test_a_queued_mail_is_kept_until_a_worker_comes(invoke, settings, server):
    """And its key is printed."""
    done = invoke("send", "--user", "anna", *TO, "--queue")
    assert done.out.startswith("Queued as ")
    assert server.accepted == []
    assert invoke("worker", "--drain").code == 0
    assert len(server.accepted) == 1


def test_the_hosts_key_keeps_a_mail_once(queued, invoke):
    """And what belongs to the outbox alone is refused without it."""
    assert queued("--key", "INV-1001") == queued("--key", "INV-1001")
    assert invoke("send", *TO, "--key", "x").code == 64
    assert invoke("send", *TO, "--queue", "--deadline", "3").code == 64


def test_a_scheduled_mail_waits(queued, invoke, settings, server):
    """Until its time."""
    queued("--not-before", "2h", "--priority", "3")
    assert invoke("worker", "--drain").code == 0
    assert server.accepted == []


def test_the_list_says_what_waits_and_why(queued, invoke, settings):
    """The newest first, with what can be done about it."""
    key = queued("--reference", "INV-1001")
    held(settings, key)
    done = invoke("outbox")
    assert done.out.splitlines()[0] == "  held 1"
    assert f"held       {key[:8]}" in done.out
    assert "INV-1001 Invoice 1001 to ap@customer.example" in done.out
    assert "It may have been sent, or not. Nobody can look." in done.out
    assert f"Settle it: pillarbox outbox settle {key[:8]} --sent | --not-sent" in done.out


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--to", "customer"], 2),
        (["--to", "nobody"], 0),
        (["--reference", "INV-1"], 1),
        (["--since", "1h"], 2),
        (["--until", "1h"], 0),
        (["--since", "today"], 2),
        (["--state", "queued", "--state", "held"], 2),
        (["--state", "rejected"], 0),
        (["--account", "company"], 2),
        (["--account", "company/company/smtp", "--user", "anna"], 2),
        (["--user", "carl"], 0),
        (["--limit", "1"], 1),
    ],
)
def test_every_search_narrows(queued, invoke, options, count):
    """Alone, and together."""
    queued("--reference", "INV-1"), queued()
    assert len(invoke("outbox", *options, "--json").json) == count
    assert len(invoke("outbox", "list", *options, "--json").json) == count


def test_a_page_ends_with_the_next(queued, invoke):
    """`--before` goes on where it ended."""
    first, second = queued(), queued()
    done = invoke("outbox", "--limit", "1")
    assert f"--before {second[:8]}" in done.err
    (row,) = invoke("outbox", "--before", second[:8], "--json").json
    assert row["key"] == first


def test_without_an_outbox_nothing_is_made(invoke, settings, tmp_path):
    """A look leaves no file."""
    assert invoke("outbox").out.startswith("Nothing was kept so far.")
    assert invoke("outbox", "show", "8f3c1a2b").code == 65
    assert not (tmp_path / "pillarbox.outbox.sqlite3").exists()


def test_a_document_number_names_a_mail(queued, invoke):
    """As long as only one has it."""
    key = queued("--reference", "INV-1001")
    assert invoke("outbox", "show", "INV-1001", "--json").json["key"] == key
    other = queued("--reference", "INV-1001")
    done = invoke("outbox", "cancel", "INV-1001")
    assert done.code == 65
    assert f"Name one by its key: {other[:8]}, {key[:8]}." in done.err


def test_nothing_that_was_written_steers_the_terminal(queued, invoke, settings):
    """A reason and a scope are anybody's text."""
    evil = "\x1b[2J\u202e\x07"
    key = queued()
    invoke("outbox", "pause", "--company", "--reason", f"look {evil}")
    invoke("outbox", "hold", key, "--reason", f"held {evil}")
    shown = [
        invoke(*words)
        for words in (
            ("outbox",),
            ("outbox", "show", key),
            ("outbox", "retry", key),
            ("outbox", "resume", f"user:{evil}"),
            ("status",),
            ("status", "anna"),
        )
    ]
    for done in shown:
        assert not {"\x1b", "\u202e", "\x07"} & set(done.out + done.err)


def test_a_file_that_is_no_database_is_told(queued, invoke, tmp_path):
    """With what to do, instead of a traceback."""
    queued()
    (tmp_path / "pillarbox.outbox.sqlite3").write_bytes(b"no database" * 1000)
    done = invoke("outbox")
    assert done.code == 74
    assert "can't be read or written: file is not a database." in done.err
    assert invoke("worker", "--drain", "--json").json["error"]["exit"] == 74


def test_a_mistake_is_told(queued, invoke):
    """No such entry, no such moment, no such account."""
    queued()
    assert "Run: pillarbox outbox" in invoke("outbox", "show", "ffffffffff").err
    assert invoke("outbox", "--since", "soon").code == 64
    assert invoke("outbox", "--account", "ann").code == 64
    assert invoke("outbox", "settle", "ffffffff").code == 64


def test_the_slip_tells_all_that_is_known(invoke, settings, server, tmp_path):
    """When, from where, to whom with the server's words, what was attached; and what it does not prove."""
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF")
    done = invoke("send", "--user", "anna", *TO, "--attach", "invoice.pdf", "--queue", "--json")
    key = done.json["entry"]["key"]
    invoke("worker", "--drain")
    shown = invoke("outbox", "show", key[:8]).out
    assert shown.startswith("Invoice 1001: accepted")
    for part in (
        "anna@acme.example",
        "orders@acme.example by smtp",
        "ap@customer.example  accepted",
        "scripted-1",
        "in clear",
        f"<{key}@acme.example>",
        f"invoice.pdf  4 octets, SHA-256 {hashlib.sha256(b'%PDF').hexdigest()}",
        "put into the outbox",
        "says nothing of whether it reached a mailbox or was read",
    ):
        assert part in shown, part


def test_the_slip_says_what_was_said_of_each_recipient(invoke, tmp_path):
    """In the server's own words."""
    script = {"rcpt": ByAddress({"gone@customer.example": Reply(550, "5.1.1 no such user here")})}
    with ScriptedServer(at=script) as server:
        write(tmp_path, COMPANY.format(port=server.port))
        done = invoke("send", "--user", "anna", *TO, "--cc", "gone@customer.example", "--queue", "--json")
        key = done.json["entry"]["key"]
        invoke("worker", "--drain")
    assert "gone@customer.example  refused: 550 5.1.1 no such user here" in invoke("outbox", "show", key).out


def test_the_page_for_paper_is_escaped_and_runs_nothing(invoke, settings, tmp_path):
    """A subject is anybody's text."""
    done = invoke("send", "--user", "anna", "--to", "ap@customer.example", "--subject", "<script>alert(1)</script>", "--queue", "--json")  # fmt: skip
    key = done.json["entry"]["key"]
    assert invoke("outbox", "show", key, "--html", "slip.html").err == "Written to slip.html.\n"
    page = (tmp_path / "slip.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert invoke("outbox", "show", key, "--html", "slip.html").code == 78


def test_a_held_mail_is_settled_by_what_was_found_out(queued, invoke, settings):
    """Sent is an end; so is not sent, which offers to send it again."""
    sent, lost = queued(), queued()
    for key in (sent, lost):
        held(settings, key)
    assert invoke("outbox", "settle", sent, "--sent", "--reason", "the customer has it").code == 0
    done = invoke("outbox", "settle", lost[:8], "--not-sent")
    assert done.out == f"{lost} is settled as not sent. Send it again: pillarbox outbox again {lost[:8]}\n"
    states = {row["key"]: row["state"] for row in invoke("outbox", "--json").json}
    assert states == {sent: "accepted", lost: "cancelled"}
    assert "the customer has it" in invoke("outbox", "show", sent).out


def test_one_in_doubt_can_be_settled_as_not_sent(queued, invoke, settings):
    """By way of being held."""
    key = queued()
    in_doubt(settings, key)
    assert invoke("outbox", "settle", key, "--not-sent", "--json").json["state"] == "cancelled"


def test_a_retry_of_a_held_one_asks_first(queued, invoke, settings):
    """It might be sent twice."""
    key = queued()
    held(settings, key)
    done = invoke("outbox", "retry", key, stdin="n\n")
    assert (done.code, "Nothing was changed." in done.err) == (130, True)
    assert "may have been sent already" in done.err
    assert invoke("outbox", "retry", key, "--yes", "--json").json["state"] == "queued"


def test_cancel_and_hold(queued, invoke, server):
    """What a person took out does not leave; what ended can't be taken out."""
    key = queued()
    assert invoke("outbox", "hold", key, "--reason", "the customer called").code == 0
    assert (
        invoke("outbox", "cancel", key, "--reason", "wrong price").out
        == f"{key} is cancelled: it will not be sent.\n"
    )
    assert invoke("worker", "--drain").code == 0
    assert server.accepted == []
    assert invoke("outbox", "cancel", key).code == 65


def test_again_is_another_mail_with_the_same_content(queued, invoke, settings, server):
    """Another Message-ID, another Date, and the rest as it was."""
    key = queued()
    invoke("worker", "--drain")
    made = invoke("outbox", "again", key, "--json").json
    assert (made["again_of"], made["state"]) == (key, "queued")
    invoke("worker", "--drain")
    first, second = (mail.content.split(b"\r\n") for mail in server.accepted)
    differing = {one.partition(b":")[0] for one, other in zip(first, second, strict=True) if one != other}
    assert differing <= {b"Date", b"Message-ID"}
    assert f"Message-ID: {made['message_id']}".encode() in second
    assert made["key"] in invoke("outbox", "show", key).out


def test_again_asks_while_nobody_knows(queued, invoke, settings):
    """And is refused for one that has not been sent yet, or whose bytes are gone."""
    key = queued()
    assert "has not been sent a first time" in invoke("outbox", "again", key).err
    held(settings, key)
    assert invoke("outbox", "again", key, stdin="n\n").code == 130
    assert invoke("outbox", "again", key, "--yes").code == 0
    invoke("outbox", "settle", key, "--sent")
    with Mailer.open(settings) as mailer:
        mailer.queue.erase(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    assert "are erased" in invoke("outbox", "again", key).err


def test_a_pause_keeps_mail_from_leaving(queued, invoke, server):
    """Of the company, of an account, of a user; until it is resumed."""
    queued()
    for scope in (["--company"], ["--account", "company"], ["--user", "anna"]):
        done = invoke("outbox", "pause", *scope, "--reason", "wrong prices")
        assert done.code == 0, done.err
        assert invoke("worker", "--drain").code == 75
        assert server.accepted == []
        assert invoke("outbox", "resume", *scope, "--json").json["was_paused"] is True
    assert invoke("worker", "--drain").code == 0
    assert len(server.accepted) == 1
    assert invoke("outbox", "resume", "company:company").out == "company:company was not paused.\n"
    assert invoke("outbox", "pause", "--reason", "x").code == 64
