"""ip and netstat: what they make of netlink's messages and of /proc/net, beside the real tools."""

from __future__ import annotations

import shutil
import socket
import subprocess

import pytest

from ovum.net.tools import ToolError, connections, ip, netlink, netstat, status
from ovum.net.wire import addr

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1129 1
   1: 0F02000A:A1B2 0202000A:0050 01 00000010:00000020 00:00000000 00000000     0        0 2244 1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00:00 0 0 0 0 7
   1: 0000000000000000FFFF00000F02000A:0016 0000000000000000FFFF00000202000A:C350 06 00:00 0 0 0 0 8
"""


def test_sockets_of_proc_net_tcp() -> None:
    listening, connected = connections.parse_sockets("tcp", TCP)
    assert connections.socket_line(listening) == (
        "tcp        0      0 0.0.0.0:2024            0.0.0.0:*               LISTEN"
    )
    assert (connected.inode, connected.send_queue, connected.receive_queue) == (2244, 16, 32)
    assert connections.socket_line(connected) == (
        "tcp       32     16 10.0.2.15:41394         10.0.2.2:80             ESTABLISHED"
    )


def test_sockets_of_proc_net_tcp6() -> None:
    first, second = connections.parse_sockets("tcp6", TCP6)
    assert connections.socket_line(first) == (
        "tcp6       0      0 ::1:8080                :::*                    LISTEN"
    )
    assert connections.socket_line(second).split()[3:] == [
        "::ffff:10.0.2.15:22",
        "::ffff:10.0.2.2:50000",
        "TIME_WAIT",
    ]


def test_lines_of_local_sockets() -> None:
    words = "0000: 00000002 00000000 00010000 0001 01 1129 /run/a b".split(None, 7)
    assert connections.unix_line(words) == (
        "unix  2      [ ACC ]     STREAM     LISTENING     1129     /run/a b"
    )
    words = "0000: 00000003 00000000 00000000 0002 03 1130".split(None, 7)
    assert connections.unix_line(words) == "unix  3      [ ]         DGRAM      CONNECTED     1130"


def test_an_address_that_is_none() -> None:
    with pytest.raises(ValueError, match="no address"):
        connections.parse_address("0F02:0050")


def test_routes_interfaces_and_statistics() -> None:
    route = "Iface\tDestination\neth0\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0   \n"
    assert connections.route_lines(route)[2] == (
        "0.0.0.0         10.0.2.2        0.0.0.0         UG        0 0          0 eth0"
    )
    dev = "a\nb\n  eth0: 1500 10 1 2 0 0 0 0 3000 20 3 4 0 0 0 0\n"
    assert connections.interface_lines(dev)[2].split() == (
        ["eth0", "10", "1", "2", "1500", "20", "3", "4", "3000"]
    )
    assert connections.statistics_lines("Ip: A B\nIp: 1 2\nUdp: C\nUdp: 3\n") == [
        "Ip:",
        "    A: 1",
        "    B: 2",
        "Udp:",
        "    C: 3",
    ]


def attribute(kind: int, data: bytes) -> bytes:
    return (
        (4 + len(data)).to_bytes(2, "little")
        + kind.to_bytes(2, "little")
        + (data + bytes(-len(data) % 4))
    )


def test_an_interface_without_a_cable() -> None:
    structure = bytes.fromhex("0000 0100 02000000 03100000 00000000")
    link = netlink.Link(
        structure,
        {
            3: b"eth0\0",
            1: bytes.fromhex("525400123456"),
            2: b"\xff" * 6,
            4: b"\xdc\5\0\0",
            6: b"noqueue\0",
            13: b"\xe8\3\0\0",
            16: b"\2",
        },
    )
    assert status.link_lines(link) == [
        "2: eth0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN group "
        "default qlen 1000",
        "    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff",
    ]


def test_addresses_routes_and_neighbors() -> None:
    v4, v6 = addr.parse("10.0.2.15"), addr.parse("2001:db8::1")
    address = netlink.Address(
        bytes.fromhex("02180000 02000000"),
        {1: v4, 2: v4, 4: addr.parse("10.0.2.255"), 3: b"eth0\0", 6: b"\x10\x0e\0\0\x20\x1c\0\0"},
    )
    assert status.address_lines(address) == [
        "    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0",
        "       valid_lft 7200sec preferred_lft 3600sec",
    ]
    address = netlink.Address(bytes.fromhex("0a40c000 02000000"), {1: v6})
    assert status.address_lines(address) == [
        "    inet6 2001:db8::1/64 scope global tentative",
        "       valid_lft forever preferred_lft forever",
    ]
    route = netlink.Route(
        bytes.fromhex("02000000 fe100001 00000000"),
        {4: b"\2\0\0\0", 5: addr.parse("10.0.2.2"), 6: b"\x64\0\0\0", 7: v4},
    )
    assert status.route_line(route, {2: "eth0"}) == (
        "default via 10.0.2.2 dev eth0 proto dhcp src 10.0.2.15 metric 100"
    )
    route = netlink.Route(
        bytes.fromhex("0a400000 fe020001 00000000"), {1: v6, 4: b"\2\0\0\0", 20: b"\0"}
    )
    assert status.route_line(route, {}) == "2001:db8::1/64 dev 2 proto kernel pref medium"
    neighbor = netlink.Neighbor(
        bytes.fromhex("0a000000 02000000 0400 80 01"), {1: v6, 2: bytes.fromhex("525400123456")}
    )
    assert status.neighbor_line(neighbor, {2: "eth0"}) == (
        "2001:db8::1 dev eth0 lladdr 52:54:00:12:34:56 router STALE"
    )


def test_malformed_messages_end_the_list() -> None:
    good = bytes.fromhex("14000000 1000 0200 01000000 00000000 aabbccdd")
    assert list(netlink.messages(good + good[:10])) == [(16, bytes.fromhex("aabbccdd"))]
    assert list(netlink.messages(b"\x05" + good[1:])) == []
    assert list(netlink.messages(b"\xff" + good[1:])) == []
    data = attribute(1, b"abc") + attribute(2, b"") + b"\x03\0\1\0" + attribute(3, b"x")
    assert netlink.attributes(data) == {1: b"abc", 2: b""}
    assert netlink.attributes(attribute(1, b"abcdef")[:8]) == {}


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.skipif(shutil.which("ip") is None, reason="there is no iproute2 to compare with")
@pytest.mark.parametrize("words", [("addr",), ("link",), ("route",), ("-6", "route"), ("neigh",)])
def test_as_iproute2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    def theirs() -> list[str]:
        told = subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
        return [essence(line) for line in squeezed(told)]

    before = theirs()
    ip(words[-1], 6 if words[0] == "-6" else 0)
    ours = [essence(line) for line in squeezed(capsys.readouterr().out)]
    after = theirs()
    if before != after:
        pytest.skip("the network has changed meanwhile")
    assert ours == after


def essence(line: str) -> str:
    """What all versions of iproute2 have: later ones say more."""
    for behind in (" proto ", " scope ", " group ", " metric ", " link-netnsid ", " altname "):
        line = line.partition(behind)[0]
    return line


def test_the_test_s_own_listener_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        netstat(listening=True, protocols=("tcp",))
    lines = squeezed(capsys.readouterr().out)
    assert f"tcp 0 0 127.0.0.1:{port} 0.0.0.0:* LISTEN" in lines
    assert not [line for line in lines if "ESTABLISHED" in line]


def test_what_is_not_understood_is_said_plainly() -> None:
    with pytest.raises(ToolError, match="unknown object"):
        ip("nonsense")
    with pytest.raises(ToolError, match="does not exist"):
        ip("addr", interface="nosuch")
