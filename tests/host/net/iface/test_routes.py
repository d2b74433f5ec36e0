"""The routing table, and which way packets go."""

from __future__ import annotations

import errno
import random

import pytest

from ovum.net.iface.route import Route
from ovum.net.iface.routes import RouteTable
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr

from .lab import FAR, OTHER, PEER, PEER_LINK, ROUTER, US, US6, US_LINK, Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


def route(text: str, gateway: str = "", metric: int = 0, interface: int = 2) -> Route:
    prefix, length = addr.parse_prefix(text)
    return Route(prefix, length, interface, addr.parse(gateway) if gateway else None, metric)


def test_the_longest_prefix_wins_then_the_smallest_metric() -> None:
    table = RouteTable(4, 100)
    routes = [
        route("0.0.0.0/0", "10.0.0.1"),
        route("10.0.0.0/8", "10.0.0.2", 5),
        route("10.0.0.0/8", "10.0.0.3", 1),
        route("10.1.0.0/16"),
        route("10.1.2.3/32", "10.0.0.4"),
    ]
    for each in routes:
        table.add(each)
    assert table.find(addr.parse("10.1.2.3")) == [routes[4]]
    assert table.find(addr.parse("10.1.2.4")) == [routes[3]]
    assert table.find(addr.parse("10.2.0.1")) == [routes[2], routes[1]]
    assert table.find(addr.parse("11.0.0.1")) == [routes[0]]
    assert [each.prefix_length for each in table.all()] == [32, 16, 8, 8, 0]
    table.remove(routes[3])
    assert table.find(addr.parse("10.1.2.4")) == [routes[2], routes[1]]
    assert len(table) == 4


def test_an_interface_may_be_asked_for() -> None:
    table = RouteTable(4, 100)
    one, other = route("10.0.0.0/8", interface=2), route("0.0.0.0/0", "10.0.0.1", interface=3)
    table.add(one)
    table.add(other)
    assert table.find(addr.parse("10.0.0.9"), 3) == [other]
    assert table.find(addr.parse("10.0.0.9"), 4) == []


@pytest.mark.parametrize("version", [4, 6])
def test_lookups_are_what_looking_at_all_would_find(version: int) -> None:
    rng = random.Random(version)
    size = 4 if version == 4 else 16
    table = RouteTable(version, 1000)
    routes: list[Route] = []
    for number in range(300):
        length = rng.randrange(size * 8 + 1)
        near = bytes(rng.choice((0, 1, 255)) for _ in range(size))
        each = Route(addr.network(near, length), length, 2, None, number)
        table.add(each)
        routes.append(each)
        if rng.random() < 0.3:
            gone = routes.pop(rng.randrange(len(routes)))
            table.remove(gone)
    for _ in range(1000):
        address = bytes(rng.choice((0, 1, 255)) for _ in range(size))
        fitting = [
            each for each in routes if addr.in_prefix(address, each.destination, each.prefix_length)
        ]
        best = min(fitting, key=lambda each: (-each.prefix_length, each.metric), default=None)
        found = table.find(address)
        assert (found[0] if found else None) is best


def test_a_table_is_bounded() -> None:
    table = RouteTable(4, 2)
    table.add(route("10.0.0.0/8"))
    table.add(route("11.0.0.0/8"))
    table.add(route("11.0.0.0/8"))  # the same again
    with pytest.raises(OSError) as raised:
        table.add(route("12.0.0.0/9"))
    assert raised.value.errno == errno.ENOSPC
    assert table.find(addr.parse("12.0.0.1")) == []
    assert len(table.all()) == 2


def hop(lab: Lab, remote: bytes) -> bytes:
    neighbor = lab.stack.path(remote).neighbor
    assert neighbor is not None
    return neighbor.address


def test_an_address_brings_the_route_to_its_network(lab: Lab) -> None:
    assert hop(lab, PEER) == PEER
    lab.stack.del_address(lab.now, lab.link, US)
    with pytest.raises(OSError) as raised:
        lab.stack.path(PEER)
    assert raised.value.errno == errno.ENETUNREACH


def test_a_default_route(lab: Lab) -> None:
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    path = lab.stack.path(FAR)
    assert (hop(lab, FAR), path.local, path.interface) == (ROUTER, US, lab.link.index)
    lab.stack.del_route(lab.now, bytes(4), 0)
    assert not path.valid
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR)
    with pytest.raises(OSError) as raised:
        lab.stack.del_route(lab.now, bytes(4), 0)
    assert raised.value.errno == errno.ESRCH


def test_a_gateway_must_be_on_the_link(lab: Lab) -> None:
    for gateway in (FAR, US):
        with pytest.raises(OSError) as raised:
            lab.stack.add_route(lab.now, bytes(4), 0, lab.link, gateway)
        assert raised.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize(
    ("destination", "length", "gateway"),
    [(PEER, 24, None), (bytes(4), 33, None), (bytes(5), 0, None), (bytes(4), 0, PEER_LINK)],
)
def test_what_is_no_route(lab: Lab, destination: bytes, length: int, gateway: bytes | None) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.add_route(lab.now, destination, length, lab.link, gateway)
    assert raised.value.errno == errno.EINVAL


def test_a_route_expires(lab: Lab) -> None:
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER, valid_ns=10 * SECOND)
    lab.wait(9 * SECOND)
    path = lab.stack.path(FAR)
    lab.wait(SECOND)
    assert not path.valid
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR)


def test_the_metric_chooses_and_a_pulled_cable_the_other(lab: Lab) -> None:
    other = lab.stack.add_interface("eth1", b"\x02\0\0\0\0\x09", 1500)
    lab.stack.add_address(lab.now, other, addr.parse("203.0.113.1"), 24)
    far_router = addr.parse("203.0.113.254")
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER, metric=100)
    lab.stack.add_route(lab.now, bytes(4), 0, other, far_router, metric=50)
    path = lab.stack.path(FAR)
    assert (hop(lab, FAR), path.local) == (far_router, addr.parse("203.0.113.1"))
    lab.stack.link_changed(lab.now, other, False)
    assert not path.valid
    path = lab.stack.path(FAR)
    assert (hop(lab, FAR), path.local) == (ROUTER, US)
    with pytest.raises(OSError, match="unplugged"):
        lab.stack.path(FAR, None, other.index)


def test_the_source_that_a_route_says(lab: Lab) -> None:
    second = addr.parse("192.0.2.77")
    lab.stack.add_address(lab.now, lab.link, second, 24)
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER, source=second)
    assert lab.stack.path(FAR).local == second
    assert lab.stack.path(FAR, US).local == US
    lab.stack.del_address(lab.now, lab.link, second)
    with pytest.raises(OSError, match="no route"):
        lab.stack.path(FAR)


def test_removing_one_of_two_addresses_of_a_network_leaves_its_route(lab: Lab) -> None:
    second = addr.parse("192.0.2.77")
    lab.stack.add_address(lab.now, lab.link, second, 24)
    lab.stack.del_address(lab.now, lab.link, US)
    assert hop(lab, PEER) == PEER
    assert lab.stack.path(PEER).local == second


def test_sources(lab: Lab) -> None:
    assert lab.stack.path(PEER).local == US
    assert lab.stack.path(addr.parse("2001:db8::9")).local == US6
    assert lab.stack.path(PEER_LINK, None, lab.link.index).local == US_LINK
    assert lab.stack.path(PEER_LINK, US_LINK).interface == lab.link.index


@pytest.mark.parametrize(
    ("remote", "local", "interface", "number"),
    [
        (PEER, OTHER, 0, errno.EADDRNOTAVAIL),
        (PEER, US6, 0, errno.EINVAL),
        (PEER, None, 9, errno.ENODEV),
        (PEER, addr.LOOPBACK4, 0, errno.EINVAL),
        (PEER_LINK, None, 0, errno.EINVAL),
        (FAR, None, 0, errno.ENETUNREACH),
        (bytes(5), None, 0, errno.EINVAL),
        (addr.parse("239.1.1.1"), None, 0, errno.ENETUNREACH),
    ],
)
def test_ways_that_there_are_not(
    lab: Lab, remote: bytes, local: bytes | None, interface: int, number: int
) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.path(remote, local, interface)
    assert raised.value.errno == number


def test_any_address_is_this_machine(lab: Lab) -> None:
    assert lab.stack.path(bytes(4)).remote == addr.LOOPBACK4
    assert lab.stack.path(bytes(16)).remote == addr.LOOPBACK6


def test_to_all_and_to_groups(lab: Lab) -> None:
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    for remote in (addr.parse("192.0.2.255"), addr.BROADCAST4):
        path = lab.stack.path(remote)
        assert path.neighbor is not None
        assert (path.to_all, path.neighbor.mac, path.local) == (True, b"\xff" * 6, US)
    path = lab.stack.path(addr.parse("239.1.2.3"))
    assert path.neighbor is not None
    assert path.neighbor.mac == b"\x01\0\x5e\x01\x02\x03"
    path = lab.stack.path(addr.ALL_NODES6, None, lab.link.index)
    assert path.local == US_LINK


def test_a_client_of_dhcp_sends_from_no_address() -> None:
    lab = Lab()
    path = lab.stack.path(addr.BROADCAST4, bytes(4), lab.link.index)
    assert path.local == bytes(4)
    lab.stack.del_address(lab.now, lab.link, US)
    assert lab.stack.path(addr.BROADCAST4, None, lab.link.index).local == bytes(4)


def test_paths_are_kept_and_bounded() -> None:
    settings = Settings()
    settings.paths_max = 100
    lab = Lab(settings)
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    first = lab.stack.path(FAR)
    assert lab.stack.path(FAR) is first
    for number in range(1000):
        lab.stack.path(b"\x08\x08" + number.to_bytes(2, "big"))
    assert lab.stack.path_count <= 100
    assert sum(map(len, lab.stack._paths.values())) == lab.stack.path_count
    assert not first.valid
    assert lab.stack.path(FAR).valid
