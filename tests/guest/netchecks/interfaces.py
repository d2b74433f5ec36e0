"""Interfaces and addresses, as programs ask for them."""

import contextlib
import ctypes
import errno
import fcntl
import socket
import struct

from .registry import check, refused

NETLINK_ROUTE = 0


@check
def the_loopback_interface_has_a_name_and_a_number() -> None:
    assert (1, "lo") in socket.if_nameindex()
    assert socket.if_nametoindex("lo") == 1
    assert socket.if_indextoname(1) == "lo"
    try:
        socket.if_nametoindex("none")
    except OSError:
        pass  # without a number before Python 3.13
    else:
        raise AssertionError("there is such an interface")


@check
def an_interface_tells_its_address_by_ioctl() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        request = struct.pack("16s24x", b"lo")
        address = fcntl.ioctl(it, 0x8915, request)  # SIOCGIFADDR
        assert address[20:24] == bytes((127, 0, 0, 1))
        flags = struct.unpack_from("H", fcntl.ioctl(it, 0x8913, request), 16)[0]
        assert flags & 0x49 == 0x49  # UP, LOOPBACK, RUNNING
        (mtu,) = struct.unpack_from("i", fcntl.ioctl(it, 0x8921, request), 16)
        assert mtu == 65536
        with refused(errno.ENODEV):
            fcntl.ioctl(it, 0x8915, struct.pack("16s24x", b"none"))


@check
def getifaddrs_finds_loopback() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.freeifaddrs.argtypes = [ctypes.c_void_p]
    first = ctypes.c_void_p()
    assert libc.getifaddrs(ctypes.byref(first)) == 0, ctypes.get_errno()
    found = set()
    at = first.value
    while at:
        following, name, _, address = struct.unpack("QQQQ", ctypes.string_at(at, 32))
        if address:
            family = struct.unpack("H", ctypes.string_at(address, 2))[0]
            if family == socket.AF_INET:
                text = socket.inet_ntop(family, ctypes.string_at(address + 4, 4))
                found.add((ctypes.string_at(name), text))
            elif family == socket.AF_INET6:
                text = socket.inet_ntop(family, ctypes.string_at(address + 8, 16))
                found.add((ctypes.string_at(name), text))
        at = following
    libc.freeifaddrs(first)
    assert (b"lo", "127.0.0.1") in found
    assert (b"lo", "::1") in found


@check
def netlink_answers_and_refuses() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as it:
        it.settimeout(30)
        it.bind((0, 0))
        port, _ = it.getsockname()
        assert port
        body = struct.pack("BxHiII", 0, 0, 0x7FFFFFF, 0, 0)
        it.send(struct.pack("IHHII", 16 + len(body), 18, 1, 5, 0) + body)
        answer = it.recv(65536)
        _, kind, _, sequence, answered = struct.unpack_from("IHHII", answer)
        assert (kind, sequence, answered) == (2, 5, port)
        assert struct.unpack_from("i", answer, 16) == (-errno.ENODEV,)


@check
def names_of_this_machine_are_known() -> None:
    found = socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
    assert {entry[4][0] for entry in found} <= {"127.0.0.1", "::1"}
    assert socket.gethostbyname("localhost") == "127.0.0.1"
    with contextlib.suppress(socket.gaierror):  # a network without names
        socket.gethostbyname(socket.gethostname())
