"""netstat: sockets, routes, interfaces and numbers, from the tables in /proc/net (netstat(8))."""

from __future__ import annotations

from ovum.net.tools.hosts import ToolError
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PROC_NET = "/proc/net"

_TCP_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
    "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
)  # fmt: skip
_LISTEN, _CLOSE = 10, 7

_UNIX_TYPES = {1: "STREAM", 2: "DGRAM", 5: "SEQPACKET"}
_UNIX_STATES = {1: "", 2: "CONNECTING", 3: "CONNECTED", 4: "DISCONNECTING"}
_ACCEPTS = 0x10000


class Socket:
    """A line of /proc/net/tcp and its like."""

    __slots__ = ("inode", "local", "local_port", "protocol", "receive_queue", "remote",
                 "remote_port", "send_queue", "state")  # fmt: skip

    def __init__(self, protocol: str, words: Sequence[str]) -> None:
        self.protocol = protocol
        self.local, self.local_port = parse_address(words[1])
        self.remote, self.remote_port = parse_address(words[2])
        self.state = int(words[3], 16)
        send, _, receive = words[4].partition(":")
        self.send_queue, self.receive_queue = int(send, 16), int(receive, 16)
        self.inode = int(words[9])


def parse_address(text: str) -> tuple[bytes, int]:
    """`0100007F:0016`: words of 4 bytes in the machine's order, and the port."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    if len(raw) not in (4, 16):
        raise ValueError(f"{text!r} is no address of /proc/net")
    swapped = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return swapped, int(port, 16)


def parse_sockets(protocol: str, text: str) -> list[Socket]:
    """The lines of a table."""
    return [Socket(protocol, line.split()) for line in text.splitlines()[1:] if line.strip()]


def _read(name: str) -> str:
    try:
        with open(f"{PROC_NET}/{name}", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ToolError(f"{PROC_NET}/{name}: {error.strerror}") from error


def _place(address: bytes, port: int) -> str:
    return f"{addr.text(address)}:{port or '*'}"


def socket_line(one: Socket) -> str:
    """As netstat has it, without names."""
    state = ""
    if one.protocol.startswith("tcp"):
        state = _TCP_STATES[one.state] if one.state < len(_TCP_STATES) else str(one.state)
    elif one.protocol.startswith("raw"):
        state = str(one.state)
    elif one.state == 1:
        state = "ESTABLISHED"
    return (
        f"{one.protocol:<5} {one.receive_queue:6} {one.send_queue:6} "
        f"{_place(one.local, one.local_port):<23} {_place(one.remote, one.remote_port):<23} "
        f"{state}"
    ).rstrip()


def unix_line(words: Sequence[str]) -> str:
    """A line of /proc/net/unix, as netstat has it."""
    flags = "ACC " if int(words[3], 16) & _ACCEPTS else ""
    kind, state = int(words[4], 16), int(words[5], 16)
    shown = "LISTENING" if flags else _UNIX_STATES.get(state, str(state))
    path = words[7] if len(words) > 7 else ""
    return (
        f"{'unix':<5} {int(words[1], 16):<6} [ {flags}]{'' if flags else '    '}     "
        f"{_UNIX_TYPES.get(kind, str(kind)):<10} {shown:<13} {words[6]:<8} {path}"
    ).rstrip()


def netstat(
    *,
    everything: bool = False,
    listening: bool = False,
    protocols: Sequence[str] = ("tcp", "udp", "raw", "unix"),
    routes: bool = False,
    interfaces: bool = False,
    statistics: bool = False,
) -> None:
    """Prints the sockets that are connected; addresses and ports are numbers.

    listening: those that listen instead. everything: both. protocols: of these. Or instead of
    sockets: routes, interfaces, or statistics of the protocols. Raises ToolError.
    """
    if routes:
        _print(route_lines(_read("route")))
    elif interfaces:
        _print(interface_lines(_read("dev")))
    elif statistics:
        _print(statistics_lines(_read("snmp") + _read("netstat")))
    else:
        which = "servers and established" if everything else "only servers"
        heading = f"({which if everything or listening else 'w/o servers'})"
        if any(name != "unix" for name in protocols):
            print(f"Active Internet connections {heading}")
            print("Proto Recv-Q Send-Q Local Address           Foreign Address         State")
            for name in protocols:
                for table in (name, f"{name}6") if name != "unix" else ():
                    for one in parse_sockets(table, _read(table)):
                        waits = _waits(one)
                        if everything or waits == listening:
                            print(socket_line(one))
        if "unix" in protocols:
            print(f"Active UNIX domain sockets {heading}")
            print("Proto RefCnt Flags       Type       State         I-Node   Path")
            for line in _read("unix").splitlines()[1:]:
                words = line.split(None, 7)
                waits = int(words[3], 16) & _ACCEPTS != 0
                if everything or waits == listening:
                    print(unix_line(words))


def _waits(one: Socket) -> bool:
    """Whether it is a server's: it listens, or has no peer."""
    if one.protocol.startswith("tcp"):
        return one.state == _LISTEN
    return one.state == _CLOSE


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def route_lines(text: str) -> list[str]:
    """/proc/net/route, as `netstat -rn` has it."""
    lines = [
        "Kernel IP routing table",
        "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface",
    ]
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 11:
            continue
        destination, gateway, mask = (
            addr.text(bytes.fromhex(words[at])[::-1]) for at in (1, 2, 7)
        )  # fmt: skip
        bits = int(words[3], 16)
        flags = "".join(letter for bit, letter in ((1, "U"), (2, "G"), (4, "H")) if bits & bit)
        lines.append(
            f"{destination:<15} {gateway:<15} {mask:<15} {flags:<6} {words[8]:>4} "
            f"{words[9]:<6} {words[10]:>5} {words[0]}"
        )
    return lines


def interface_lines(text: str) -> list[str]:
    """/proc/net/dev, as `netstat -i` has it, without what is not in there."""
    lines = [
        "Kernel Interface table",
        "Iface                RX-OK RX-ERR RX-DRP    RX-bytes    TX-OK TX-ERR TX-DRP    TX-bytes",
    ]
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) >= 16:
            lines.append(
                f"{name.strip():<16} {words[1]:>9} {words[2]:>6} {words[3]:>6} {words[0]:>11} "
                f"{words[9]:>8} {words[10]:>6} {words[11]:>6} {words[8]:>11}"
            )
    return lines


def statistics_lines(text: str) -> list[str]:
    """/proc/net/snmp, a number a line: pairs of lines, names and values."""
    lines: list[str] = []
    rows = text.splitlines()
    for names, values in zip(rows[::2], rows[1::2], strict=False):
        group, *keys = names.split()
        lines.append(group)
        lines += [
            f"    {key}: {value}" for key, value in zip(keys, values.split()[1:], strict=False)
        ]
    return lines
