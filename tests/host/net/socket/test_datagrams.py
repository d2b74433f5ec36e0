"""UDP sockets of the program, over loopback and between two machines."""

from __future__ import annotations

import struct
from errno import (
    EACCES,
    EADDRINUSE,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    ENOTCONN,
)
from select import EPOLLERR, EPOLLIN, EPOLLOUT

import pytest

from ovum.net.socket import cmsg, control
from ovum.net.socket.address import AF_INET, AF_INET6
from ovum.services.tasks import sleep
from ovum.services.tasks.testing import run, settle

from .machine import SOCK_RAW, WALL_NS, ModelMachine, ModelSocket, WireCard, joined, pair, split

LOOPBACK = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
SOL_SOCKET, SOL_IP, SOL_IPV6 = 1, 0, 41
SO_BROADCAST, IP_HDRINCL, IP_MTU_DISCOVER, IP_PMTUDISC_DO = 6, 3, 10, 2


async def bound(machine: ModelMachine, address: str, port: int = 0) -> ModelSocket:
    socket = await machine.datagrams(AF_INET6 if ":" in address else AF_INET)
    await socket.bind(address, port)
    return socket


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_datagrams_go_there_and_back_over_loopback(family: int) -> None:
    async def main() -> None:
        machine = ModelMachine()
        server = await bound(machine, LOOPBACK[family])
        client = await machine.datagrams(family)
        client.send_to(b"ping", *(await server.own_name()))
        await settle()
        data, source = server.receive_from()
        assert data == b"ping"
        assert source[0] == LOOPBACK[family]
        server.send_to(b"", *source)
        server.send_to(b"x" * 9000, *source)
        await settle()
        assert client.receive_from()[0] == b""
        assert client.receive_from() == (b"x" * 9000, await server.own_name())

    run(main)


@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"])
def test_datagrams_go_between_machines(address: str) -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, address, 53)
        client = await one.datagrams(AF_INET6 if ":" in address else AF_INET)
        for size in (0, 1, 1400, 4000):
            client.send_to(b"q" * size, address, 53)
            await settle()
            data, source = server.receive_from()
            assert data == b"q" * size
            server.send_to(b"r" * size, *source)
            await settle()
            assert client.receive_from() == (b"r" * size, (address, 53))

    run(main)


def test_a_connected_socket_hears_its_peer_only_and_of_errors() -> None:
    async def main() -> None:
        machine = ModelMachine()
        server = await bound(machine, "127.0.0.1")
        stranger = await bound(machine, "127.0.0.1")
        client = await machine.datagrams()
        address = await server.own_name()
        assert await client.connect(*address) == 0
        assert await client.peer_name() == address
        assert (await client.own_name())[0] == "127.0.0.1"
        stranger.send_to(b"no", *(await client.own_name()))
        client.ring.sendmsg(b"yes")
        await settle()
        assert server.receive_from()[0] == b"yes"
        with pytest.raises(BlockingIOError):
            client.receive_from()
        server.close()
        await settle()
        client.ring.sendmsg(b"nobody")
        await settle()
        assert client.ring.poll() & EPOLLERR
        assert client.ring.take_error() == ECONNREFUSED
        await client.ask(control.CONNECT, buffer=bytes(16))
        with pytest.raises(OSError) as caught:
            await client.peer_name()
        assert caught.value.errno == ENOTCONN

    run(main)


def test_an_unconnected_socket_is_not_told_of_errors_unless_it_asks() -> None:
    async def main() -> None:
        machine = ModelMachine()
        client = await machine.datagrams()
        client.send_to(b"nobody", "127.0.0.1", 9)
        await settle()
        assert client.ring.take_error() == 0
        await client.set(SOL_IP, 11, 1)
        client.send_to(b"nobody", "127.0.0.1", 9)
        await settle()
        assert client.ring.take_error() == ECONNREFUSED

    run(main)


def test_a_dual_stack_socket_has_mapped_addresses() -> None:
    async def main() -> None:
        machine = ModelMachine()
        wide = await bound(machine, "::", 5353)
        client = await machine.datagrams()
        client.send_to(b"four", "127.0.0.1", 5353)
        await settle()
        data, source = wide.receive_from()
        assert (data, source[0]) == (b"four", "::ffff:127.0.0.1")
        wide.send_to(b"back", *source)
        await settle()
        assert client.receive_from() == (b"back", ("127.0.0.1", 5353))

    run(main)


def test_what_cannot_be_sent_is_the_sockets_error() -> None:
    async def main() -> None:
        machine = ModelMachine()
        client = await machine.datagrams()
        for data, destination, number in (
            (b"x", b"", EDESTADDRREQ),
            (b"x", client.name("192.0.2.1", 9), ENETUNREACH),
            (b"x" * 65508, client.name("127.0.0.1", 9), EMSGSIZE),
            (b"x", b"\x02\0", EINVAL),
        ):
            client.ring.sendmsg(data, destination)
            await settle()
            assert client.ring.take_error() == number

    run(main)


def test_broadcasts_need_permission() -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, "0.0.0.0", 67)
        client = await one.datagrams()
        client.send_to(b"all", "10.0.0.255", 67)
        await settle()
        assert client.ring.take_error() == EACCES
        await client.set(SOL_SOCKET, 6, 1)
        client.send_to(b"all", "10.0.0.255", 67)
        await settle()
        assert server.receive_from()[0] == b"all"

    run(main)


@pytest.mark.parametrize(
    ("address", "level", "option", "message"),
    [
        ("10.0.0.2", SOL_IP, 11, (2, 3, 3)),
        ("fd00::2", SOL_IPV6, 25, (3, 1, 4)),
    ],
)
def test_errors_are_queued_for_who_asks(
    address: str, level: int, option: int, message: tuple[int, int, int]
) -> None:
    async def main() -> None:
        one, _ = await pair()
        client = await bound(one, "::" if ":" in address else "0.0.0.0")
        client.send_to(b"unasked", address, 9)
        await settle()
        assert not client.ring.errors
        assert client.ring.take_error() == 0
        await client.set(level, option, 1)
        client.send_to(b"question", address, 9)
        await settle()
        assert client.ring.take_error() == ECONNREFUSED
        assert client.ring.poll() & EPOLLERR
        ((data, destination, control_data),) = client.ring.errors
        assert (data, split(destination)) == (b"question", (address, 9))
        ((found, kind, value),) = cmsg.parse(control_data)
        assert (found, kind) == (level, option)
        assert struct.unpack_from("<IBBBBII", value) == (ECONNREFUSED, *message, 0, 0, 0)
        assert split(value[16:]) == (address, 0)

    run(main)


def test_an_ipv6_socket_has_errors_of_ipv4_mapped() -> None:
    async def main() -> None:
        one, _ = await pair()
        client = await bound(one, "::")
        await client.set(SOL_IPV6, 25, 1)
        client.send_to(b"x", "::ffff:10.0.0.2", 9)
        await settle()
        ((_, destination, control_data),) = client.ring.errors
        assert split(destination) == ("::ffff:10.0.0.2", 9)
        ((level, _, value),) = cmsg.parse(control_data)
        assert (level, value[4], split(value[16:])[0]) == (SOL_IPV6, 2, "::ffff:10.0.0.2")

    run(main)


def test_loopback_has_a_broadcast_address() -> None:
    async def main() -> None:
        machine = ModelMachine()
        everybody = [await bound(machine, "127.0.0.1", 67), await bound(machine, "0.0.0.0", 68)]
        client = await machine.datagrams()
        client.send_to(b"x", "127.255.255.255", 68)
        await settle()
        assert client.ring.take_error() == EACCES
        await client.set(SOL_SOCKET, SO_BROADCAST, 1)
        for port in (67, 68):
            client.send_to(b"all", "127.255.255.255", port)
        await settle()
        assert everybody[1].receive_from()[0] == b"all"
        with pytest.raises(BlockingIOError):
            everybody[0].receive_from()  # it is bound to another address

    run(main)


def test_the_kernel_is_told_of_a_destination_what_sendto_fails_with() -> None:
    async def main() -> None:
        one, _ = await pair()
        client = await one.datagrams()

        async def ask(address: str, size: int = 1) -> int:
            name = client.name(address, 9) if address else b""
            return await client.ask(control.DESTINATION, size, buffer=name)

        assert await ask("10.0.0.2") == 65507
        for address, size, number in (
            ("192.0.2.1", 1, ENETUNREACH),
            ("10.0.0.255", 1, EACCES),
            ("10.0.0.2", 65508, EMSGSIZE),
        ):
            with pytest.raises(OSError) as caught:
                await ask(address, size)
            assert caught.value.errno == number
        await client.set(SOL_SOCKET, SO_BROADCAST, 1)
        assert await ask("10.0.0.255") == 65507
        await client.connect("10.0.0.2", 9)
        assert await ask("") == 65507
        await client.set(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
        assert await ask("", 1472) == 1472
        with pytest.raises(OSError) as caught:
            await ask("", 1473)
        assert caught.value.errno == EMSGSIZE
        # While the configuration is on its way, nobody knows.
        settling = one.network.begin_settling()
        assert await ask("192.0.2.1") == 0
        settling.done()

    run(main)


def test_the_kernel_is_told_of_a_destination_of_packets() -> None:
    async def main() -> None:
        one, _ = await pair()
        raw = await one.socket(AF_INET, SOCK_RAW, 200)
        name = raw.name("10.0.0.2", 0)
        assert await raw.ask(control.DESTINATION, 1, buffer=name) == 65515
        await raw.set(SOL_IP, IP_HDRINCL, 1)
        assert await raw.ask(control.DESTINATION, 1, buffer=name) == 1500
        with pytest.raises(OSError) as caught:
            await raw.ask(control.DESTINATION, 1, buffer=raw.name("192.0.2.1", 0))
        assert caught.value.errno == ENETUNREACH

    run(main)


def test_members_of_a_group_get_what_is_sent_to_it() -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, "0.0.0.0", 5000)
        group, own = bytes((239, 1, 2, 3)), bytes((10, 0, 0, 2))
        await server.set(SOL_IP, 35, group + own)
        await settle()
        client = await one.datagrams()
        await client.set(SOL_IP, 32, bytes((10, 0, 0, 1)))
        assert await client.get_bytes(SOL_IP, 32, 4) == bytes((10, 0, 0, 1))
        client.send_to(b"group", "239.1.2.3", 5000)
        await settle()
        assert server.receive_from()[0] == b"group"
        await server.set(SOL_IP, 36, group + own)
        client.send_to(b"left", "239.1.2.3", 5000)
        await settle()
        with pytest.raises(BlockingIOError):
            server.receive_from()

    run(main)


def test_groups_of_ipv6_are_by_interface() -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, "::", 5000)
        group = b"\xff\x02" + bytes(13) + b"\x42"
        await server.set(SOL_IPV6, 20, group + (2).to_bytes(4, "little"))
        await settle()
        client = await one.datagrams(AF_INET6)
        client.ring.sendmsg(b"group", client.name("ff02::42", 5000, 2))
        await settle()
        assert server.receive_from()[0] == b"group"

    run(main)


def test_control_messages_tell_of_interface_ttl_class_and_time() -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, "0.0.0.0", 7)
        for level, name in ((SOL_IP, 8), (SOL_IP, 12), (SOL_IP, 13), (SOL_SOCKET, 35)):
            await server.set(level, name, 1)
        client = await one.datagrams()
        await client.set(SOL_IP, 2, 33)
        await client.set(SOL_IP, 1, 0x20)
        client.send_to(b"x", "10.0.0.2", 7)
        await settle()
        _, _, made = server.ring.recvmsg()
        found = {(level, kind): data for level, kind, data in cmsg.parse(made)}
        own = bytes((10, 0, 0, 2))
        assert found[SOL_IP, 8] == (2).to_bytes(4, "little") + own + own
        assert found[SOL_IP, 2] == (33).to_bytes(4, "little")
        assert found[SOL_IP, 1] == b"\x20"
        assert found[SOL_SOCKET, 35] == b"".join(
            part.to_bytes(8, "little") for part in divmod(WALL_NS, 10**9)
        )

    run(main)


def test_control_messages_of_ipv6() -> None:
    async def main() -> None:
        one, other = await pair()
        server = await bound(other, "::", 7)
        for name in (49, 51, 66):
            await server.set(SOL_IPV6, name, 1)
        client = await one.datagrams(AF_INET6)
        hops = cmsg.integer(SOL_IPV6, cmsg.IPV6_HOPLIMIT, 9)
        traffic_class = cmsg.integer(SOL_IPV6, cmsg.IPV6_TCLASS, 0x48)
        client.send_to(b"x", "fd00::2", 7, hops + traffic_class)
        await settle()
        _, source, made = server.ring.recvmsg()
        assert split(source)[0] == "fd00::1"
        found = {(level, kind): data for level, kind, data in cmsg.parse(made)}
        address = b"\xfd" + bytes(14) + b"\x02"
        assert found[SOL_IPV6, 50] == address + (2).to_bytes(4, "little")
        assert found[SOL_IPV6, 52] == (9).to_bytes(4, "little")
        assert found[SOL_IPV6, 67] == (0x48).to_bytes(4, "little")

    run(main)


def test_a_source_can_be_chosen_for_one_datagram() -> None:
    async def main() -> None:
        machine = ModelMachine()
        server = await bound(machine, "127.0.0.1", 7)
        client = await machine.datagrams()
        source = bytes((127, 0, 0, 5))
        client.send_to(b"x", "127.0.0.1", 7, cmsg.packet_info(0, source))
        await settle()
        assert server.receive_from()[1][0] == "127.0.0.5"

    run(main)


def test_malformed_control_messages_are_an_error() -> None:
    async def main() -> None:
        client = await ModelMachine().datagrams()
        for control_data in (b"\xff" * 16, cmsg.message(SOL_IP, 99, b""), b"\x08" + bytes(15)):
            client.send_to(b"x", "127.0.0.1", 7, control_data)
            await settle()
            assert client.ring.take_error() == EINVAL

    run(main)


def test_what_comes_without_room_is_lost_and_counted_not_more() -> None:
    async def main() -> None:
        machine = ModelMachine()
        server = await bound(machine, "127.0.0.1", 7)
        await server.set(SOL_SOCKET, 8, 4096)
        client = await machine.datagrams()
        for number in range(30):
            client.send_to(bytes((number,)) * 1000, "127.0.0.1", 7)
        await settle()
        got = []
        while server.ring.poll() & EPOLLIN:
            got.append(server.receive_from()[0][0])
        assert got == list(range(len(got)))
        assert 0 < len(got) < 30

    run(main)


def test_a_port_is_shared_only_if_both_say_so() -> None:
    async def main() -> None:
        machine = ModelMachine()
        await bound(machine, "0.0.0.0", 5353)
        with pytest.raises(OSError) as caught:
            await bound(machine, "0.0.0.0", 5353)
        assert caught.value.errno == EADDRINUSE
        for _ in range(2):
            shared = await machine.datagrams()
            await shared.set(SOL_SOCKET, 2, 1)
            await shared.bind("0.0.0.0", 5354)

    run(main)


def test_what_has_no_route_yet_waits_for_the_configuration() -> None:
    async def main() -> None:
        one, other = ModelMachine(1), ModelMachine(2)
        cards = joined()
        ports = one.attach(cards[0]), other.attach(cards[1])
        other.add_address(ports[1], "10.0.0.2", 24)
        server = await bound(other, "10.0.0.2", 53)
        settling = one.network.begin_settling()
        client = await one.datagrams()
        client.send_to(b"early", "10.0.0.2", 53)
        await settle()
        assert client.ring.take_error() == 0
        with pytest.raises(BlockingIOError):
            server.receive_from()
        one.add_address(ports[0], "10.0.0.1", 24)
        settling.done()
        await settle()
        assert server.receive_from()[0] == b"early"
        client.send_to(b"lost", "192.0.2.1", 53)
        await settle()
        assert client.ring.take_error() == ENETUNREACH

    run(main)


def test_a_stream_without_a_route_yet_connects_when_there_is_one() -> None:
    async def main() -> None:
        one, other = ModelMachine(1), ModelMachine(2)
        cards = joined()
        ports = one.attach(cards[0]), other.attach(cards[1])
        other.add_address(ports[1], "10.0.0.2", 24)
        listener = await other.stream()
        await listener.bind("10.0.0.2", 80)
        await listener.listen()
        settling = one.network.begin_settling()
        client, hopeless = await one.stream(), await one.stream()
        assert await client.connect("10.0.0.2", 80) < 0
        assert await hopeless.connect("192.0.2.9", 80) < 0
        await settle()
        one.add_address(ports[0], "10.0.0.1", 24)
        settling.done()
        await settle()
        listener.accept()
        assert hopeless.ring.take_error() == ENETUNREACH
        # And when nothing ever comes, not for ever.
        endless = one.network.begin_settling()
        late = await one.stream()
        assert await late.connect("192.0.2.9", 80) < 0
        await sleep(20)
        assert late.ring.take_error() == ENETUNREACH
        endless.done()

    run(main)


def test_a_card_without_room_makes_senders_wait_and_loses_nothing() -> None:
    async def main() -> None:
        machine = ModelMachine()
        card = WireCard("eth0", 1)
        card.link.set(True)
        port = machine.attach(card)
        machine.add_address(port, "10.0.0.1", 24)
        client = await machine.datagrams()
        await client.set(SOL_SOCKET, 6, 1)
        await settle()
        before = len(card.sent)
        card.room = 0
        sent = 0
        for _ in range(3000):
            try:
                client.send_to(b"x" * 100, "10.0.0.255", 9)
                sent += 1
            except BlockingIOError:
                pass
            await settle()
        assert sent < 3000
        assert not client.ring.poll() & EPOLLOUT
        card.give_room(1 << 20)
        await settle()
        assert client.ring.poll() & EPOLLOUT
        assert len([frame for frame in card.sent[before:] if b"x" * 100 in frame]) == sent

    run(main)
