"""/proc/net: the network's tables (proc_pid_net(5)).

Local sockets are the kernel's, the rest the network's (net/socket/procnet.py), as soon as the
program has made a socket: looking at the tables does not start the network.
"""

from __future__ import annotations

import sys

from ovum.services.proc.kernel import sockets
from ovum.services.proc.nodes import Folder, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.proc.kernel import Inspect

_HEAD4 = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
    "timeout inode"
)
_HEAD6 = (
    "  sl  local_address                         remote_address                        st "
    "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
_MORE = " ref pointer drops\n"

HEADS = {
    "arp": "IP address       HW type     Flags       HW address            Mask     Device\n",
    "dev": (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|"
        "bytes    packets errs drop fifo colls carrier compressed\n"
    ),
    "if_inet6": "",
    "ipv6_route": "",
    "netstat": "",
    "route": (
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    ),
    "snmp": "",
    "sockstat": "sockets: used 0\n",
    "tcp": f"{_HEAD4}\n",
    "tcp6": f"{_HEAD6}\n",
    **dict.fromkeys(("udp", "raw", "icmp"), _HEAD4 + _MORE),
    **dict.fromkeys(("udp6", "raw6", "icmp6"), _HEAD6 + _MORE),
}
"""The tables of a machine without a network."""

_LISTENING, _CONNECTED = 32, 1
_ACCEPTS = 0x10000
_SS_UNCONNECTED, _SS_CONNECTED = 1, 3


def network_folder(inspect: Inspect) -> Folder:
    """What /proc/net has."""
    nodes = {name: Text(_table(inspect, name)) for name in HEADS}
    return Folder({**nodes, "unix": Text(lambda: unix_text(inspect))})


def _table(inspect: Inspect, name: str) -> Callable[[], str | bytes]:
    def made() -> str:
        service: Any = sys.modules.get("ovum.net.service")
        network = service.running() if service is not None else None
        if network is None:
            return HEADS[name]
        from ovum.net.socket.procnet import text

        inodes = {one.door: inode for inode, one in sockets(inspect).items() if one.door}
        return text(network, name, inodes)

    return made


def unix_text(inspect: Inspect) -> str:
    """/proc/net/unix: local sockets; addresses of the kernel's are nobody's business."""
    text = "Num       RefCount Protocol Flags    Type St Inode Path\n"
    for inode, one in sockets(inspect).items():
        if one.family != 1:
            continue
        flags = _ACCEPTS if one.state & _LISTENING else 0
        state = _SS_CONNECTED if one.state & _CONNECTED else _SS_UNCONNECTED
        references = 3 if state == _SS_CONNECTED else 2
        path = f" {one.path}" if one.path else ""
        text += f"{0:016x}: {references:08X} 00000000 {flags:08X} {one.type:04X} {state:02X} "
        text += f"{inode:5}{path}\n"
    return text
