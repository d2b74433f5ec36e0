"""Cards under a Network: failing, losing their cable, their filters; frames to programs."""

from __future__ import annotations

import socket
import struct
from errno import ENETUNREACH

import pytest

from ovum.drivers.errors import DeviceError
from ovum.net.socket import control
from ovum.services.tasks.testing import run, settle

from .machine import SOCK_RAW, ModelMachine, WireCard, joined, pair
from .test_streams import connected

AF_PACKET = 17


def test_a_card_that_fails_takes_its_interface_and_nothing_else() -> None:
    async def main() -> None:
        machine, other = await pair()
        (port,) = machine.network.ports
        card = port.card
        second = machine.attach(WireCard("eth1", 9))
        machine.add_address(second, "10.1.0.1", 24)
        card.fail(DeviceError("it is broken"))
        await settle()
        assert machine.network.ports == [second]
        assert machine.network.stack.interface_named("eth0") is None
        stream = await machine.stream()
        with pytest.raises(OSError) as caught:
            await stream.connect("10.0.0.2", 80)
        assert caught.value.errno == ENETUNREACH
        await connected(machine)
        await connected(machine, address="10.1.0.1")
        await connected(other)

    run(main)


def test_an_interface_follows_its_cable() -> None:
    async def main() -> None:
        machine, _ = await pair()
        (port,) = machine.network.ports
        for up in (False, True, False):
            port.card.link.set(up)
            await settle()
            assert port.interface.up == up

    run(main)


def test_a_card_lets_through_the_groups_that_its_interface_has_joined() -> None:
    async def main() -> None:
        machine, _ = await pair()
        card = machine.network.ports[0].card
        assert isinstance(card, WireCard)
        it = await machine.datagrams()
        await it.set(socket.IPPROTO_IP, 35, bytes((239, 1, 2, 3, 10, 0, 0, 1)))
        await settle()
        assert b"\x01\0\x5e\x01\x02\x03" in card.groups
        it.close()
        await settle()
        assert b"\x01\0\x5e\x01\x02\x03" not in card.groups

    run(main)


def test_any_bytes_that_come_are_survived() -> None:
    async def main() -> None:
        machine = ModelMachine()
        cards = joined()
        machine.attach(cards[0])
        for data in (b"", b"\xff" * 13, b"\xff" * 60, cards[0].mac + bytes(50), bytes(1514)):
            cards[0].put_in(data)
        await settle()
        await connected(machine)

    run(main)


def test_a_program_sees_and_sends_whole_frames() -> None:
    async def main() -> None:
        one, other = await pair()
        watcher = await one.socket(AF_PACKET, SOCK_RAW, socket.htons(3))
        sender = await other.socket(AF_PACKET, SOCK_RAW, 0)
        index = other.network.ports[0].interface.index
        name = struct.pack("<HHiHBB8s", AF_PACKET, socket.htons(0x88B5), index, 0, 0, 0, bytes(8))
        await sender.ask(control.BIND, buffer=name)
        frame = b"\xff" * 6 + other.network.ports[0].card.mac + b"\x88\xb5" + b"hello".ljust(46)
        sender.ring.sendmsg(frame)
        await settle()
        seen = b""
        while seen != frame:
            seen, source, _ = watcher.ring.recvmsg()
        family, kind, interface, _, broadcast = struct.unpack_from("<HHiHB", source)
        assert (family, kind, interface, broadcast) == (AF_PACKET, socket.htons(0x88B5), 2, 1)
        watcher.close()
        sender.close()
        await settle()
        assert one.network.ports[0].interface.taps == []

    run(main)


def test_only_frames_of_the_wanted_kind_are_seen() -> None:
    async def main() -> None:
        one, other = await pair()
        watcher = await one.socket(AF_PACKET, SOCK_RAW, socket.htons(0x0806))
        _, client, server = await connected(other, one, "10.0.0.1")
        client.ring.send(b"x")
        await settle()
        server.ring.recv(1)
        while True:
            try:
                frame, _, _ = watcher.ring.recvmsg()
            except BlockingIOError:
                break
            assert frame[12:14] == b"\x08\x06"

    run(main)
