"""What a message asks of one transport: held against its class before anything is kept or sent."""

from __future__ import annotations

import attrs
import pytest

from pillarbox import Company, Mailer, MemoryDirectory, Message, MessageError, Plugins, Receipt
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing import MemoryTransport


@attrs.frozen(kw_only=True)
class Wishes:
    tags: tuple[str, ...] = ()


class Wishing(MemoryTransport):
    options = Wishes


@pytest.fixture
def mailer(tmp_path):
    plugins = Plugins(extra={"wishing": Wishing, "plain": MemoryTransport})
    directory = MemoryDirectory(Company(address="orders@acme.example", method="wishing"), plugins=plugins)
    with Mailer(directory, plugins=plugins, outbox=SqliteOutbox(tmp_path / "outbox.sqlite3")) as made:
        yield made


def letter(**options):
    return Message(to="ap@customer.example", subject="s", text="t", options=options)


WRONG = [
    ({"wishing": {"colour": "red"}}, "colour"),
    ({"wishing": {"tags": 1}}, "tags"),
    ({"wishing": "red"}, "can't be used"),
    ({"wishin": {"tags": ["a"]}}, "no such method. Did you mean wishing"),
    ({"stmp": {}}, "Did you mean smtp"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_what_there_is_not_is_refused_by_each_way(mailer, options, said):
    for way in (mailer.send, mailer.enqueue):
        with pytest.raises(MessageError, match=said):
            way(letter(**options))
    assert mailer.queue.list() == []
    for way in (mailer.send_many, mailer.enqueue_many):
        refused, taken = way([letter(**options), letter()])
        assert isinstance(refused, MessageError)
        assert not isinstance(taken, MessageError)


def test_a_transport_without_options_takes_none(tmp_path):
    plugins = Plugins(extra={"plain": MemoryTransport})
    directory = MemoryDirectory(Company(address="orders@acme.example", method="plain"), plugins=plugins)
    with Mailer(directory, plugins=plugins) as made, pytest.raises(MessageError, match="takes no options"):
        made.send(letter(plain={"x": 1}))


def test_what_is_asked_of_other_methods_is_let_be(mailer):
    """Ours, though they are not installed, and those that are."""
    sent = mailer.send(letter(wishing={"tags": ["a"]}, plain={"x": 1}, m365={"y": 2}))
    assert isinstance(sent, Receipt)
