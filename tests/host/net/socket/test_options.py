"""Socket options: what is set is what one gets; limits and errors are Linux's."""

from __future__ import annotations

import socket
from errno import EINVAL, ENODEV, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP

import pytest

from ovum.net.socket import options
from ovum.net.socket.address import AF_INET, AF_INET6
from ovum.services.tasks.testing import run, settle

from .machine import SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, ModelMachine, ModelSocket
from .test_streams import connected

SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_TCP, SOL_UDP = 1, 0, 41, 6, 17

SETTABLE = [
    # name, family, type, level, option, first, set to, then
    ("SO_REUSEADDR", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_REUSEADDR, 0, 1, 1),
    ("SO_REUSEPORT", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_REUSEPORT, 0, 7, 1),
    ("SO_KEEPALIVE", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_KEEPALIVE, 0, 1, 1),
    ("SO_BROADCAST", AF_INET, SOCK_DGRAM, SOL_SOCKET, socket.SO_BROADCAST, 0, 1, 1),
    ("SO_OOBINLINE", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_OOBINLINE, 0, 1, 1),
    ("SO_PRIORITY", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_PRIORITY, 0, 6, 6),
    ("SO_MARK", AF_INET, SOCK_STREAM, SOL_SOCKET, socket.SO_MARK, 0, -3, -3),
    ("SO_RCVBUF", AF_INET, SOCK_DGRAM, SOL_SOCKET, socket.SO_RCVBUF, 212992, 5000, 10000),
    ("SO_RCVBUF least", AF_INET, SOCK_DGRAM, SOL_SOCKET, socket.SO_RCVBUF, 212992, 1, 2304),
    ("SO_SNDBUF", AF_INET, SOCK_DGRAM, SOL_SOCKET, socket.SO_SNDBUF, 212992, 5000, 10000),
    ("SO_SNDBUF least", AF_INET, SOCK_DGRAM, SOL_SOCKET, socket.SO_SNDBUF, 212992, 0, 4608),
    ("SO_TIMESTAMP", AF_INET, SOCK_DGRAM, SOL_SOCKET, 29, 0, 1, 1),
    ("IP_TOS", AF_INET, SOCK_STREAM, SOL_IP, socket.IP_TOS, 0, 0x10, 0x10),
    ("IP_TTL", AF_INET, SOCK_STREAM, SOL_IP, socket.IP_TTL, 64, 5, 5),
    ("IP_TTL default", AF_INET, SOCK_STREAM, SOL_IP, socket.IP_TTL, 64, -1, 64),
    ("IP_PKTINFO", AF_INET, SOCK_DGRAM, SOL_IP, 8, 0, 1, 1),
    ("IP_MTU_DISCOVER", AF_INET, SOCK_DGRAM, SOL_IP, 10, 1, 2, 2),
    ("IP_RECVERR", AF_INET, SOCK_DGRAM, SOL_IP, 11, 0, 1, 1),
    ("IP_RECVTTL", AF_INET, SOCK_DGRAM, SOL_IP, 12, 0, 1, 1),
    ("IP_RECVTOS", AF_INET, SOCK_DGRAM, SOL_IP, socket.IP_RECVTOS, 0, 1, 1),
    ("IP_FREEBIND", AF_INET, SOCK_STREAM, SOL_IP, 15, 0, 1, 1),
    ("IP_BIND_ADDRESS_NO_PORT", AF_INET, SOCK_STREAM, SOL_IP, 24, 0, 1, 1),
    ("IP_MULTICAST_TTL", AF_INET, SOCK_DGRAM, SOL_IP, socket.IP_MULTICAST_TTL, 1, 9, 9),
    ("IP_MULTICAST_LOOP", AF_INET, SOCK_DGRAM, SOL_IP, socket.IP_MULTICAST_LOOP, 1, 0, 0),
    ("IP_MULTICAST_ALL", AF_INET, SOCK_DGRAM, SOL_IP, 49, 1, 0, 0),
    ("IPV6_V6ONLY", AF_INET6, SOCK_STREAM, SOL_IPV6, socket.IPV6_V6ONLY, 0, 1, 1),
    ("IPV6_UNICAST_HOPS", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_UNICAST_HOPS, 64, 3, 3),
    ("IPV6_MULTICAST_HOPS", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_MULTICAST_HOPS, 1, 3, 3),
    ("IPV6_MULTICAST_LOOP", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_MULTICAST_LOOP, 1, 0, 0),
    ("IPV6_MTU_DISCOVER", AF_INET6, SOCK_DGRAM, SOL_IPV6, 23, 1, 2, 2),
    ("IPV6_RECVERR", AF_INET6, SOCK_DGRAM, SOL_IPV6, 25, 0, 1, 1),
    ("IPV6_RECVPKTINFO", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_RECVPKTINFO, 0, 1, 1),
    ("IPV6_RECVHOPLIMIT", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_RECVHOPLIMIT, 0, 1, 1),
    ("IPV6_RECVTCLASS", AF_INET6, SOCK_DGRAM, SOL_IPV6, socket.IPV6_RECVTCLASS, 0, 1, 1),
    ("IPV6_TCLASS", AF_INET6, SOCK_STREAM, SOL_IPV6, socket.IPV6_TCLASS, 0, 8, 8),
    ("IPV6_TCLASS default", AF_INET6, SOCK_STREAM, SOL_IPV6, socket.IPV6_TCLASS, 0, -1, 0),
    ("IP_TOS on IPv6", AF_INET6, SOCK_STREAM, SOL_IP, socket.IP_TOS, 0, 0x10, 0x10),
    ("UDP_SEGMENT", AF_INET, SOCK_DGRAM, SOL_UDP, 103, 0, 1200, 1200),
    ("UDP_GRO", AF_INET, SOCK_DGRAM, SOL_UDP, 104, 0, 1, 1),
    ("TCP_NODELAY", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_NODELAY, 0, 1, 1),
    ("TCP_CORK", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_CORK, 0, 1, 1),
    ("TCP_KEEPIDLE", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_KEEPIDLE, 7200, 60, 60),
    ("TCP_KEEPINTVL", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_KEEPINTVL, 75, 5, 5),
    ("TCP_KEEPCNT", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_KEEPCNT, 9, 3, 3),
    ("TCP_SYNCNT", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_SYNCNT, 6, 2, 2),
    ("TCP_USER_TIMEOUT", AF_INET, SOCK_STREAM, SOL_TCP, 18, 0, 5000, 5000),
    ("TCP_NOTSENT_LOWAT", AF_INET, SOCK_STREAM, SOL_TCP, 25, -1, 16384, 16384),
    ("TCP_QUICKACK", AF_INET, SOCK_STREAM, SOL_TCP, socket.TCP_QUICKACK, 1, 1, 1),
]


@pytest.mark.parametrize("case", SETTABLE, ids=[case[0] for case in SETTABLE])
def test_an_option_is_what_it_was_set_to(
    case: tuple[str, int, int, int, int, int, int, int],
) -> None:
    _, family, kind, level, name, first, value, then = case

    async def main() -> None:
        it = await ModelMachine().socket(family, kind)
        assert await it.get(level, name) == first
        await it.set(level, name, value)
        assert await it.get(level, name) == then

    run(main)


@pytest.mark.parametrize("case", SETTABLE, ids=[case[0] for case in SETTABLE])
def test_the_list_says_what_linux_does(case: tuple[str, int, int, int, int, int, int, int]) -> None:
    """On this machine, where it has such sockets and lets this user set the option."""
    text, family, kind, level, name, _, value, then = case
    try:
        with socket.socket(family, kind) as real:
            real.setsockopt(level, name, value)
            got = real.getsockopt(level, name)
    except OSError as error:
        pytest.skip(f"{text}: {error}")
    if text not in ("SO_RCVBUF least", "SO_SNDBUF least", "SO_MARK"):
        assert got == then


@pytest.mark.parametrize(
    ("family", "kind", "level", "name", "value", "number"),
    [
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 999, b"\1\0\0\0", ENOPROTOOPT),
        (AF_INET, SOCK_STREAM, SOL_IP, 999, b"\1\0\0\0", ENOPROTOOPT),
        (AF_INET, SOCK_STREAM, SOL_TCP, 999, b"\1\0\0\0", ENOPROTOOPT),
        (AF_INET, SOCK_STREAM, SOL_IPV6, 26, b"\1\0\0\0", ENOPROTOOPT),
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 2, b"\1", EINVAL),
        (AF_INET, SOCK_STREAM, SOL_IP, 2, b"\0\1\0\0", EINVAL),
        (AF_INET, SOCK_STREAM, SOL_IP, 2, b"\0\0\0\0", EINVAL),
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 13, b"\1\0\0\0", EINVAL),
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 25, b"eth9\0", ENODEV),
        (AF_INET, SOCK_DGRAM, SOL_IP, 35, b"\xe0\0\0\1", EINVAL),
        (AF_INET, SOCK_DGRAM, SOL_IP, 35, b"\x0a\0\0\1\x7f\0\0\1", EINVAL),
        (AF_INET, SOCK_DGRAM, SOL_IP, 35, b"\xe0\0\0\7\x0a\0\0\7", ENODEV),
        (AF_INET6, SOCK_DGRAM, SOL_IPV6, 20, b"\xff" * 16 + b"\x63\0\0\0", ENODEV),
        (AF_INET6, SOCK_DGRAM, SOL_IPV6, 17, b"\x63\0\0\0", ENODEV),
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 60, b"\1\0\0\0", EOPNOTSUPP),
        (AF_INET, SOCK_STREAM, SOL_SOCKET, 12, b"\7\0\0\0", EINVAL),
    ],
)
def test_what_cannot_be_set(
    family: int, kind: int, level: int, name: int, value: bytes, number: int
) -> None:
    async def main() -> None:
        it = await ModelMachine().socket(family, kind)
        with pytest.raises(OSError) as caught:
            await it.set(level, name, value)
        assert caught.value.errno == number

    run(main)


def test_linger_is_a_structure() -> None:
    async def main() -> None:
        it = await ModelMachine().stream()
        assert await it.get_bytes(SOL_SOCKET, 13) == bytes(8)
        await it.set(SOL_SOCKET, 13, b"\1\0\0\0\5\0\0\0")
        assert await it.get_bytes(SOL_SOCKET, 13) == b"\1\0\0\0\5\0\0\0"
        await it.set(SOL_SOCKET, 13, b"\0\0\0\0\5\0\0\0")
        assert await it.get_bytes(SOL_SOCKET, 13) == bytes(8)

    run(main)


def test_a_socket_is_bound_to_an_interface_by_name_or_number() -> None:
    async def main() -> None:
        it = await ModelMachine().datagrams()
        assert await it.get_bytes(SOL_SOCKET, 25) == b""
        await it.set(SOL_SOCKET, 25, b"lo")
        assert await it.get_bytes(SOL_SOCKET, 25) == b"lo\0"
        assert await it.get(SOL_SOCKET, 62) == 1
        with pytest.raises(OSError) as caught:
            await it.get_bytes(SOL_SOCKET, 25, 3)
        assert caught.value.errno == EINVAL
        await it.set(SOL_SOCKET, 25, b"")
        assert await it.get(SOL_SOCKET, 62) == 0

    run(main)


def test_values_are_cut_to_the_room_that_there_is() -> None:
    async def main() -> None:
        it = await ModelMachine().stream()
        await it.set(SOL_IP, 1, 0x10)
        assert await it.get_bytes(SOL_IP, 1, 1) == b"\x10"
        assert await it.get_bytes(SOL_SOCKET, 2, 2) == b"\0\0"
        await it.set(SOL_IP, 2, b"\x21")
        assert await it.get(SOL_IP, 2) == 0x21

    run(main)


def test_an_accepted_connection_has_its_listeners_options_and_then_its_own() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.set(SOL_SOCKET, 9, 1)
        await listener.set(SOL_TCP, 1, 1)
        await listener.set(SOL_TCP, 4, 33)
        await listener.bind("127.0.0.1", 80)
        await listener.listen()
        clients = [await machine.stream() for _ in range(2)]
        for client in clients:
            await client.connect("127.0.0.1", 80)
        await settle()
        one, other = listener.accept()[0], listener.accept()[0]
        await one.set(SOL_TCP, 4, 44)
        await listener.set(SOL_TCP, 1, 0)

        async def values(it: ModelSocket) -> tuple[int, int, int]:
            return (
                await it.get(SOL_SOCKET, 9),
                await it.get(SOL_TCP, 1),
                await it.get(SOL_TCP, 4),
            )

        assert await values(one) == (1, 1, 44)
        assert await values(other) == (1, 1, 33)
        assert await values(listener) == (1, 0, 33)

    run(main)


def test_what_a_connection_tells_of_itself() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener, client, _ = await connected(machine)
        info = await client.get_bytes(SOL_TCP, socket.TCP_INFO)
        assert info[0] == 1  # ESTABLISHED
        assert len(info) > 100
        assert await client.get(SOL_IP, 14) == 65535  # IP_MTU
        assert await client.get_bytes(SOL_TCP, 13) == b"cubic".ljust(16, b"\0")
        assert await listener.get(SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert await client.get(SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
        assert await client.get(SOL_TCP, socket.TCP_MAXSEG) > 500
        fresh = await machine.stream()
        with pytest.raises(OSError) as caught:
            await fresh.get(SOL_IP, 14)
        assert caught.value.errno == ENOTCONN

    run(main)


def test_options_of_raw_sockets() -> None:
    async def main() -> None:
        machine = ModelMachine()
        raw = await machine.socket(AF_INET, SOCK_RAW, 1)
        await raw.set(255, 1, b"\x01\0\0\0")
        assert await raw.get(255, 1) == 1
        await raw.set(SOL_IP, 3, 1)
        assert await raw.get(SOL_IP, 3) == 1

    run(main)


def test_every_number_has_one_meaning() -> None:
    tables = (options.INTEGERS, options.UDP_INTEGERS, options.RAW_INTEGERS)
    for table in tables:
        for name, (low, high), first in table.values():
            assert low <= first <= high or name == "not_sent_low", name
