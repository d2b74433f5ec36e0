"""TCP sockets of the program, over loopback and between two machines."""

from __future__ import annotations

from errno import (
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENETUNREACH,
    ENOTCONN,
    EOPNOTSUPP,
)
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP

import pytest

from ovum.net.socket import control
from ovum.net.socket.address import AF_INET, AF_INET6
from ovum.net.socket.door import CONNECTED
from ovum.services.tasks.testing import run, settle

from .machine import SOCK_STREAM, ModelMachine, ModelSocket, pair, split

LOOPBACK = {AF_INET: "127.0.0.1", AF_INET6: "::1"}


async def connected(
    machine: ModelMachine, other: ModelMachine | None = None, address: str = "127.0.0.1"
) -> tuple[ModelSocket, ModelSocket, ModelSocket]:
    """A listener, a connection to it and its other end."""
    family = AF_INET6 if ":" in address else AF_INET
    server = other or machine
    listener = await server.stream(family)
    await listener.bind(address, 0)
    await listener.listen()
    _, port = await listener.own_name()
    client = await machine.stream(family)
    assert await client.connect(address, port) == -EINPROGRESS
    await settle()
    assert client.ring.state & CONNECTED, client.ring.error
    accepted, peer = listener.accept()
    assert peer == await client.own_name()
    return listener, client, accepted


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_a_connection_over_loopback_carries_bytes_both_ways_and_ends_in_order(family: int) -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine, address=LOOPBACK[family])
        client.ring.send(b"hello")
        await settle()
        assert server.ring.recv(100) == b"hello"
        server.ring.send(b"world")
        await client.shutdown(1)
        await settle()
        assert client.ring.recv(100) == b"world"
        assert server.ring.recv(100) == b""
        assert server.ring.poll() & (EPOLLIN | EPOLLRDHUP) == EPOLLIN | EPOLLRDHUP
        server.close()
        await settle()
        assert client.ring.recv(100) == b""
        assert client.ring.poll() & EPOLLHUP
        client.close()
        await settle()

    run(main)


@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"])
def test_a_connection_between_machines_carries_much(address: str) -> None:
    async def main() -> None:
        one, other = await pair()
        _, client, server = await connected(one, other, address)
        sent = bytes(range(256)) * 2000
        done, got = 0, b""
        while len(got) < len(sent):
            if client.ring.poll() & EPOLLOUT and done < len(sent):
                done += client.ring.send(memoryview(sent)[done:])
            await settle()
            if server.ring.poll() & EPOLLIN:
                got += server.ring.recv(1 << 20)
        assert got == sent

    run(main)


def test_both_ends_know_their_names_and_their_peers() -> None:
    async def main() -> None:
        one, other = await pair()
        listener, client, server = await connected(one, other, "10.0.0.2")
        assert await client.peer_name() == await server.own_name() == await listener.own_name()
        assert await server.peer_name() == await client.own_name()
        assert (await client.own_name())[0] == "10.0.0.1"

    run(main)


def test_a_dual_stack_listener_takes_both_and_sees_mapped_addresses() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream(AF_INET6)
        await listener.bind("::", 8080)
        await listener.listen()
        for family, seen in ((AF_INET, "::ffff:127.0.0.1"), (AF_INET6, "::1")):
            client = await machine.stream(family)
            await client.connect(LOOPBACK[family], 8080)
            await settle()
            server, peer = listener.accept()
            assert peer[0] == seen
            assert (await server.own_name())[0] == seen

    run(main)


def test_a_listener_for_ipv6_alone_leaves_the_port_to_ipv4() -> None:
    async def main() -> None:
        machine = ModelMachine()
        wide = await machine.stream(AF_INET6)
        await wide.set(41, 26, 1)
        await wide.bind("::", 8080)
        await wide.listen()
        with pytest.raises(OSError) as caught:
            await wide.set(41, 26, 0)
        assert caught.value.errno == EINVAL
        narrow = await machine.stream()
        await narrow.bind("0.0.0.0", 8080)
        await narrow.listen()
        client = await machine.stream()
        await client.connect("127.0.0.1", 8080)
        await settle()
        narrow.accept()
        with pytest.raises(BlockingIOError):
            wide.accept()

    run(main)


def test_connecting_to_a_mapped_address_is_ipv4() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.bind("127.0.0.1", 8080)
        await listener.listen()
        client = await machine.stream(AF_INET6)
        await client.connect("::ffff:127.0.0.1", 8080)
        await settle()
        _, peer = listener.accept()
        assert peer[0] == "127.0.0.1"
        assert (await client.own_name())[0] == "::ffff:127.0.0.1"

    run(main)


def test_nobody_listening_is_a_refusal_after_which_connect_can_be_tried_again() -> None:
    async def main() -> None:
        machine = ModelMachine()
        client = await machine.stream()
        assert await client.connect("127.0.0.1", 9) == -EINPROGRESS
        await settle()
        assert client.ring.poll() & (EPOLLERR | EPOLLHUP) == EPOLLERR | EPOLLHUP
        assert client.ring.take_error() == ECONNREFUSED
        listener = await machine.stream()
        await listener.bind("127.0.0.1", 9)
        await listener.listen()
        assert await client.connect("127.0.0.1", 9) == -EINPROGRESS
        await settle()
        assert client.ring.state & CONNECTED
        listener.accept()

    run(main)


def test_closing_with_unread_bytes_resets() -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine)
        client.ring.send(b"unread")
        await settle()
        server.close()
        await settle()
        assert client.ring.take_error() == ECONNRESET
        assert client.ring.poll() & EPOLLHUP

    run(main)


def test_lingering_for_no_time_resets() -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine)
        await server.set(1, 13, (1).to_bytes(4, "little") + (0).to_bytes(4, "little"))
        server.close()
        await settle()
        assert client.ring.take_error() == ECONNRESET

    run(main)


def test_what_was_written_before_close_is_delivered() -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine)
        client.ring.send(b"x" * 30000)
        client.close()
        await settle()
        assert server.ring.recv(1 << 20) == b"x" * 30000
        assert server.ring.recv(1) == b""

    run(main)


def test_a_reader_that_is_full_stops_the_writer_until_it_reads() -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine)
        sent = 0
        for _ in range(200):
            try:
                sent += client.ring.send(b"x" * 65536)
            except BlockingIOError:
                break
            await settle()
        else:
            raise AssertionError("it never was full")
        got = 0
        for _ in range(1000):
            try:
                got += len(server.ring.recv(65536))
            except BlockingIOError:
                if got == sent:
                    break
            await settle()
        assert got == sent
        assert client.ring.poll() & EPOLLOUT

    run(main)


def test_more_connections_than_the_backlog_wait_until_there_is_room() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.bind("127.0.0.1", 80)
        await listener.listen(1)
        clients = [await machine.stream() for _ in range(4)]
        for client in clients:
            await client.connect("127.0.0.1", 80)
        await settle()
        accepted = 0
        for _ in range(50):
            try:
                listener.accept()
                accepted += 1
            except BlockingIOError:
                await _later(2)
        assert accepted == 4

    run(main)


async def _later(seconds: float) -> None:
    from ovum.services.tasks import sleep

    await sleep(seconds)


def test_a_closed_listener_frees_its_port_and_its_children() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.set(1, 2, 1)
        await listener.bind("127.0.0.1", 80)
        await listener.listen()
        client = await machine.stream()
        await client.connect("127.0.0.1", 80)
        await settle()
        listener.close()
        await settle()
        assert client.ring.poll() & EPOLLRDHUP
        assert client.ring.take_error() == ECONNRESET
        again = await machine.stream()
        await again.set(1, 2, 1)
        await again.bind("127.0.0.1", 80)
        await again.listen()

    run(main)


def test_what_waits_for_the_accept_queue_is_accepted_as_soon_as_there_is_room() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.bind("127.0.0.1", 80)
        await listener.listen(0)
        for _ in range(2):
            await (await machine.stream()).connect("127.0.0.1", 80)
        await settle()
        assert machine.network.stack.counters["tcp_accept_queue_full"]
        listener.accept()
        await settle()  # no time passes
        listener.accept()

    run(main)


def test_a_size_that_is_set_leaves_the_other_to_be_found() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.set(1, 7, 50_000)  # SO_SNDBUF
        await listener.bind("127.0.0.1", 80)
        await listener.listen()
        client = await machine.stream()
        await client.set(1, 8, 50_000)  # SO_RCVBUF
        await client.connect("127.0.0.1", 80)
        await settle()
        server, _ = listener.accept()
        assert (server.ring.receive_limit, server.ring.send_limit) == (1 << 20, 100_000)
        assert (client.ring.receive_limit, client.ring.send_limit) == (100_000, 262_144)
        far, near = (machine.network.sockets.endpoints[one.ring.number] for one in (server, client))
        assert far.connection.options.receive_limit == 0  # type: ignore[attr-defined]
        assert near.connection.options.receive_limit == 100_000  # type: ignore[attr-defined]
        # The window still grows.
        for _ in range(40):
            client.ring.send(bytes(10_000))
            await settle()
            server.ring.receive_queued() and server.ring.recv(1 << 20)
        assert far.connection.rcv_limit > 65_536  # type: ignore[attr-defined]

    run(main)


def test_memory_that_is_full_stops_who_does_not_read_and_nobody_else() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener, client, server = await connected(machine)
        _, port = await listener.own_name()
        client.ring.send(bytes(262_144))
        await settle()
        assert server.ring.receive_queued() > 60_000
        machine.network.tcp.settings.memory = machine.changes.memory = machine.changes.held
        # Another one: requests and answers go to and fro.
        other = await machine.stream()
        await other.connect("127.0.0.1", port)
        await settle()
        far, _ = listener.accept()
        for _ in range(100):
            assert other.ring.send(bytes(3000)) == 3000
            await settle()
            assert far.ring.recv(10_000) == bytes(3000)
            far.ring.send(bytes(4000))
            await settle()
            assert other.ring.recv(10_000) == bytes(4000)
        for one in (client, server, other, far):
            await one.set(1, 13, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
            one.close()
        await settle()
        assert machine.changes.held == 0

    run(main)


def test_shutting_a_listener_down_ends_its_listening() -> None:
    """And resets whom nobody has accepted; it is still bound, and may listen again."""

    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.bind("127.0.0.1", 80)
        await listener.listen()
        client = await machine.stream()
        await client.connect("127.0.0.1", 80)
        await settle()
        assert listener.ring.poll() == EPOLLIN
        await listener.shutdown(1)
        assert listener.ring.poll() == EPOLLIN
        await listener.shutdown(0)
        await settle()
        assert listener.ring.poll() == EPOLLHUP | EPOLLOUT
        assert client.ring.error == ECONNRESET
        with pytest.raises(OSError, match="not listening"):
            listener.accept()
        await listener.listen()
        other = await machine.stream()
        await other.connect("127.0.0.1", 80)
        await settle()
        assert listener.accept()

    run(main)


def test_a_port_is_taken_until_it_is_let_go() -> None:
    async def main() -> None:
        machine = ModelMachine()
        first = await machine.stream()
        await first.bind("127.0.0.1", 80)
        await first.listen()
        second = await machine.stream()
        with pytest.raises(OSError) as caught:
            await second.bind("127.0.0.1", 80)
        assert caught.value.errno == EADDRINUSE
        with pytest.raises(OSError) as caught:
            await second.bind("0.0.0.0", 80)
        assert caught.value.errno == EADDRINUSE
        first.close()
        await settle()
        await second.bind("127.0.0.1", 80)

    run(main)


def test_two_listeners_share_a_port_if_both_say_so() -> None:
    async def main() -> None:
        machine = ModelMachine()
        for _ in range(2):
            listener = await machine.stream()
            await listener.set(1, 15, 1)
            await listener.bind("127.0.0.1", 80)
            await listener.listen()

    run(main)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (b"", EINVAL),
        (b"\x02\0", EINVAL),
        (b"\x02\0\0\x50\x7f\0\0", EINVAL),
        (b"\x0a\0" + bytes(26), EAFNOSUPPORT),
        (b"\x02\0\0\x50\xc0\0\x02\x01" + bytes(8), EADDRNOTAVAIL),
    ],
)
def test_addresses_that_cannot_be_bound(data: bytes, number: int) -> None:
    async def main() -> None:
        stream = await ModelMachine().stream()
        with pytest.raises(OSError) as caught:
            await stream.ask(control.BIND, buffer=data)
        assert caught.value.errno == number

    run(main)


@pytest.mark.parametrize(
    ("family", "address", "number"),
    [
        (AF_INET, "192.0.2.1", ENETUNREACH),
        (AF_INET, "224.0.0.1", ENETUNREACH),
        (AF_INET, "255.255.255.255", ENETUNREACH),
        (AF_INET6, "2001:db8::1", ENETUNREACH),
        (AF_INET6, "ff02::1", ENETUNREACH),
        (AF_INET6, "fe80::1", EINVAL),
    ],
)
def test_addresses_that_cannot_be_connected_to(family: int, address: str, number: int) -> None:
    async def main() -> None:
        stream = await ModelMachine().stream(family)
        with pytest.raises(OSError) as caught:
            await stream.connect(address, 80)
        assert caught.value.errno == number

    run(main)


def test_calls_that_a_state_does_not_allow() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener, client, _ = await connected(machine)
        fresh = await machine.stream()
        for call, number in (
            (fresh.peer_name(), ENOTCONN),
            (fresh.shutdown(1), ENOTCONN),
            (fresh.shutdown(3), EINVAL),
            (client.listen(), EINVAL),
            (client.bind("127.0.0.1"), EINVAL),
            (listener.bind("127.0.0.1"), EINVAL),
            (listener.connect("127.0.0.1", 1), EISCONN),
            (client.connect("127.0.0.1", 1), 0),
            (client.connect("127.0.0.1", 1), EISCONN),
        ):
            try:
                await call
                assert number == 0
            except OSError as error:
                assert error.errno == number, call
        datagrams = await machine.datagrams()
        with pytest.raises(OSError) as caught:
            await datagrams.listen()
        assert caught.value.errno == EOPNOTSUPP

    run(main)


def test_an_unbound_socket_has_no_address_and_listening_gives_it_one() -> None:
    async def main() -> None:
        machine = ModelMachine()
        stream = await machine.stream()
        assert await stream.own_name() == ("0.0.0.0", 0)
        await stream.listen()
        address, port = await stream.own_name()
        assert address == "0.0.0.0"
        assert port >= 1024

    run(main)


def test_connecting_to_any_address_is_connecting_to_oneself() -> None:
    async def main() -> None:
        machine = ModelMachine()
        listener = await machine.stream()
        await listener.bind("0.0.0.0", 80)
        await listener.listen()
        client = await machine.stream()
        await client.connect("0.0.0.0", 80)
        await settle()
        assert listener.accept()[1][0] == "127.0.0.1"

    run(main)


def test_a_connection_can_be_dissolved() -> None:
    async def main() -> None:
        machine = ModelMachine()
        _, client, server = await connected(machine)
        await client.ask(control.CONNECT, buffer=bytes(16))
        await settle()
        assert server.ring.take_error() == ECONNRESET
        with pytest.raises(OSError) as caught:
            await client.peer_name()
        assert caught.value.errno == ENOTCONN

    run(main)


def test_nothing_is_left_of_closed_sockets() -> None:
    async def main() -> None:
        machine = ModelMachine()
        for _ in range(3):
            listener, client, server = await connected(machine)
            for socket in (client, server, listener):
                socket.close()
                await settle()
        await _later(300)
        assert machine.network.sockets.endpoints == {}
        assert all(ring.released for ring in machine.rings.values())
        assert machine.network.sockets.leaving == {}

    run(main)


def test_a_name_is_cut_to_the_room_that_there_is() -> None:
    async def main() -> None:
        stream = await ModelMachine().stream()
        buffer = bytearray(4)
        assert await stream.ask(control.NAME, 0, buffer=buffer) == 16
        assert bytes(buffer) == b"\x02\0\0\0"

    run(main)


def test_names_are_read_as_they_are_written() -> None:
    assert split(b"\x02\0\0\x50\x7f\0\0\x01" + bytes(8)) == ("127.0.0.1", 80)
    assert SOCK_STREAM == 1
