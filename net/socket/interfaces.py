"""What programs are told of interfaces, in the words of Linux: for ioctl(2) and netlink."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface

IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_RUNNING = 0x1, 0x2, 0x8, 0x40
IFF_MULTICAST, IFF_LOWER_UP = 0x1000, 0x10000

ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772

QUEUE_LENGTH = 1000
"""Of frames that wait for a card, by Linux's word for Ethernet."""

BROADCAST_MAC = b"\xff" * 6


def flags(interface: Interface) -> int:
    """IFF_UP and so on (netdevice(7)). An interface is always up; its cable may be pulled."""
    if interface.loopback:
        return IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP
    carrier = IFF_RUNNING | IFF_LOWER_UP if interface.up else 0
    return IFF_UP | IFF_BROADCAST | IFF_MULTICAST | carrier


def hardware_type(interface: Interface) -> int:
    """ARPHRD_ETHER or ARPHRD_LOOPBACK."""
    return ARPHRD_LOOPBACK if interface.loopback else ARPHRD_ETHER


def mac(interface: Interface) -> bytes:
    """6 bytes; the loopback's are 0."""
    return interface.mac or bytes(6)


def first_ipv4(interface: Interface) -> Address | None:
    """The address that programs mean by "the" address."""
    return next(iter(interface.addresses4.values()), None)


def netmask(prefix_length: int) -> bytes:
    """Of IPv4."""
    return (0xFFFFFFFF << 32 - prefix_length & 0xFFFFFFFF).to_bytes(4, "big")
