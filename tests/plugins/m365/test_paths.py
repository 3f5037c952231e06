"""Nothing in an address changes what is asked for."""

from __future__ import annotations

import pytest

from pillarbox import PillarboxError, SettingsError
from pillarbox.testing.graph import FakeGraph
from pillarbox_m365.graph import segment
from tests.core.exchange.peer import Peer, answer
from tests.plugins.m365.givens import ANNA, SHARED, Holder, outcome_of, submission, transport

LOCAL_PARTS = [
    "a/b",
    "a?b",
    "a#b",
    "a%2Fb",
    "..",
    "../me",
    "a/../../me",
    "a'b",
    "a&b=c",
    "a+b",
    "a;b",
    "a:b",
    "ü",
]


@pytest.mark.parametrize("local", LOCAL_PARTS)
def test_a_mailbox_is_one_segment(local: str) -> None:
    """Whatever stands before the @, the request is about that mailbox."""
    mailbox = f"{local}@acme.example"
    with Peer(answer("404 Not Found", b'{"error": {"code": "ErrorInvalidUser"}}')) as peer:
        held = Holder("token", scopes=SHARED)
        one = transport(FakeGraph(), url=peer.url, credentials=held, mailbox=mailbox, signs_in_as=ANNA)
        assert isinstance(outcome_of(one, submission(shows=ANNA)), PillarboxError)
        one.close()
    target = peer.heard[0].split(b" ")[1].decode()
    from urllib.parse import unquote

    parts = target.split("/")
    assert parts[:3] == ["", "v1.0", "users"]
    assert unquote(parts[3]) == mailbox
    assert parts[4:] == ["messages"]
    assert not set("?#") & set(target)


@pytest.mark.parametrize("name", ["", ".", "..", "a\r\nb", "a\x00"])
def test_what_is_no_name(name: str) -> None:
    """A draft's id comes from a server, too."""
    with pytest.raises(SettingsError):
        segment(name)


def test_the_ids_of_graph_come_back_unharmed(graph: FakeGraph) -> None:
    """With their =, - and _."""
    with transport(graph) as one:
        outcome_of(one, submission())
    assert {request.status for request in graph.requests} == {200, 201, 202}
