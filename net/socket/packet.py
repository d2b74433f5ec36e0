"""AF_PACKET (packet(7)): whole frames of an interface, for programs like tcpdump."""

from __future__ import annotations

from _struct import Struct
from errno import EINVAL, EMSGSIZE, ENODEV, ENOPROTOOPT, ENOTCONN, ENXIO

from ovum.drivers.frames import Frame
from ovum.net.socket.address import refuse
from ovum.net.socket.door import CLOSED, CONNECTED, SENT
from ovum.net.socket.endpoint import Endpoint
from ovum.net.socket.interfaces import BROADCAST_MAC, hardware_type
from ovum.net.socket.options import SOL_PACKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.interface import Interface
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door

    Buffer = bytes | bytearray | memoryview

AF_PACKET, SOCK_RAW = 17, 3
ETH_P_ALL = 3
RECEIVE, SEND = 425_984, 212_992

_ADDRESS = Struct("<2s2siHBB8s")
"""struct sockaddr_ll: family, protocol (network order), interface, kind of card, of packet, length
of the address, address."""
_HOST, _BROADCAST, _MULTICAST, _OTHER, _OUTGOING = range(5)

_PACKET_ADD_MEMBERSHIP, _PACKET_DROP_MEMBERSHIP, _PACKET_STATISTICS = 1, 2, 6
_STATISTICS = Struct("<II")
_HEADER = 14


class PacketEndpoint(Endpoint):
    """A socket that gets frames, and sends them."""

    __slots__ = ("count", "dropped", "ether_type", "interface", "tap", "tapped")

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        self.receive_size, self.send_size = RECEIVE, SEND
        door.set_limits(RECEIVE, SEND)
        door.set_state(CONNECTED)
        self.interface = 0
        """0: all of them."""
        self.ether_type = (protocol & 0xFF) << 8 | protocol >> 8 & 0xFF
        """0: nothing is wanted (yet)."""
        self.count = 0
        self.dropped = 0
        self.tap = self._seen
        self.tapped: list[Interface] = []
        self._attach()

    def _attach(self) -> None:
        """Looks at what it is bound to, and at nothing else."""
        for interface in self.tapped:
            if self.tap in interface.taps:
                interface.taps.remove(self.tap)
        self.tapped = []
        if self.ether_type:
            for index, interface in self.sockets.stack.interfaces.items():
                if self.interface in (0, index):
                    interface.taps.append(self.tap)
                    self.tapped.append(interface)

    # Calls

    def bind(self, address: Buffer) -> None:
        """bind(2): to an interface, or to all; maybe with another type of frames."""
        if len(address) < 12 or address[0] != AF_PACKET:
            raise refuse(EINVAL)
        index = int.from_bytes(address[4:8], "little")
        if index and self.sockets.interface(index) is None:
            raise refuse(ENODEV)
        self.interface = index
        self.ether_type = int.from_bytes(address[2:4], "big") or self.ether_type
        self._attach()

    def own_name(self) -> bytes:
        """getsockname(2)."""
        interface = self.sockets.interface(self.interface)
        mac = b"" if interface is None else interface.mac or bytes(6)
        kind = 0 if interface is None else hardware_type(interface)
        return _address(self.ether_type, self.interface, kind, 0, mac)

    def peer_name(self) -> bytes:
        """getpeername(2)."""
        raise refuse(ENOTCONN)

    # Frames

    def _seen(self, now: int, interface: Interface, outgoing: bool, data: object) -> None:
        """A frame has passed."""
        pieces = data if isinstance(data, tuple | list) else (data,)
        frame = b"".join(pieces)
        ether_type = int.from_bytes(frame[12:14], "big")
        if self.ether_type not in (ETH_P_ALL, ether_type):
            return
        self.count += 1
        if outgoing:
            kind = _OUTGOING
            if self.ether_type != ETH_P_ALL:
                return  # as in Linux: only who wants everything sees what is sent
        elif frame[:6] == BROADCAST_MAC:
            kind = _BROADCAST
        elif frame[0] & 1:
            kind = _MULTICAST
        else:
            kind = _HOST if frame[:6] == (interface.mac or frame[:6]) else _OTHER
        source = _address(ether_type, interface.index, hardware_type(interface), kind, frame[6:12])
        shown = frame if self.type == SOCK_RAW else frame[_HEADER:]
        if not self.door.deliver_message(shown, source):
            self.dropped += 1

    def changed(self, now: int, bits: int) -> None:
        """The program has sent, or closed."""
        if bits & SENT:
            while True:
                message = self.door.take_message()
                if message is None:
                    break
                try:
                    self._send(message[0], message[1])
                except OSError as error:
                    self.door.set_state(0, 0, error.errno or EINVAL)
        if bits & CLOSED:
            self.close(now)

    def _send(self, data: bytes, destination: bytes) -> None:
        index, ether_type, mac = self.interface, self.ether_type, b""
        if len(destination) >= 12:
            index = int.from_bytes(destination[4:8], "little")
            ether_type = int.from_bytes(destination[2:4], "big") or ether_type
            mac = destination[12 : 12 + destination[11]]
        interface = self.sockets.interface(index)
        if interface is None or interface.loopback:
            raise refuse(ENXIO)
        if self.type != SOCK_RAW:
            if len(mac) != 6:
                raise refuse(EINVAL)
            data = mac + interface.mac + ether_type.to_bytes(2, "big") + data
        if len(data) < _HEADER:
            raise refuse(EINVAL)
        if len(data) > _HEADER + interface.ip_mtu:
            raise refuse(EMSGSIZE)
        if len(interface.outbox) >= self.sockets.stack.settings.outbox_max:
            self.sockets.stack.counters.count("interface_outbox_full")
            return
        interface.outbox.append(Frame(data))

    def close(self, now: int) -> None:
        """The last descriptor is closed."""
        self.ether_type = 0
        self._attach()
        self.forget()

    # Options

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """PACKET_STATISTICS: since the last time."""
        if level != SOL_PACKET:
            return super().get_special(level, name, room)
        if name != _PACKET_STATISTICS:
            raise refuse(ENOPROTOOPT)
        told = _STATISTICS.pack(self.count, self.dropped)
        self.count = self.dropped = 0
        return told

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """Memberships: a card that lets more through is not asked for; it is what comes anyway."""
        if level != SOL_PACKET:
            super().set_special(level, name, data)
        elif name in (_PACKET_ADD_MEMBERSHIP, _PACKET_DROP_MEMBERSHIP):
            if len(data) < 16:
                raise refuse(EINVAL)
            if self.sockets.interface(int.from_bytes(data[:4], "little")) is None:
                raise refuse(ENODEV)
        else:
            raise refuse(ENOPROTOOPT)


def _address(ether_type: int, interface: int, card: int, kind: int, mac: bytes) -> bytes:
    return _ADDRESS.pack(
        AF_PACKET.to_bytes(2, "little"),
        ether_type.to_bytes(2, "big"),
        interface,
        card,
        kind,
        len(mac),
        mac.ljust(8, b"\0"),
    )
