"""Egress: which addresses may be reached, checked on the one that is really connected (rule 38)."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from pillarbox import Network, SendDeferred, SettingsError

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "fec0::1", "5f00::1", "3fff::1", "100::1", "64:ff9b:1::a00:1", "::ffff:0:10.0.0.1", "2001::a00:1", "2001:10::1",
    "ff0e::1", "2002:808:808::1", "192.168.255.255", "172.31.255.255", "100.127.255.255", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:a00:1::1", "::127.0.0.1",
]  # fmt: skip
OUTSIDE = [
    "8.8.8.8",
    "1.1.1.1",
    "100.128.0.1",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "64:ff9b::808:808",
]


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
    """In a sentence; one text is one network."""
    for wrong in (("10.0.0.1/8",), ("10.0.0.0/33",), ("acme.example",), ""):
        with pytest.raises(SettingsError, match="private_networks"):
            Network(private=wrong)
    assert Network(trusted=False, private="10.0.0.0/8").permits("10.1.1.1")


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


def through(calls, error=None):
    """Return a way that notes what it is asked for, and leads to a socket or to *error*."""

    def way(host, port, seconds):
        calls.append((host, port))
        if error is not None:
            raise error
        return socket.socket()

    return way


def test_a_host_that_a_deployer_typed_is_given_to_the_way_by_name():
    """The network behind a proxy may know names that ours does not."""
    calls = []
    with Network().connect("mail.invalid", 25, timeout=5, through=through(calls)):
        assert calls == [("mail.invalid", 25)]


def test_a_host_that_a_person_typed_is_given_to_the_way_by_a_checked_address():
    """What the name becomes behind a proxy nobody could check; an address can't become another."""
    calls = []
    inside = Network(trusted=False, private=("127.0.0.0/8",))
    with inside.connect("localhost", 25, timeout=5, through=through(calls)):
        assert calls == [("127.0.0.1", 25)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "::1"])
def test_the_way_leads_a_person_to_no_address_inside(host):
    """A proxy reaches more of the inside than we do."""
    calls = []
    with pytest.raises(SendDeferred, match="can't be reached on port 25"):
        Network(trusted=False).connect(host, 25, timeout=0.05, through=through(calls))
    assert calls == []


def test_what_the_way_says_of_the_host_is_not_told_to_a_person():
    """One wording for closed and filtered, through a proxy too."""
    said = SendDeferred("the proxy says: connection refused", stage="connect")
    with pytest.raises(SendDeferred, match="can't be reached on port 25") as refusal:
        Network(trusted=False).connect("93.184.216.34", 25, timeout=0.05, through=through([], said))
    assert "proxy" not in refusal.value.detail
    with pytest.raises(SendDeferred, match="the proxy says"):
        Network().connect("93.184.216.34", 25, timeout=5, through=through([], said))


def test_what_is_wrong_with_the_way_itself_is_told_to_everybody():
    """It says nothing about the host."""
    said = SendDeferred("the proxy is down", stage="proxy")
    with pytest.raises(SendDeferred, match="the proxy is down"):
        Network(trusted=False).connect("93.184.216.34", 25, timeout=5, through=through([], said))


def test_a_name_without_address_is_told():
    """Stage dns."""
    with pytest.raises(SendDeferred) as refusal:
        Network().connect("nowhere.invalid", 25, timeout=5)
    assert refusal.value.stage == "dns"


@pytest.mark.parametrize(
    "host",
    [
        "a\0b",
        "",
        "x" * 300,
        "a..b",
        "\udcff",
        "ü" * 80,
        ".",
        "-",
        "a b",
        "999.999.999.999",
        "[::1]",
        "fe80::1%nowhere",
    ],
)
def test_a_name_that_is_none_is_a_name_without_address(host):
    """Whatever the system's resolver raises for it."""
    with pytest.raises(SendDeferred) as refusal:
        Network().connect(host, 25, timeout=5)
    assert refusal.value.stage in {"dns", "connect"}


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "localhost", "0"])
def test_an_address_inside_is_refused_however_it_is_written(host, listener):
    """What counts is the address that it comes to."""
    with pytest.raises(SendDeferred):
        Network(trusted=False).connect(host, listener.getsockname()[1], timeout=0.05)
    assert not select.select([listener], [], [], 0)[0]


class SlowResolver(Network):
    """Somebody's name server that does not answer until the test is over."""

    over = threading.Event()

    def resolve(self, host, port):
        self.over.wait(30)
        return ["127.0.0.1"]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_slow_name_server_does_not_outlast_the_time_limit(trusted):
    """Looking the name up is inside the limit; it is given up, not waited for."""
    try:
        with pytest.raises(SendDeferred):
            SlowResolver(trusted=trusted).connect("slow.example", 25, timeout=0.1)
        looking = [thread for thread in threading.enumerate() if thread.name == "pillarbox-dns"]
        assert looking, "the look-up was waited for"
    finally:
        SlowResolver.over.set()
    for thread in looking:
        thread.join(10)
    SlowResolver.over.clear()


class Several(Network):
    """A name with a dead address before the living one."""

    def resolve(self, host, port):
        return ["::1", "127.0.0.2", "127.0.0.1"]


def test_the_next_address_is_tried(listener):
    """One that is closed does not end it."""
    with Several().connect("several.example", listener.getsockname()[1], timeout=5) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"


def test_only_the_addresses_that_may_be_reached_are_tried(listener):
    """A public name that also points inside does not open what is inside."""
    network = Several(trusted=False, private=("127.0.0.2/32",))
    with pytest.raises(SendDeferred):
        network.connect("several.example", listener.getsockname()[1], timeout=0.1)
    assert not select.select([listener], [], [], 0)[0]


def test_who_is_refused_an_address_inside_is_told_who_can_allow_it():
    """In the same words as for a closed port, so that nothing is learned by it."""
    with pytest.raises(SendDeferred, match="private_networks"):
        Network(trusted=False).connect("127.0.0.1", 25, timeout=0.01)


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
