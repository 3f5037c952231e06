"""Egress: which addresses may be reached, checked on the one that is really connected (rule 38)."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pillarbox import Network, SendDeferred, SettingsError

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::1", "::127.0.0.1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_for_hosts_that_a_person_typed(address):
    """Private, loopback, link-local, and each of them in the clothes of another family."""
    assert not Network(trusted=False).permits(address)
    assert Network(trusted=True).permits(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_may_be_reached(address):
    """By anybody's settings."""
    assert Network(trusted=False).permits(address)


def test_the_deployer_can_list_networks():
    """And only those are opened."""
    network = Network(trusted=False, private=("10.1.0.0/16", "fd00::/8"))
    assert network.permits("10.1.2.3")
    assert network.permits("::ffff:10.1.2.3")
    assert network.permits("fd00::1")
    assert not network.permits("10.2.0.1")
    assert not network.permits("127.0.0.1")


def test_what_is_no_network_is_refused():
    """In a sentence."""
    with pytest.raises(SettingsError, match="private_networks"):
        Network(private=("10.0.0.1/8",))


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_connects_and_sets_nodelay(listener):
    """Nagle's delay costs 40 ms for each command."""
    with Network().connect("127.0.0.1", listener.getsockname()[1], timeout=5) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_closed_port_is_told_as_it_is_to_a_deployer():
    """Stage and cure."""
    with pytest.raises(SendDeferred, match="refused") as refusal:
        Network().connect("127.0.0.1", closed_port(), timeout=5)
    assert refusal.value.stage == "connect"


def test_a_name_without_address_is_told():
    """Stage dns."""
    with pytest.raises(SendDeferred) as refusal:
        Network().connect("nowhere.invalid", 25, timeout=5)
    assert refusal.value.stage == "dns"


class Rebinding(Network):
    """A resolver that answers with an address inside, whatever the name."""

    def resolve(self, host, port):
        return ["127.0.0.1"]


def test_closed_open_and_unknown_inside_are_one_answer(listener):
    """One wording and one time: a form can't be used to look around inside."""
    answers = []
    for host, port in [("inside.example", listener.getsockname()[1]), ("inside.example", closed_port())]:
        started = time.monotonic()
        with pytest.raises(SendDeferred) as refusal:
            Rebinding(trusted=False).connect(host, port, timeout=0.3)
        answers.append(
            (
                str(refusal.value).replace(str(port), "PORT"),
                refusal.value.stage,
                time.monotonic() - started >= 0.29,
            )
        )
    with pytest.raises(SendDeferred) as refusal:
        Network(trusted=False).connect("nowhere.invalid", 25, timeout=0.3)
    answers.append(
        (
            str(refusal.value).replace("25", "PORT").replace("nowhere.invalid", "inside.example"),
            refusal.value.stage,
            True,
        )
    )
    assert len(set(answers)) == 1


def test_nothing_inside_is_even_connected_to(listener):
    """Refused before the first packet, not after."""
    listener.settimeout(0.5)
    connected = threading.Event()

    def accept():
        try:
            listener.accept()[0].close()
            connected.set()
        except TimeoutError:
            pass

    thread = threading.Thread(target=accept)
    thread.start()
    with pytest.raises(SendDeferred):
        Rebinding(trusted=False).connect("inside.example", listener.getsockname()[1], timeout=0.2)
    thread.join()
    assert not connected.is_set()
