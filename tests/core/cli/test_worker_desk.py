"""`pillarbox worker` where a mail program carries the mail: whose computer it is has to be said."""

from __future__ import annotations

import pytest

from .conftest import write

OUTLOOK = """
import attrs
from pillarbox import Receipt, SenderPolicy, Transport
@attrs.frozen
class Settings:
    desktop_user: str = ""
class Outlook(Transport):
    settings: Settings
    label = "Clientmail"
    sender_policy = SenderPolicy.CLIENT
    def send(self, submission, journal):
        with journal.handing_over():
            return Receipt(submission.message_id, sender="desk@acme.example")
"""
COMPANY = """
[company]
address = "orders@acme.example"
method = "client"
[users.anna]
address = "anna@acme.example"
name = "Anna Berg"
[users.otto]
address = "otto@acme.example"
"""


@pytest.fixture
def desk(command, tmp_path):
    """The command, where a method `client` is installed and a mail of Anna's waits."""
    site = tmp_path / "site"
    info = site / "clientmail-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "clientmail.py").write_text(OUTLOOK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clientmail\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pillarbox.transports]\nclient = clientmail:Outlook\n")
    write(tmp_path, COMPANY)

    def call(*arguments, **env):
        return command(*arguments, PYTHONPATH=str(site), **env)

    sent = call(
        "send", "--queue", "--user", "anna", "--to", "ap@customer.example", "--subject", "s", "--text", "t"
    )
    assert sent.code == 0, sent.err
    assert "It is sent by: pillarbox worker --user anna\n" in sent.out
    return call


def test_a_worker_for_all_leaves_it_and_says_so(desk):
    """With what is to be run where."""
    done = desk("worker", "--drain")
    assert done.out.startswith("Done: 0 of 1 (nothing)")
    assert "pillarbox worker --user USER" in done.err


def test_a_worker_for_the_method_has_to_say_whose(desk):
    """Else it would send from whatever mail program stands here."""
    done = desk("worker", "--method", "client")
    assert done.code == 78
    assert "Clientmail is each user's own, on their computer: say whose it is here." in done.err


@pytest.mark.parametrize("said", [{"arguments": ("--user", "anna")}, {"PILLARBOX_USER": "anna"}])
def test_the_worker_at_the_users_computer_sends(desk, said):
    """Said by the option, or by the variable of the computer."""
    done = desk("worker", "--drain", "--method", "client", *said.pop("arguments", ()), **said)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Done: 1 of 1 (1 accepted)")


def test_another_users_worker_does_not(desk):
    """Each has their own."""
    assert desk("worker", "--drain", "--user", "otto").out.startswith("Done: 0 of 0 (nothing)")
