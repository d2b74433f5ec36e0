"""Two stacks over a network that loses, repeats, delays and spoils (phy/netsim)."""

from __future__ import annotations

import random

import pytest

from ovum.drivers.network import Offloads
from ovum.net.phy.fault import Faults
from ovum.net.phy.netsim import Network
from ovum.net.settings import SECOND
from ovum.net.stack import Stack
from ovum.net.udp import Queue, UdpEndpoint, UdpHost
from ovum.net.wire import addr


class Host:
    """A stack on a network."""

    def __init__(
        self,
        network: Network,
        number: int,
        seed: int,
        faults: Faults | None = None,
        offloads: Offloads | None = None,
        ip_mtu: int = 1500,
    ) -> None:
        self.stack = Stack(random.Random(seed * 100 + number))
        self.stack.now = network.now
        mac = b"\x02\0\0\0\0" + bytes((number,))
        self.link = self.stack.add_interface("eth0", mac, ip_mtu, offloads)
        self.address = addr.parse(f"192.0.2.{number}")
        self.address6 = addr.parse(f"2001:db8::{number}")
        self.stack.add_address(network.now, self.link, self.address, 24)
        self.stack.add_address(network.now, self.link, self.address6, 64)
        self.udp = UdpHost(self.stack)
        network.attach(self.stack, self.link, faults)

    def endpoint(self, port: int = 0) -> tuple[UdpEndpoint, Queue]:
        queue = Queue(1 << 24)
        endpoint = self.udp.endpoint(6, queue)
        if port:
            endpoint.bind(b"", port)
        return endpoint, queue


def lossy(rng: random.Random) -> Faults:
    return Faults(
        rng, loss=0.1, duplicate=0.1, reorder=0.2, corrupt=0.05, truncate=0.02, jitter_ns=1_000_000
    )


@pytest.mark.parametrize("seed", range(12))
def test_datagrams_arrive_intact_or_not_at_all(seed: int) -> None:
    rng = random.Random(seed)
    network = Network(rng)
    offloads = Offloads()
    offloads.transmit_checksum = seed % 2 == 0
    one = Host(network, 1, seed, lossy(rng), offloads, rng.choice((1280, 1500, 9000)))
    two = Host(network, 2, seed, lossy(rng))
    network.run(10 * SECOND)
    client, _ = one.endpoint()
    _, queue = two.endpoint(53)
    sent = set()
    for number in range(150):
        data = number.to_bytes(2, "big") + rng.randbytes(rng.randrange(4000))
        sent.add(data)
        target = two.address6 if rng.random() < 0.5 else addr.to_mapped(two.address)
        client.send(data, target, 53)
        network.run(rng.randrange(50_000_000))
    network.run(120 * SECOND)
    arrived = []
    while (datagram := queue.take()) is not None:
        arrived.append(datagram[2])
    # A checksum of 16 bits lets one spoiled datagram in 65,536 through: none of these few.
    assert set(arrived) <= sent
    assert len(set(arrived)) > 30
    for host in (one, two):
        assert host.stack.reassembler.memory == 0
        assert not host.link.outbox


def test_a_clean_network_loses_nothing() -> None:
    network = Network(random.Random(1))
    one, two = Host(network, 1, 1), Host(network, 2, 1)
    network.run(5 * SECOND)
    client, answers = one.endpoint()
    server, queue = two.endpoint(53)
    client.connect(addr.to_mapped(two.address), 53)
    for number in range(100):
        client.send(b"%d" % number)
        assert network.run_until(lambda: len(queue) > 0, SECOND)
        datagram = queue.take()
        assert datagram is not None
        server.send(datagram[2], datagram[0], datagram[1])
        assert network.run_until(lambda: len(answers) > 0, SECOND)
        answer = answers.take()
        assert answer is not None
        assert answer[2] == b"%d" % number


def test_two_with_one_address_find_out() -> None:
    network = Network(random.Random(1))
    one, two = Host(network, 1, 1), Host(network, 2, 1)
    network.run(5 * SECOND)
    found: list[bool] = []
    one.stack.probe_address(
        network.now, one.link, two.address, lambda now, free: found.append(free)
    )
    one.stack.add_address(network.now, one.link, two.address6, 64)
    network.run(10 * SECOND)
    assert found == [False]
    assert two.address6 not in one.link.addresses6
    assert two.address6 in two.link.addresses6


def test_the_same_seed_is_the_same_run() -> None:
    def run(seed: int) -> list[tuple[int, bytes]]:
        rng = random.Random(seed)
        network = Network(rng)
        frames: list[tuple[int, bytes]] = []
        network.taps.append(lambda at, frame: frames.append((at, frame)))
        one, two = Host(network, 1, seed, lossy(rng)), Host(network, 2, seed, lossy(rng))
        client, _ = one.endpoint()
        network.run(3 * SECOND)
        client.send(b"x" * 5000, two.address6, 9)
        network.run(10 * SECOND)
        return frames

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_an_unplugged_port_is_silent() -> None:
    network = Network(random.Random(1))
    one, two = Host(network, 1, 1), Host(network, 2, 1)
    network.run(5 * SECOND)
    network.ports[1].plugged = False
    client, answers = one.endpoint()
    client.send(b"x", addr.to_mapped(two.address), 53)
    network.run(10 * SECOND)
    error = answers.take_error()
    assert error is not None
    network.ports[1].plugged = True
    client.send(b"x", addr.to_mapped(two.address), 53)
    network.run(10 * SECOND)
    assert two.stack.counters["udp_port_unreachable"] == 1


def test_faults() -> None:
    rng = random.Random(1)
    frame = bytes(100)
    assert Faults(rng).apply(0, frame) == [(0, frame)]
    assert Faults(rng, loss=1).apply(0, frame) == []
    assert len(Faults(rng, duplicate=1).apply(0, frame)) == 2
    ((_, spoiled),) = Faults(rng, corrupt=1).apply(0, frame)
    assert sum(map(int.bit_count, spoiled)) == 1
    ((_, short),) = Faults(rng, truncate=1).apply(0, frame)
    assert len(short) <= 100
    assert Faults(rng, size_max=99).apply(0, frame) == []
    slow = Faults(rng, bytes_per_s=1000, queue_ns=SECOND // 4)
    assert [later for _ in range(5) for later, _ in slow.apply(0, frame)] == [
        100_000_000,
        200_000_000,
        300_000_000,
    ]
    assert slow.lost == 2
