"""Mail that waits for an account which was changed: told by `set`, moved when it is wanted; and what goes on by itself."""

from __future__ import annotations

import pytest

from pillarbox import Mailer, Message
from pillarbox.outbox import Pause

LETTER = Message(to="ap@customer.example", subject="Invoice 1001", text="t")
ADDRESS = ["company", "set", "--address", "sales@acme.example"]


@pytest.fixture
def waiting(settings):
    """Two mails in the company's lane: Anna's, and one that nobody in particular wrote."""
    with Mailer.open(settings) as mailer:
        return [mailer.enqueue(LETTER, user="anna").key, mailer.enqueue(LETTER).key]


def test_a_changed_address_tells_what_waits(invoke, waiting):
    """What may go by the new account, and what may not, and why; nothing is moved without a word."""
    anna, nobody = waiting
    done = invoke(*ADDRESS)
    assert "2 mails wait for the account as it was. 1 of them can go by the account as it is now." in done.out
    assert f"{anna[:8]}  Invoice 1001 to ap@customer.example: can be moved" in done.out
    assert f"{nobody[:8]}  Invoice 1001 to ap@customer.example: It shows orders@acme.example" in done.out
    assert "Nothing was moved" in done.out


def test_what_may_move_does_when_it_is_wanted(invoke, waiting, server):
    """The rest is held by the next worker."""
    anna, nobody = waiting
    assert "Moved 1." in invoke(*ADDRESS, "--move").out
    assert invoke("worker", "--drain").code == 70
    states = {row["key"]: row["state"] for row in invoke("outbox", "--json").json}
    assert states == {anna: "accepted", nobody: "held"}


def test_a_program_is_told_the_same(invoke, waiting):
    """In the one document."""
    anna, _ = waiting
    found = invoke(*ADDRESS, "--move", "--json").json["waiting"]
    assert {one["key"]: (one["moved"], bool(one["why_not"])) for one in found}[anna] == (True, False)


def test_a_terminal_is_asked(terminal, waiting):
    """As `[y/N]`."""
    shown = terminal(*ADDRESS)
    shown.until("Move those that can be moved? [y/N]: ")
    shown.type("y")
    assert shown.end() == 0
    assert "Moved 1." in shown.visible


def test_a_mended_account_goes_on(invoke, settings, waiting):
    """What waited for a sign-in does not have to be resumed by hand."""
    with Mailer.open(settings) as mailer:
        mailer.queue.pause(Pause(scope="lane:company/company/smtp", reason="535", kind="sign-in"))
    assert invoke("status").code == 77
    assert invoke("company", "set", "--timeout", "7").code == 0
    assert invoke("status").code == 0


def test_who_is_removed_is_shown_with_what_waits(invoke, waiting):
    """Before the question."""
    done = invoke("user", "remove", "anna", stdin="n\n")
    assert "Not sent yet: 1 mail of Anna Berg (anna)." in done.err
    assert invoke("user", "remove", "anna", "--yes", "--json").json == {"removed": "anna", "waiting": 1}
