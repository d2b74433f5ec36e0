"""What /proc/net says of sockets, in Linux's words (proc_pid_net(5)): rendered when it is read.

`inodes`: by the number of a door, the inode that fstat(2) gives of the program's socket.
"""

from __future__ import annotations

from ovum.net.socket.address import AF_INET
from ovum.net.socket.datagram import DatagramEndpoint
from ovum.net.socket.rawip import RawIpEndpoint
from ovum.net.socket.stream import StreamEndpoint
from ovum.net.tcp.listen import HalfOpen
from ovum.net.tcp.states import CLOSED, LISTEN, SYN_RECEIVED, TIME_WAIT
from ovum.net.tcp.tcb import Tcb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ovum.net.network import Network

_HEAD4 = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
    "timeout inode"
)
_HEAD6 = (
    "  sl  local_address                         remote_address                        "
    "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
_CONNECTED, _CLOSE = 1, 7
"""States of those that have no connections, as TCP's are numbered."""

_WIDTH = 149
"""Of a line of IPv4's tables."""


def hexadecimal(address: bytes) -> str:
    """An address as these tables have it: words of 4 bytes in the machine's order."""
    return "".join(address[at : at + 4][::-1].hex() for at in range(0, len(address), 4)).upper()


def _place(address: bytes, port: int, size: int) -> str:
    if len(address) < size:
        address = bytes(10) + b"\xff\xff" + address if len(address) == 4 else bytes(size)
    return f"{hexadecimal(address)}:{port:04X}"


class _Row:
    """A line of a table."""

    __slots__ = ("inode", "local", "local_port", "received", "remote", "remote_port", "state",
                 "unsent")  # fmt: skip

    def __init__(self, local: bytes, local_port: int, remote: bytes, remote_port: int) -> None:
        self.local, self.local_port = local, local_port
        self.remote, self.remote_port = remote, remote_port
        self.state = _CLOSE
        self.unsent = self.received = self.inode = 0

    def text(self, number: int, size: int, more: str) -> str:
        """The line; size: of its addresses."""
        line = (
            f"{number:4}: {_place(self.local, self.local_port, size)} "
            f"{_place(self.remote, self.remote_port, size)} {self.state:02X} "
            f"{self.unsent:08X}:{self.received:08X} 00:00000000 00000000     0        0 "
            f"{self.inode} {more}"
        )
        return line.ljust(_WIDTH) if size == 4 else line


def _table(rows: Iterator[_Row], size: int, more: str, head_more: str = "") -> str:
    head = (_HEAD4 if size == 4 else _HEAD6) + head_more
    lines = [head.ljust(_WIDTH) if size == 4 and not head_more else head]
    lines += [row.text(number, size, more) for number, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def tcp_text(network: Network, inodes: Mapping[int, int], version: int) -> str:
    """/proc/net/tcp and tcp6."""
    return _table(
        _tcp_rows(network, inodes, version), 4 if version == 4 else 16, "1 0 100 0 0 10 0"
    )


def _tcp_rows(network: Network, inodes: Mapping[int, int], version: int) -> Iterator[_Row]:
    shown: set[bytes] = set()
    for endpoint in list(network.sockets.endpoints.values()):
        if not isinstance(endpoint, StreamEndpoint):
            continue
        connection = endpoint.connection
        if connection is not None:
            shown.add(connection.key)
        if (endpoint.family == AF_INET) != (version == 4):
            continue
        if connection is not None and connection.state != CLOSED:
            row = _Row(
                connection.local, connection.local_port, connection.remote, connection.remote_port
            )
            row.state = connection.state
            row.unsent = endpoint.door.send_queued()
            row.received = endpoint.door.receive_queued()
        elif endpoint.listener is not None:
            row = _Row(endpoint.local, endpoint.local_port, b"", 0)
            row.state = LISTEN
        else:
            continue  # what only has a port is not in this table
        row.inode = inodes.get(endpoint.number, 0)
        yield row
    # What nobody has a descriptor for. An IPv4 peer's is in the first table, whoever had it.
    for key, other in list(network.tcp.table.items()):
        if key in shown:
            continue
        size = (len(key) - 4) // 2
        if (size == 4) != (version == 4):
            continue
        remote_port, local_port = (int.from_bytes(key[at : at + 2], "big") for at in (-4, -2))
        row = _Row(key[size : 2 * size], local_port, key[:size], remote_port)
        if isinstance(other, Tcb):
            row.state = other.state
        else:
            row.state = SYN_RECEIVED if isinstance(other, HalfOpen) else TIME_WAIT
        yield row


def udp_text(network: Network, inodes: Mapping[int, int], version: int) -> str:
    """/proc/net/udp and udp6."""
    rows = _message_rows(network, inodes, version, DatagramEndpoint)
    return _table(rows, 4 if version == 4 else 16, "2 0 0", " ref pointer drops")


def raw_text(network: Network, inodes: Mapping[int, int], version: int, ping: bool = False) -> str:
    """/proc/net/raw and raw6; of ping sockets icmp and icmp6."""
    rows = _message_rows(network, inodes, version, RawIpEndpoint, ping)
    return _table(rows, 4 if version == 4 else 16, "2 0 0", " ref pointer drops")


def _message_rows(
    network: Network,
    inodes: Mapping[int, int],
    version: int,
    kind: type[DatagramEndpoint] | type[RawIpEndpoint],
    ping: bool = False,
) -> Iterator[_Row]:
    for endpoint in list(network.sockets.endpoints.values()):
        if not isinstance(endpoint, kind) or (endpoint.family == AF_INET) != (version == 4):
            continue
        if isinstance(endpoint, DatagramEndpoint):
            local, port = endpoint.udp.local, endpoint.udp.port
            if not port:
                continue
        else:
            if (endpoint.ping is not None) != ping:
                continue
            local = endpoint.raw.local
            port = endpoint.protocol if endpoint.ping is None else endpoint.ping.port
        row = _Row(local, port, endpoint.peer[0], endpoint.peer[1])
        row.state = _CONNECTED if endpoint.is_connected else _CLOSE
        row.received = endpoint.door.receive_queued()
        row.inode = inodes.get(endpoint.number, 0)
        yield row
