"""`pillarbox status`: sentences for people, a code for monitors."""

from __future__ import annotations

from pillarbox import Mailer, Message
from pillarbox.outbox import Pause

LETTER = Message(to="ap@customer.example", subject="Invoice", text="t")


def test_all_is_working(invoke, settings, tmp_path):
    """And what only looks makes no outbox."""
    done = invoke("status")
    assert (done.code, done.err) == (0, "")
    assert "working  company, orders@acme.example by smtp" in done.out
    assert "Nothing waits." in done.out
    assert not (tmp_path / "pillarbox.outbox.sqlite3").exists()


def test_a_pause_is_told_with_its_code(invoke, settings):
    """75 for a pause, 77 where somebody has to sign in."""
    with Mailer.open(settings) as mailer:
        mailer.enqueue(LETTER, user="anna")
        mailer.queue.pause(Pause(scope="company:company", reason="wrong prices", by="root"))
        assert invoke("status").code == 75
        mailer.queue.resume("company:company")
        mailer.queue.pause(Pause(scope="lane:company/company/smtp", reason="535", kind="sign-in"))
    done = invoke("status", "anna")
    assert done.code == 77
    assert "has to sign in again. 535. 1 mail waits, nothing is lost." in done.out


def test_a_program_gets_the_whole(invoke, settings):
    """The code, the counts, and each account."""
    with Mailer.open(settings) as mailer:
        mailer.queue.hold(mailer.enqueue(LETTER).key, "look first")
    found = invoke("status", "--json").json
    assert (found["exit"], found["workers"], found["counts"]) == (70, 0, {"held": 1})
    assert found["accounts"][0]["state"] == "held"


def test_a_user_who_cannot_send_is_told_why(invoke, settings):
    """78, and the cure."""
    done = invoke("status", "carl")
    assert done.code == 78
    assert "Personal with method None" in done.err
