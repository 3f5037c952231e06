"""A user's Windows computer sends for a server on Linux: the worker asks its door, real COM leads to Outlook."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pillarbox import Company, Mailer, MemoryDirectory, MemoryVault, Message, State, User
from pillarbox.agent import Tokens
from pillarbox.outbox import SqliteOutbox
from pillarbox.testing.outlook import FakeOutlook
from pillarbox_web import agent_app
from tests.plugins.mapi.world import BOTH
from tests.plugins.web.agent.office import serving

from .desk import Desk

pytestmark = [pytest.mark.windows, pytest.mark.xdist_group("outlook"), pytest.mark.timeout(240)]
WORKER = """
import os, sys
from pillarbox.agent import Agent
with Agent(sys.argv[1], os.environ["PILLARBOX_AGENT_TOKEN"]) as agent:
    desk = agent.enter()
    agent.worker(desk).run(drain=True)
    print(sys.platform, desk.name, agent.status().waiting)
"""


def test_mail_of_the_server_s_outbox_leaves_by_outlook(at_desk: Desk, tmp_path: Path) -> None:
    """Each once; the receipt names the account that Outlook used."""
    at_desk.world(FakeOutlook(BOTH))
    directory = MemoryDirectory(
        Company(address="orders@acme.example", name="Acme", method="mapi"),
        [User(id="anna", address="anna@acme.example", name="Anna Berg")],
    )
    with (
        Mailer(directory, vault=MemoryVault(), outbox=SqliteOutbox(tmp_path / "outbox.sqlite3")) as mailer,
        serving(agent_app(mailer)) as url,
    ):
        letters = [
            Message(to="ap@customer.example", subject=f"Invoice {number} – größer €", text="Grüße")
            for number in range(3)
        ]
        entries = [mailer.enqueue(one, user="anna") for one in letters]
        token = Tokens(mailer.vault).issue("anna", "company", "the laptop", "anna").secret
        done = subprocess.run(
            at_desk.windows.command("-c", WORKER, url),
            env={**at_desk.windows.environment, "PILLARBOX_AGENT_TOKEN": token},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.decode().split() == ["win32", "Anna", "Berg", "0"]
        kept = [mailer.queue.get(one.key) for one in entries]
    assert [one.state for one in kept] == [State.ACCEPTED] * 3
    assert {one.receipt.sender for one in kept} == {"orders@acme.example"}
    assert sorted(one.subject for one in at_desk.outlook().sent) == sorted(one.subject for one in letters)
