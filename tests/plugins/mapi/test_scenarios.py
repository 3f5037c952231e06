"""Each scenario, by the real worker process over the fake Outlook in memory."""

from __future__ import annotations

import pytest

from pillarbox import Account, Journal, PillarboxError, Route
from tests.plugins.mapi.scenarios import SCENARIOS
from tests.plugins.mapi.world import World, submission

MAILBOX = {"company": "orders@acme.example", "user:anna": "anna@acme.example"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_what_outlook_does_ends_as_it_must(scenario, tmp_path):
    world = World(
        tmp_path,
        scenario.accounts,
        faults=scenario.faults,
        guard=scenario.guard,
        unresolvable=scenario.unresolvable,
    )
    journal = Journal()
    route = Route(account=Account(owner=scenario.owner, method="mapi"), from_address=None)
    one = submission(route, **scenario.fields)
    with world.transport(scenario.owner, MAILBOX[scenario.owner], **scenario.settings) as transport:
        try:
            outcome = transport.send(one, journal)
        except PillarboxError as error:
            outcome = error
        assert (type(outcome), len(world.sent)) == (scenario.ends, scenario.sent), outcome
        assert scenario.says in str(outcome)
        if scenario.look:
            assert transport.find(one, journal).state.value == scenario.look
    assert len(world.sent) == scenario.sent
    assert [mail for mail in world.outlook().in_folder("Drafts") if scenario.sent or scenario.look] == []


def test_what_was_left_out_stands_in_the_receipt(tmp_path):
    """A message that lost something is not told as whole."""
    route = Route(account=Account(owner="company", method="mapi"), from_address=None)
    one = submission(route, in_reply_to="<1@customer.example>")
    with World(tmp_path).transport(lossy=True) as transport:
        said = transport.send(one, Journal()).detail
    assert said.startswith("submitted to Outlook's Outbox, without ")
    assert "In-Reply-To" in said
