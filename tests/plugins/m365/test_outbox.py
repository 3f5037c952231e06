"""Through an outbox and its worker: what was lost on the way is looked for, and sent once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pillarbox import Company, Mailer, MemoryDirectory, MemoryVault, Message, State
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing.graph import FakeGraph, Fault
from pillarbox_m365 import M365Transport
from pillarbox_m365.tokens import Kept
from tests.plugins.m365.givens import CONFIRM, ORDERS, SEND


def connected(graph: FakeGraph, file: Path, scopes: tuple[str, ...]) -> Mailer:
    """Return a mailer with an outbox, whose company was connected with *scopes*."""
    directory = MemoryDirectory(Company(address=ORDERS, name="Acme Ltd", method="m365"))
    apps = {"m365": {"client_id": "app", "tenant": "acme.example", "graph": graph.url}}
    made = Mailer(directory, vault=MemoryVault(), apps=apps, outbox=SqliteOutbox(file))
    kept = Kept(scopes={"send": scopes}).taken(
        "send", {"access_token": graph.token(ORDERS, *scopes), "expires_in": 3600}, "{}"
    )
    learned = {"issuer": "i", "subject": "s", "address": ORDERS, "scopes": list(scopes)}
    made._credentials(made._to_connect(None, None)[1]).update(lambda _: (kept.sealed(), learned))
    return made


@pytest.fixture
def confirmed(graph: FakeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailer]:
    """One that may look, at once."""
    monkeypatch.setattr(M365Transport, "settling", 0.0)
    with connected(graph, tmp_path / "outbox.sqlite3", CONFIRM) as mailer:
        yield mailer


def state_of(mailer: Mailer) -> State:
    """Work off what is due, and return where the one message stands."""
    key = mailer.enqueue(Message(to="ap@customer.example", subject="x", text="y")).key
    for _ in range(3):
        mailer.worker().run(drain=True)
    return mailer.queue.known(key).state


def test_a_lost_answer_is_looked_for(confirmed: Mailer, graph: FakeGraph) -> None:
    """The mail is there, and accepted."""
    graph.fault("send", Fault.CUT_AFTER)
    assert state_of(confirmed) is State.ACCEPTED
    assert len(graph.sent(ORDERS)) == 1


def test_a_lost_request_is_sent_again(confirmed: Mailer, graph: FakeGraph) -> None:
    """The draft is still one."""
    graph.fault("send", Fault.CUT_BEFORE)
    assert state_of(confirmed) is State.ACCEPTED
    assert len(graph.sent(ORDERS)) == 1


def test_where_nobody_can_look_a_person_is_asked(graph: FakeGraph, tmp_path: Path) -> None:
    """It is held, whether it left or not."""
    graph.fault("sendMail", Fault.CUT_AFTER)
    with connected(graph, tmp_path / "outbox.sqlite3", SEND) as mailer:
        assert state_of(mailer) is State.HELD
    assert len(graph.sent(ORDERS)) == 1
