"""A network interface of this host as the other end of a guest's card: frames with offloads."""

import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
TAP, NO_INFORMATION, VNET_HEADER = 0x0002, 0x1000, 0x4000
"""linux/if_tun.h"""
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1
"""netdevice(7)"""
SOL_PACKET, PACKET_VNET_HDR = 263, 15
"""packet(7)"""
OUTGOING: Final = 4
ETH_P_ALL: Final = 3

Header = tuple[int, ...]


class Tap:
    """The interface. `netdev` is QEMU's backend that is connected to it."""

    def __init__(self, name: str) -> None:
        self.netdev = f"tap,id=n0,ifname={name},script=no,downscript=no"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sH14x", name.encode(), 0)
            (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, GET_FLAGS, request), 16)
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", name.encode(), flags | UP))
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self._socket.bind((name, ETH_P_ALL))
        self._socket.settimeout(60)

    def send(self, frame: bytes, header: Header = (0,) * 6) -> None:
        """Sends a frame with the fields of struct virtio_net_hdr."""
        self._socket.send(struct.pack("<BBHHHH", *header) + frame)

    def receive(self) -> tuple[bytes, Header]:
        """The next frame from the guest, and its header."""
        while True:
            data, address = self._socket.recvfrom(1 << 17)
            if address[2] != OUTGOING:
                return data[10:], struct.unpack_from("<BBHHHH", data)

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def made() -> Iterator[Tap]:
    """An interface that is there for the block. Raises OSError where that is not allowed."""
    name = f"ovum{os.getpid() % 100_000}"
    request = struct.pack("16sH14x", name.encode(), TAP | NO_INFORMATION | VNET_HEADER)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, request)
        fcntl.ioctl(fd, TUNSETPERSIST, 1)
    finally:
        os.close(fd)
    try:
        tap = Tap(name)
        try:
            yield tap
        finally:
            tap.close()
    finally:
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, request)
        fcntl.ioctl(fd, TUNSETPERSIST, 0)
        os.close(fd)
