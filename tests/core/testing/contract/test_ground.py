"""What the cases are made with is as core makes it, and what an author has not written is said."""

from __future__ import annotations

import pytest

from pillarbox import SenderPolicy
from pillarbox.testing import Accepted, MemorySettings, MemoryTransport, NotStaged, TransportContract


class ByClient(MemoryTransport):
    sender_policy = SenderPolicy.CLIENT


def ground(transport: type[MemoryTransport] = MemoryTransport, **changes) -> TransportContract:
    def make_transport(self):
        return transport(MemorySettings(box="ground"))

    made = type(
        "Made", (TransportContract,), {"__test__": False, "make_transport": make_transport, **changes}
    )
    return made()


def test_without_make_transport_there_is_no_contract():
    """It says what to write."""
    with pytest.raises(NotImplementedError, match="make_transport"):
        TransportContract().make_transport()


@pytest.mark.parametrize("ask", [lambda one: one.accepted(), lambda one: one.stage("cut after")])
def test_what_is_not_written_is_not_staged(ask):
    """With a reason that names the method."""
    with pytest.raises(NotStaged, match=r"accepted\(\)|stage\(\)"):
        ask(ground())


def test_a_submission_is_composed_for_the_senders_policy():
    """The account's own address; under CLIENT no From and no envelope sender."""
    ours, theirs = ground().submission(), ground(ByClient).submission()
    assert (ours.envelope.sender, ours.from_header) == ("anna@acme.example", "anna@acme.example")
    assert (theirs.envelope.sender, theirs.from_header) == (None, None)


def test_a_body_is_taken_octet_by_octet():
    """Behind a header that core composed."""
    made = ground().submission_of(b".\r\n\r\n")
    assert made.content.partition(b"\r\n\r\n")[2] == b".\r\n\r\n"
    assert made.message_id.encode() in made.content


def test_a_transport_is_closed_whatever_happens():
    """Also when the case fails."""
    closed = []

    class Noticing(MemoryTransport):
        def close(self) -> None:
            closed.append(True)

    one = ground(Noticing)
    with pytest.raises(KeyError), one.opened():
        raise KeyError
    assert closed == [True]


def test_what_arrived_is_one_message():
    """None and two are both wrong."""
    made = ground(accepted=lambda self: [])
    with pytest.raises(AssertionError, match="the carrier got 0"):
        made.arrived(made.submission())


def test_what_the_carrier_has_is_a_value():
    """Lists are taken for tuples."""
    assert Accepted(b"x", "", ["a@b.example"]) == Accepted(b"x", "", ("a@b.example",))


def test_a_leak_is_said_without_the_secret():
    """So that the report can be shown."""
    made = ground(secrets=("canary-55-secret",))
    made.keeps_secrets("innocent")
    with pytest.raises(AssertionError) as failure:
        made.keeps_secrets("innocent", "the password canary-55-secret is wrong")
    assert "canary" not in str(failure.value)
    assert "a secret is told" in str(failure.value)
