"""A host's whole way to a mail program: settings, route, worker, receipt; and what explain says before."""

from __future__ import annotations

import json

import pytest

from pillarbox import Mailer, Message, MessageError, Receipt, SenderMismatch, State
from tests.plugins.mapi.world import World

SETTINGS = """
[company]
address = "orders@acme.example"
name = "Acme Ltd"
method = "mapi"
[company.mapi]
interface = "simple"
{more}
worker_command = {command}
[users.anna]
address = "anna@acme.example"
[users.otto]
address = "otto@acme.example"
settings = "personal"
method = "mapi"
[users.otto.mapi]
interface = "simple"
{otto}
worker_command = {command}
"""
LETTER = Message(to=["ap@customer.example"], subject="Invoice 1001", text="Good morning")


def opened(folder, world, more="", otto=""):
    file = folder / "pillarbox.toml"
    file.write_text(SETTINGS.format(more=more, otto=otto, command=json.dumps(list(world.command))))
    file.chmod(0o600)
    return Mailer.open(file)


def test_answers_to_a_user_can_not_be_carried_and_the_cure_is_named(tmp_path):
    """Each mail of a user asks for answers to the user, where the company's account sends."""
    world = World(tmp_path)
    with opened(tmp_path, world) as mailer, pytest.raises(MessageError) as refused:
        mailer.send(LETTER, user="anna")
    assert "an address for answers" in refused.value.detail
    assert "mapi.lossy = true" in refused.value.cure
    assert world.mails == []


def test_where_loss_is_allowed_explain_says_so_before_and_the_receipt_afterwards(tmp_path):
    world = World(tmp_path)
    with opened(tmp_path, world, more="lossy = true") as mailer:
        warnings = mailer.explain("anna").warnings
        receipt = mailer.send(LETTER, user="anna")
    assert any("Because of mapi.lossy" in one for one in warnings)
    assert receipt.detail == "taken by Post, without an address for answers"
    assert len(world.mails) == 1


def test_a_personal_account_needs_its_owners_word(tmp_path):
    """And with it is warned of what nobody can check."""
    world = World(tmp_path)
    with (
        opened(tmp_path, world) as mailer,
        pytest.raises(SenderMismatch, match=r"otto@acme\.example has to send"),
    ):
        mailer.send(LETTER, user="otto")
    with opened(tmp_path, world, otto='account = "otto@acme.example"') as mailer:
        assert isinstance(mailer.send(LETTER, user="otto"), Receipt)
        assert any("Nobody can check" in one for one in mailer.explain("otto").warnings)


@pytest.mark.parametrize(
    ("told", "ends", "sent"),
    [
        ({"do": "die after"}, State.HELD, 1),
        ({"do": "die"}, State.HELD, 0),
        ({"code": 2}, State.HELD, 0),
        ({"code": 14}, State.REJECTED, 0),
        ({"code": 3}, State.DEFERRED, 0),
        ({"code": 4}, State.DEFERRED, 0),
        ({"code": 26}, State.DEFERRED, 0),
    ],
)
def test_a_waiting_letter_ends_as_the_answer_says(tmp_path, told, ends, sent):
    """What may have left is held for a person: Simple MAPI can't look, and nothing is sent twice by itself."""
    world = World(tmp_path)
    world.program(**told)
    with opened(tmp_path, world, otto='account = "otto@acme.example"') as mailer:
        key = mailer.enqueue(LETTER, user="otto").key
        for _ in range(3):
            mailer.worker(user="otto").run(drain=True)
        assert mailer.queue.get(key).state is ends
    assert len(world.mails) == sent
