"""ioctl(2) of sockets about interfaces (netdevice(7)): names, numbers, addresses."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EINVAL, ENODEV, EOPNOTSUPP, EPERM

from ovum.net.socket import interfaces
from ovum.net.socket.address import AF_INET, pack, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.interface import Interface
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.endpoint import Endpoint

SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8910, 0x8912, 0x8913, 0x8914
SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK = 0x8915, 0x8917, 0x8919, 0x891B
SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX = 0x891D, 0x8921, 0x8927, 0x8933
SIOCGIFTXQLEN, SIOCETHTOOL, SIOCGIFMAP = 0x8942, 0x8946, 0x8970

_CHANGES = (SIOCSIFFLAGS, 0x8916, 0x8918, 0x891A, 0x891C, 0x8922, 0x8923, 0x8924)
"""Those that would change an interface: that is for the machine's configuration."""

_NAME = 16
_IFREQ = 40
"""struct ifreq: a name, and what is asked for."""


def ioctl(sockets: Sockets, endpoint: Endpoint | None, command: int, buffer: memoryview) -> int:
    """Answers one. The buffer is a struct ifreq; of SIOCGIFCONF it is the place for the list, and
    the result the list's length. Raises OSError: ENODEV, EADDRNOTAVAIL, EINVAL, EOPNOTSUPP."""
    if command == SIOCGIFCONF:
        return _list(sockets, buffer)
    if not 0x8900 <= command <= 0x89FF or len(buffer) < _IFREQ:
        if endpoint is None:
            raise refuse(EINVAL)
        return endpoint.ioctl(command, buffer)
    if command in _CHANGES:
        raise refuse(EPERM)
    if command == SIOCGIFNAME:
        interface = sockets.interface(int.from_bytes(buffer[16:20], "little"))
        if interface is None:
            raise refuse(ENODEV)
        buffer[:_NAME] = interface.name.encode().ljust(_NAME, b"\0")
        return 0
    name = bytes(buffer[:_NAME]).partition(b"\0")[0].decode("ascii", "replace")
    found = sockets.interface_named(name)
    if found is None:
        raise refuse(ENODEV)
    value = _value(found, command)
    buffer[_NAME : _NAME + len(value)] = value
    return 0


def _value(interface: Interface, command: int) -> bytes:
    if command == SIOCGIFFLAGS:
        return (interfaces.flags(interface) & 0xFFFF).to_bytes(2, "little")
    if command == SIOCGIFMTU:
        return min(interface.ip_mtu, 65536).to_bytes(4, "little")
    if command == SIOCGIFINDEX:
        return interface.index.to_bytes(4, "little")
    if command == SIOCGIFHWADDR:
        kind = interfaces.hardware_type(interface)
        return kind.to_bytes(2, "little") + interfaces.mac(interface) + bytes(8)
    if command == SIOCGIFMETRIC:
        return bytes(4)
    if command == SIOCGIFTXQLEN:
        return interfaces.QUEUE_LENGTH.to_bytes(4, "little")
    if command == SIOCGIFMAP:
        return bytes(24)
    if command in (SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK):
        return _address(interface, command)
    raise refuse(EOPNOTSUPP if command == SIOCETHTOOL else EINVAL)


def _address(interface: Interface, command: int) -> bytes:
    address = interfaces.first_ipv4(interface)
    if address is None:
        raise refuse(EADDRNOTAVAIL)
    if command == SIOCGIFNETMASK:
        return pack(AF_INET, interfaces.netmask(address.prefix_length), 0)
    if command == SIOCGIFBRDADDR:
        return pack(AF_INET, address.broadcast or bytes(4), 0)
    return pack(AF_INET, address.address, 0)


def _list(sockets: Sockets, buffer: memoryview) -> int:
    """SIOCGIFCONF: all interfaces that have an IPv4 address, as far as there is room; without
    room, how much there would have to be."""
    entries = [
        interface.name.encode().ljust(_NAME, b"\0") + pack(AF_INET, address.address, 0) + bytes(8)
        for interface in sockets.stack.interfaces.values()
        for address in interface.addresses4.values()
    ]
    if not len(buffer):
        return len(entries) * _IFREQ
    fitting = b"".join(entries[: len(buffer) // _IFREQ])
    buffer[: len(fitting)] = fitting
    return len(fitting)
