"""/proc/net (proc_pid_net(5)): the tables by their names, from the state of the network."""

from __future__ import annotations

from ovum.net.iface import address as states
from ovum.net.iface import neighbor as neighbors
from ovum.net.socket import interfaces
from ovum.net.socket.datagram import DatagramEndpoint
from ovum.net.socket.procsnmp import netstat_text, snmp_text
from ovum.net.socket.rawip import RawIpEndpoint
from ovum.net.socket.stream import StreamEndpoint
from ovum.net.socket.tables import hexadecimal, raw_text, tcp_text, udp_text
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ovum.net.network import Network

_RTF_UP, _RTF_GATEWAY, _RTF_HOST = 1, 2, 4
_ROUTE_WIDTH = 127

_ADDRESS_FLAGS = {states.TENTATIVE: 0x40, states.DEPRECATED: 0x20, states.DUPLICATE: 0x48}
_PERMANENT = 0x80

_SCOPES6 = {addr.LINK_LOCAL: 0x20, addr.SITE_LOCAL: 0x40, addr.NODE_LOCAL: 0x10}
_HOST_SCOPE6 = 0x10


def text(network: Network, name: str, inodes: Mapping[int, int]) -> str:
    """The table of this name. inodes: see tables.py."""
    if name in ("tcp", "tcp6"):
        return tcp_text(network, inodes, _version(name))
    if name in ("udp", "udp6"):
        return udp_text(network, inodes, _version(name))
    if name in ("raw", "raw6", "icmp", "icmp6"):
        return raw_text(network, inodes, _version(name), name.startswith("icmp"))
    if name == "sockstat":
        return sockstat_text(network, len(inodes))
    return _TABLES[name](network)


def _version(name: str) -> int:
    return 6 if name.endswith("6") else 4


def dev_text(network: Network) -> str:
    """/proc/net/dev: what has gone through each interface."""
    text = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|"
        "bytes    packets errs drop fifo colls carrier compressed\n"
    )
    for interface in network.stack.interfaces.values():
        text += (
            f"{interface.name:>6}: {interface.received_bytes:7} {interface.received_frames:7} "
            "   0    0    0     0          0         0 "
            f"{interface.sent_bytes:8} {interface.sent_frames:7}    0    0    0     0       0"
            "          0\n"
        )
    return text


def route_text(network: Network) -> str:
    """/proc/net/route: IPv4's."""
    head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
    lines = [head.ljust(_ROUTE_WIDTH)]
    for route in network.stack.routes(4):
        interface = network.stack.interfaces.get(route.interface)
        if interface is None or interface.loopback:
            continue
        flags = _RTF_UP
        flags |= _RTF_GATEWAY if route.gateway else 0
        flags |= _RTF_HOST if route.prefix_length == 32 else 0
        mask = addr.mask(route.prefix_length)
        lines.append(
            f"{interface.name}\t{hexadecimal(route.destination)}\t"
            f"{hexadecimal(route.gateway or bytes(4))}\t{flags:04X}\t0\t0\t{route.metric}\t"
            f"{hexadecimal(mask)}\t{route.ip_mtu}\t0\t0".ljust(_ROUTE_WIDTH)
        )
    return "\n".join(lines) + "\n"


def ipv6_route_text(network: Network) -> str:
    """/proc/net/ipv6_route."""
    text = ""
    for route in network.stack.routes(6):
        interface = network.stack.interfaces.get(route.interface)
        if interface is None:
            continue
        flags = _RTF_UP | (_RTF_GATEWAY if route.gateway else 0)
        flags |= _RTF_HOST if route.prefix_length == 128 else 0
        text += (
            f"{route.destination.hex()} {route.prefix_length:02x} {'0' * 32} 00 "
            f"{(route.gateway or bytes(16)).hex()} {route.metric:08x} 00000001 00000000 "
            f"{flags:08x} {interface.name:>8}\n"
        )
    return text


def if_inet6_text(network: Network) -> str:
    """/proc/net/if_inet6: IPv6's addresses."""
    text = ""
    for interface in network.stack.interfaces.values():
        for entry in interface.addresses6.values():
            scope = _SCOPES6.get(addr.scope(entry.address), 0)
            if addr.is_loopback(entry.address):
                scope = _HOST_SCOPE6
            flags = _ADDRESS_FLAGS.get(entry.state, 0)
            flags |= _PERMANENT if entry.valid_until is None else 0
            text += (
                f"{entry.address.hex()} {interface.index:02x} {entry.prefix_length:02x} "
                f"{scope:02x} {flags:02x} {interface.name:>8}\n"
            )
    return text


def arp_text(network: Network) -> str:
    """/proc/net/arp: IPv4's neighbors."""
    text = "IP address       HW type     Flags       HW address            Mask     Device\n"
    for interface in network.stack.interfaces.values():
        if interface.loopback:
            continue
        for neighbor in interface.neighbors(4):
            if addr.is_multicast(neighbor.address) or neighbor.address == addr.BROADCAST4:
                continue
            # ATF_COM, and ATF_PERM (arp(7)).
            flags = 6 if neighbor.state == neighbors.PERMANENT else 2 if neighbor.mac else 0
            mac = addr.mac_text(neighbor.mac or bytes(6))
            text += (
                f"{addr.text(neighbor.address):<16} 0x{interfaces.hardware_type(interface):<10x}"
                f"0x{flags:<10x}{mac}     *        {interface.name}\n"
            )
    return text


def sockstat_text(network: Network, used: int) -> str:
    """/proc/net/sockstat: how many sockets there are."""
    endpoints = list(network.sockets.endpoints.values())
    streams = sum(isinstance(endpoint, StreamEndpoint) for endpoint in endpoints)
    datagrams = sum(isinstance(endpoint, DatagramEndpoint) for endpoint in endpoints)
    raws = sum(isinstance(endpoint, RawIpEndpoint) for endpoint in endpoints)
    tcp = network.tcp
    return (
        f"sockets: used {used}\n"
        f"TCP: inuse {streams} orphan {tcp.orphans} tw {len(tcp.time_waits)} "
        f"alloc {streams} mem {tcp.memory.held() >> 12}\n"
        f"UDP: inuse {datagrams} mem 0\nUDPLITE: inuse 0\nRAW: inuse {raws}\n"
        "FRAG: inuse 0 memory 0\n"
    )


_TABLES = {
    "arp": arp_text,
    "dev": dev_text,
    "if_inet6": if_inet6_text,
    "ipv6_route": ipv6_route_text,
    "netstat": netstat_text,
    "route": route_text,
    "snmp": snmp_text,
}
