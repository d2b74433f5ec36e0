"""/proc/net, of a stack with sockets of a model kernel; read by those who read Linux's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ovum.net.network import Network
from ovum.net.socket import procnet
from ovum.net.socket.ring import Changes, Ring
from ovum.net.tools import connections, netlink, status
from ovum.net.wire import addr, show, sockaddr
from ovum.services.tasks.deadlines import Deadlines

AF_INET, AF_INET6, STREAM, DATAGRAM, RAW = 2, 10, 1, 2, 3
V4, V6 = addr.parse("10.0.2.15"), addr.parse("fe80::1")


class Clock:
    """As much of a scheduler as a network needs that has no cards."""

    def __init__(self) -> None:
        self.time = 1_000_000_000
        self.deadlines = Deadlines()

    def now(self) -> int:
        return self.time


@pytest.fixture
def network() -> Network:
    changes = Changes()
    made = Network(
        Clock(),  # type: ignore[arg-type]
        random.Random(1),
        lambda family, kind, protocol: Ring(family, kind, protocol, changes),
        lambda: 0,
    )
    made.take_changes = changes.take
    interface = made.stack.add_interface("eth0", bytes.fromhex("525400123456"), 1500)
    made.stack.add_address(0, interface, V4, 24, check=False)
    made.stack.add_route(0, bytes(4), 0, interface, b"\x0a\0\2\2", metric=100)
    return made


def rows(network: Network, name: str) -> list[connections.Socket]:
    """The table, as netstat reads it."""
    inodes = {number: 1000 + number for number in network.sockets.endpoints}
    return connections.parse_sockets(name, procnet.text(network, name, inodes))


def lines(network: Network, name: str) -> list[str]:
    return [connections.socket_line(one) for one in rows(network, name)]


def finish(coroutine: object) -> None:
    """Runs what has nothing to wait for."""
    with pytest.raises(StopIteration):
        coroutine.send(None)  # type: ignore[attr-defined]


def test_a_connection_and_its_listener(network: Network) -> None:
    listener = network.sockets.open(AF_INET, STREAM, 0)
    listener.bind(sockaddr.emit_in(addr.LOOPBACK4, 8080))
    assert lines(network, "tcp") == []  # what only has a port is not in the table
    listener.listen(5)
    client = network.sockets.open(AF_INET, STREAM, 0)
    coroutine = client.connect(sockaddr.emit_in(addr.LOOPBACK4, 8080))
    finish(coroutine)
    network.settle(network.now())
    found = lines(network, "tcp")
    assert found[0] == "tcp        0      0 127.0.0.1:8080          0.0.0.0:*               LISTEN"
    states = {line.split()[-1] for line in found}
    assert states == {"LISTEN", "ESTABLISHED"}
    ours = next(row for row in rows(network, "tcp") if row.remote_port == 8080)
    assert ours.inode == 1000 + client.number
    assert lines(network, "tcp6") == []


def test_a_dual_stack_listener_is_in_the_other_table(network: Network) -> None:
    listener = network.sockets.open(AF_INET6, STREAM, 0)
    listener.bind(sockaddr.emit_in6(bytes(16), 80))
    listener.listen(5)
    assert lines(network, "tcp") == []
    assert lines(network, "tcp6") == [
        "tcp6       0      0 :::80                   :::*                    LISTEN"
    ]


def test_datagram_and_raw_sockets(network: Network) -> None:
    bound = network.sockets.open(AF_INET, DATAGRAM, 0)
    assert lines(network, "udp") == []
    bound.bind(sockaddr.emit_in(V4, 5353))
    connected = network.sockets.open(AF_INET6, DATAGRAM, 0)
    finish(connected.connect(sockaddr.emit_in6(addr.LOOPBACK6, 53)))
    raw = network.sockets.open(AF_INET, RAW, 1)
    assert lines(network, "udp") == ["udp        0      0 10.0.2.15:5353          0.0.0.0:*"]
    (line,) = lines(network, "udp6")
    assert line.split()[4:] == ["::1:53", "ESTABLISHED"]
    assert [row.local_port for row in rows(network, "raw")] == [1]
    assert rows(network, "raw")[0].inode == 1000 + raw.number
    assert rows(network, "icmp") == []
    assert "UDP: inuse 2" in procnet.text(network, "sockstat", {})
    assert "RAW: inuse 1" in procnet.text(network, "sockstat", {})


def test_interfaces_and_routes(network: Network) -> None:
    dev = procnet.text(network, "dev", {})
    assert [line.split()[0] for line in dev.splitlines()[2:]] == ["lo:", "eth0:"]
    assert {len(line.split()) for line in dev.splitlines()[2:]} == {17}
    shown = connections.route_lines(procnet.text(network, "route", {}))[2:]
    assert sorted(shown) == [
        "0.0.0.0         10.0.2.2        0.0.0.0         UG        0 0          0 eth0",
        "10.0.2.0        0.0.0.0         255.255.255.0   U         0 0          0 eth0",
    ]
    text = procnet.text(network, "if_inet6", {})
    loopback = next(line for line in text.splitlines() if line.endswith(" lo"))
    assert loopback == "00000000000000000000000000000001 01 80 10 80       lo"
    for line in procnet.text(network, "ipv6_route", {}).splitlines():
        assert [len(word) for word in line.split()][:9] == [32, 2, 32, 2, 32, 8, 8, 8, 8]


def test_neighbors(network: Network) -> None:
    network.stack.send(network.stack.path(b"\x0a\0\2\2"), 17, (bytes(8),))
    (head, line) = procnet.text(network, "arp", {}).splitlines()
    assert head.split()[0] == "IP"
    assert line.split() == ["10.0.2.2", "0x1", "0x0", "00:00:00:00:00:00", "*", "eth0"]


def test_numbers(network: Network) -> None:
    network.stack.counters.count("tcp_retransmitted", 3)
    network.stack.counters.count("udp_checksum_bad")
    snmp = connections.statistics_lines(procnet.text(network, "snmp", {}))
    assert "    RetransSegs: 3" in snmp
    assert "    InCsumErrors: 1" in snmp
    assert "    OutSegs: 0" in snmp
    assert "    udp_checksum_bad: 1" in connections.statistics_lines(
        procnet.text(network, "netstat", {})
    )


def numbers(network: Network, group: str) -> dict[str, int]:
    """A group of /proc/net/snmp."""
    found = [
        line.split()[1:]
        for line in procnet.text(network, "snmp", {}).splitlines()
        if line.startswith(f"{group}:")
    ]
    assert len(found) == 2, group
    return dict(zip(found[0], map(int, found[1]), strict=True))


def test_numbers_have_linuxs_names_in_linuxs_order(network: Network) -> None:
    for line in Path("/proc/net/snmp").read_text().splitlines()[::2]:
        group, *names = line.replace(":", "").split()
        if group == "IcmpMsg":
            continue
        ours = list(numbers(network, group))
        assert [name for name in ours if name in names] == [name for name in names if name in ours]
        assert len(ours) >= {"Ip": 20, "Icmp": 29, "Tcp": 15}.get(group, 9)


def test_datagrams_and_messages_are_counted(network: Network) -> None:
    def open_door(kind: int, protocol: int) -> Ring:
        door = network.sockets.open(AF_INET, kind, protocol).door
        assert isinstance(door, Ring)
        return door

    receiver = network.sockets.open(AF_INET, DATAGRAM, 0)
    receiver.bind(sockaddr.emit_in(addr.LOOPBACK4, 9))
    door, ping = open_door(DATAGRAM, 0), open_door(DATAGRAM, 1)
    for port in (9, 9, 10):
        door.sendmsg(b"hello", sockaddr.emit_in(addr.LOOPBACK4, port))
    ping.sendmsg(bytes((8, 0, 0, 0, 0, 1, 0, 1)), sockaddr.emit_in(addr.LOOPBACK4, 0))
    network.sockets_changed()
    udp, icmp = numbers(network, "Udp"), numbers(network, "Icmp")
    assert (udp["InDatagrams"], udp["OutDatagrams"], udp["NoPorts"]) == (2, 3, 1)
    assert (icmp["InMsgs"], icmp["OutMsgs"], icmp["InErrors"]) == (3, 3, 0)
    assert icmp["InEchos"] == icmp["OutEchos"] == icmp["InEchoReps"] == icmp["OutEchoReps"] == 1
    assert icmp["InDestUnreachs"] == icmp["OutDestUnreachs"] == 1
    assert numbers(network, "IcmpMsg") == {
        f"{way}Type{kind}": 1 for way in ("In", "Out") for kind in (0, 3, 8)
    }


def test_connections_that_fail_are_counted(network: Network) -> None:
    listener = network.sockets.open(AF_INET, STREAM, 0)
    listener.bind(sockaddr.emit_in(addr.LOOPBACK4, 80))
    listener.listen(5)
    for port in (80, 81):
        finish(
            network.sockets.open(AF_INET, STREAM, 0).connect(sockaddr.emit_in(addr.LOOPBACK4, port))
        )
        network.settle(network.now())
    tcp = numbers(network, "Tcp")
    assert (tcp["ActiveOpens"], tcp["PassiveOpens"], tcp["AttemptFails"]) == (2, 1, 1)
    assert (tcp["EstabResets"], tcp["CurrEstab"], tcp["OutRsts"]) == (0, 2, 1)


def test_the_loopback_counts_and_shows_what_passes(network: Network) -> None:
    seen: list[bytes] = []
    network.stack.interfaces[1].taps.append(
        lambda now, interface, outgoing, data: seen.append(b"".join(data))  # type: ignore[arg-type]
    )
    sender = network.sockets.open(AF_INET, DATAGRAM, 0)
    finish(sender.connect(sockaddr.emit_in(addr.LOOPBACK4, 9)))
    door = sender.door
    assert isinstance(door, Ring)
    door.sendmsg(b"hello")
    network.sockets_changed()
    assert next(show.frame(frame).partition(" > ")[2] for frame in seen) == (
        "127.0.0.1.9: UDP, length 5"
    )
    assert all(show.frame(frame).startswith("IP 127.0.0.1") for frame in seen)
    lo = procnet.text(network, "dev", {}).splitlines()[2].split()
    assert lo[2] == lo[10] == str(len(seen))
    assert lo[1] == lo[9] != "0"


def test_neighbors_by_netlink(network: Network) -> None:
    network.stack.send(network.stack.path(b"\x0a\0\2\2"), 17, (bytes(8),))
    asking = network.sockets.open(16, RAW, 0)
    door = asking.door
    assert isinstance(door, Ring)
    door.sendmsg(bytes.fromhex("20000000 1e00 0103 01000000 00000000") + bytes(16))
    network.sockets_changed()
    data = door.recvmsg()[0]
    found = [
        netlink.Neighbor(body[:12], netlink.attributes(body[12:]))
        for kind, body in netlink.messages(data)
        if kind == 28
    ]
    lines = [status.neighbor_line(one, {2: "eth0"}) for one in found if one.state != 0x40]
    assert "10.0.2.2 dev eth0 INCOMPLETE" in lines
