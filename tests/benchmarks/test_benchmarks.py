"""The benchmarks run, each once with tiny counts, and what they rest on is right. Nothing here is timed."""

from __future__ import annotations

import re
import smtplib
import socket
import subprocess
import sys

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import cases, holding, node, ours, postfix, sending, sinks, worker
from tests.benchmarks.efforts import FUNCTIONAL
from tests.benchmarks.jobs import Job
from tests.benchmarks.processes import ContenderFailed, process

pytestmark = [pytest.mark.services, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ENVELOPE = b"MAIL FROM:<a@acme.example>\r\nRCPT TO:<b@customer.example>\r\n"


@pytest.mark.parametrize("name", command.BENCHMARKS)
def test_every_benchmark_runs(name):
    """Each benchmark yields rows, with everybody taking part and every message accepted by the sink."""
    rows = list(command.BENCHMARKS[name](FUNCTIONAL))

    assert rows
    assert all(row.figure.low <= row.figure.median <= row.figure.high for row in rows)


def test_the_contenders_carry_the_same_words():
    """What pillarbox composes holds the text and the attachment that the standard library's message holds."""
    what = cases.case("100 KB")
    theirs = cases.email_message(what)

    mine = ours.composed(what).message()

    assert mine.get_body().get_content().split() == theirs.get_body().get_content().split()
    assert [part.get_content() for part in mine.iter_attachments()] == [what.attachment]


def test_every_contender_is_known_by_one_name():
    """The table never means two things by a name, and each name leads to a contender."""
    assert not set(worker.CONTENDERS) & {*node.CONTENDERS, postfix.SMTP_SOURCE}
    assert all(callable(worker.maker(name)) for name in worker.CONTENDERS)


def test_the_sink_reads_a_body_wherever_the_wire_cuts_it():
    """Octet by octet: an empty body, doubled dots, lone CRs and LFs, and chunks count as one message each."""
    bodies = (b".\r\n", b"a\r\r\n..\r\n.\n\r\n.\r\r\n.\r\n")
    chunks = b"BDAT 3\r\nabcBDAT 2\r\n\r\nBDAT 0 LAST\r\n"
    talk = b"".join(ENVELOPE + b"DATA\r\n" + body for body in bodies) + ENVELOPE + chunks
    with sinks.sink() as server:
        answers = _say(server.port, talk, octets_a_piece=1)
        assert (server.counts().messages, server.counts().refusals) == (3, 0)
    assert answers.count(b"250 2.0.0 accepted") == 3


@pytest.mark.parametrize("round_trip", [0.0, 0.002])
def test_the_sink_obeys_what_follows_the_dot(round_trip):
    """A hundred messages in one write, through the delay too, get all their replies in order."""
    body = b"Subject: x\r\n\r\n" + b"y" * 70 + b"\r\n"
    with sinks.sink(round_trip=round_trip) as server:
        answers = _say(server.port, (ENVELOPE + b"DATA\r\n" + body + b".\r\n") * 100)
        assert (server.counts().messages, server.counts().refusals) == (100, 0)
    codes = re.findall(rb"^(\d{3}) ", answers, re.MULTILINE)
    assert codes == [b"220", b"250", *[b"250", b"250", b"354", b"250"] * 100, b"221"]


def test_the_delay_changes_no_octet():
    """A message much larger than any buffer passes the delay whole."""
    body = cases.ready_bytes(cases.case("5 MB"))
    with sinks.sink(round_trip=0.002) as server:
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail(cases.SENDER, [cases.RECIPIENT], body)
        assert server.counts().messages == 1
        assert server.counts().octets >= len(body)


def test_the_sink_asks_for_the_login_it_was_given():
    """With a login, mail without it is refused and mail with it accepted."""
    with sinks.sink(login=("orders", "secret")) as server, smtplib.SMTP("127.0.0.1", server.port) as client:
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail("a@acme.example", ["b@customer.example"], b"x")
        client.login("orders", "secret")
        client.sendmail("a@acme.example", ["b@customer.example"], b"x")
        assert server.counts().messages == 1


def test_a_missing_peer_is_named_in_the_table(monkeypatch, tmp_path):
    """With the command that brings it, and nothing is judged by it; the others are measured."""
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = {row.peer.name: row for row in sending.bulk(FUNCTIONAL)}

    assert rows[sending.NODE_READY].peer.said == "missing: apt-get install nodejs npm"
    assert rows[sending.NODE_READY].verdict == "not measured"
    assert rows[sending.READY].figure is not None


def test_connections_that_are_not_kept_are_an_error():
    """Memory is only counted for lines that are open when it is."""
    with pytest.raises(AssertionError, match="keeps 0 connections open, not 3"):
        holding._grown_once("EmailMessage", Job(), 3)


def test_a_contender_that_dies_is_an_error():
    """Not a fast one."""
    with (
        pytest.raises(ContenderFailed, match="nobody"),
        process("nobody", [sys.executable, "-c", "raise SystemExit"], {}),
    ):
        pass


def test_what_another_process_changes_is_resolved_next():
    """The freshness that the resolution benchmark pays for is there."""
    with ours.many_users(Job(users=3)) as path:
        mailer = ours.mailer_of(path)
        before = mailer.explain("u000001").from_address
        script = (
            f"p = {str(path)!r}; t = open(p).read(); open(p, 'w').write(t.replace('User u000001', 'Someone'))"
        )
        subprocess.run([sys.executable, "-c", script], check=True)

        assert (before.name, mailer.explain("u000001").from_address.name) == ("User u000001", "Someone")


def _say(port, talk, octets_a_piece=1 << 16):
    """Return everything the sink answers to EHLO, *talk* and QUIT, written in pieces."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = b"EHLO client.example\r\n" + talk + b"QUIT\r\n"
        for start in range(0, len(whole), octets_a_piece):
            wire.sendall(whole[start : start + octets_a_piece])
        return wire.makefile("rb").read()
