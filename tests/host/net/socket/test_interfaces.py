"""What programs are told of interfaces: by ioctl(2), and by netlink."""

from __future__ import annotations

import struct
from errno import EADDRNOTAVAIL, EINVAL, ENODEV, EOPNOTSUPP, EPERM, EPROTONOSUPPORT

import pytest

from ovum.net.socket import control, ioctl
from ovum.net.socket import rtnetlink as rt
from ovum.net.socket.address import AF_INET, AF_INET6
from ovum.services.tasks.testing import run, settle

from .machine import SOCK_RAW, ModelMachine, ModelSocket, pair, split

AF_NETLINK = 16


async def ask(it: ModelSocket, command: int, name: str, rest: bytes = b"") -> bytes:
    buffer = bytearray(name.encode().ljust(16, b"\0") + rest.ljust(24, b"\0"))
    await it.ask(control.SOCKET_IOCTL, command, buffer=buffer)
    return bytes(buffer)


def test_an_interfaces_properties() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await machine.datagrams()
        assert (await ask(it, ioctl.SIOCGIFINDEX, "eth0"))[16:20] == b"\2\0\0\0"
        assert (await ask(it, ioctl.SIOCGIFNAME, "", b"\1\0\0\0"))[:3] == b"lo\0"
        assert (await ask(it, ioctl.SIOCGIFMTU, "eth0"))[16:20] == (1500).to_bytes(4, "little")
        assert split((await ask(it, ioctl.SIOCGIFADDR, "eth0"))[16:32]) == ("10.0.0.1", 0)
        assert split((await ask(it, ioctl.SIOCGIFNETMASK, "eth0"))[16:32])[0] == "255.255.255.0"
        assert split((await ask(it, ioctl.SIOCGIFBRDADDR, "eth0"))[16:32])[0] == "10.0.0.255"
        assert (await ask(it, ioctl.SIOCGIFHWADDR, "eth0"))[16:24] == b"\1\0\2\0\0\0\0\1"
        assert (await ask(it, ioctl.SIOCGIFHWADDR, "lo"))[16:18] == b"\4\3"
        flags = int.from_bytes((await ask(it, ioctl.SIOCGIFFLAGS, "eth0"))[16:18], "little")
        assert flags == 0x1043  # UP BROADCAST RUNNING MULTICAST
        flags = int.from_bytes((await ask(it, ioctl.SIOCGIFFLAGS, "lo"))[16:18], "little")
        assert flags == 0x49  # UP LOOPBACK RUNNING

    run(main)


@pytest.mark.parametrize(
    ("command", "name", "number"),
    [
        (ioctl.SIOCGIFINDEX, "eth9", ENODEV),
        (ioctl.SIOCGIFNAME, "", ENODEV),
        (ioctl.SIOCSIFFLAGS, "lo", EPERM),
        (ioctl.SIOCETHTOOL, "lo", EOPNOTSUPP),
        (0x89FF, "lo", EINVAL),
        (0x1234, "lo", EINVAL),
    ],
)
def test_ioctls_that_are_refused(command: int, name: str, number: int) -> None:
    async def main() -> None:
        it = await ModelMachine().datagrams()
        with pytest.raises(OSError) as caught:
            await ask(it, command, name)
        assert caught.value.errno == number

    run(main)


def test_an_interface_without_an_address_says_so() -> None:
    async def main() -> None:
        from .machine import WireCard

        machine = ModelMachine()
        machine.attach(WireCard("eth0", 1))
        it = await machine.datagrams()
        with pytest.raises(OSError) as caught:
            await ask(it, ioctl.SIOCGIFADDR, "eth0")
        assert caught.value.errno == EADDRNOTAVAIL

    run(main)


def test_a_card_lets_the_groups_through_that_every_machine_is_in() -> None:
    async def main() -> None:
        from .machine import WireCard

        card = WireCard("eth0", 1)
        ModelMachine().attach(card)
        await settle()
        # All hosts, all nodes, and the solicited node of its link-local address (RFC 4291, 2.7.1).
        assert [group.hex() for group in card.groups] == [
            *("01005e000001", "333300000001", "3333ff000001")
        ]

    run(main)


def test_the_list_of_interfaces_with_addresses() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await machine.datagrams()
        buffer = bytearray(400)
        size = await it.ask(control.SOCKET_IOCTL, ioctl.SIOCGIFCONF, buffer=buffer)
        found = [bytes(buffer[at : at + 40]) for at in range(0, size, 40)]
        assert [entry[:16].rstrip(b"\0") for entry in found] == [b"lo", b"eth0"]
        assert [split(entry[16:32])[0] for entry in found] == ["127.0.0.1", "10.0.0.1"]
        assert await it.ask(control.SOCKET_IOCTL, ioctl.SIOCGIFCONF) == 80
        assert await it.ask(control.SOCKET_IOCTL, ioctl.SIOCGIFCONF, buffer=bytearray(79)) == 40

    run(main)


# Netlink


async def netlink(machine: ModelMachine) -> ModelSocket:
    return await machine.socket(AF_NETLINK, SOCK_RAW)


def question(kind: int, flags: int, body: bytes, sequence: int = 7) -> bytes:
    return rt.message(kind, rt.NLM_F_REQUEST | flags, sequence, 0, body)


async def answers(it: ModelSocket, data: bytes) -> list[tuple[int, int, bytes]]:
    """Kind, flags and body of all messages that come in answer."""
    it.ring.sendmsg(data)
    await settle()
    found: list[tuple[int, int, bytes]] = []
    while True:
        try:
            part, source, _ = it.ring.recvmsg()
        except BlockingIOError:
            return found
        assert source == struct.pack("<HHII", AF_NETLINK, 0, 0, 0)
        assert len(part) <= 4096
        while part:
            size, kind, flags, sequence, _ = rt.HEADER.unpack_from(part)
            assert sequence == 7
            found.append((kind, flags, part[16:size]))
            part = part[size + 3 & ~3 :]


def test_all_links_are_listed() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await netlink(machine)
        *links, last = await answers(it, question(rt.RTM_GETLINK, rt.NLM_F_DUMP, bytes(16)))
        assert last[0] == rt.NLMSG_DONE
        assert all(kind == rt.RTM_NEWLINK and flags == rt.NLM_F_MULTI for kind, flags, _ in links)
        lo, eth0 = (body for _, _, body in links)
        assert struct.unpack_from("<BxHiI", lo) == (0, 772, 1, 0x10049)
        assert struct.unpack_from("<BxHiI", eth0) == (0, 1, 2, 0x11043)
        attributes = rt.attributes(eth0[16:])
        assert attributes[3] == b"eth0\0"
        assert attributes[1] == b"\2\0\0\0\0\1"
        assert attributes[4] == (1500).to_bytes(4, "little")

    run(main)


def test_all_addresses_are_listed_by_family() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await netlink(machine)

        async def listed(family: int) -> list[tuple[int, int, int, bytes]]:
            body = bytes((family,)) + bytes(7)
            *found, last = await answers(it, question(rt.RTM_GETADDR, rt.NLM_F_DUMP, body))
            assert last[0] == rt.NLMSG_DONE
            return [
                (
                    body[0],
                    body[1],
                    int.from_bytes(body[4:8], "little"),
                    rt.attributes(body[8:])[1],
                )
                for _, _, body in found
            ]

        four = await listed(AF_INET)
        assert four == [
            (AF_INET, 8, 1, bytes((127, 0, 0, 1))),
            (AF_INET, 24, 2, bytes((10, 0, 0, 1))),
        ]
        six = await listed(AF_INET6)
        assert (AF_INET6, 128, 1, bytes(15) + b"\1") in six
        assert (AF_INET6, 64, 2, b"\xfd" + bytes(14) + b"\1") in six
        assert await listed(0) == four + six

    run(main)


def test_routes_are_listed_and_looked_up() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await netlink(machine)
        body = bytes((AF_INET,)) + bytes(11)
        *routes, _ = await answers(it, question(rt.RTM_GETROUTE, rt.NLM_F_DUMP, body))
        found = [(body[1], rt.attributes(body[12:])) for _, _, body in routes]
        assert any(
            length == 24 and known[1] == bytes((10, 0, 0, 0)) and known[4] == b"\2\0\0\0"
            for length, known in found
        )
        body += rt.attribute(1, bytes((10, 0, 0, 77)))
        ((kind, _, answer),) = await answers(it, question(rt.RTM_GETROUTE, 0, body))
        assert kind == rt.RTM_NEWROUTE
        assert rt.attributes(answer[12:])[7] == bytes((10, 0, 0, 1))

    run(main)


def test_one_link_is_found_by_number_or_name() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await netlink(machine)
        by_index = bytes(4) + (2).to_bytes(4, "little") + bytes(8)
        by_name = bytes(16) + rt.attribute(3, b"eth0\0")
        for body in (by_index, by_name):
            ((kind, _, answer),) = await answers(it, question(rt.RTM_GETLINK, 0, body))
            assert kind == rt.RTM_NEWLINK
            assert int.from_bytes(answer[4:8], "little") == 2

    run(main)


@pytest.mark.parametrize(
    ("kind", "body", "number"),
    [
        (rt.RTM_GETLINK, bytes(4) + b"\x63\0\0\0" + bytes(8), ENODEV),
        (rt.RTM_NEWADDR, bytes(8), EPERM),
        (rt.RTM_DELROUTE, bytes(12), EPERM),
        (98, bytes(16), EOPNOTSUPP),
    ],
)
def test_errors_name_the_question(kind: int, body: bytes, number: int) -> None:
    async def main() -> None:
        it = await netlink(ModelMachine())
        asked = question(kind, rt.NLM_F_ACK, body)
        ((answer_kind, _, answer),) = await answers(it, asked)
        assert answer_kind == rt.NLMSG_ERROR
        assert int.from_bytes(answer[:4], "little", signed=True) == -number
        assert answer[4:] == asked

    run(main)


def test_malformed_questions_are_ignored() -> None:
    async def main() -> None:
        it = await netlink(ModelMachine())
        for data in (b"", b"\1", b"\xff" * 16, bytes(16), question(18, 0x300, b"")[:15]):
            assert await answers(it, data) == []

    run(main)


def test_a_netlink_socket_has_a_port() -> None:
    async def main() -> None:
        machine = ModelMachine()
        first, second = await netlink(machine), await netlink(machine)
        anything = struct.pack("<HHII", AF_NETLINK, 0, 0, 0)
        names = []
        for it in (first, second):
            await it.ask(control.BIND, buffer=anything)
            buffer = bytearray(32)
            assert await it.ask(control.NAME, 0, buffer=buffer) == 12
            names.append(bytes(buffer[4:8]))
        assert names[0] != names[1]
        first.close()
        await settle()
        again = await netlink(machine)
        await again.ask(control.BIND, buffer=anything[:4] + names[0] + anything[8:])
        with pytest.raises(OSError) as caught:
            await machine.socket(AF_NETLINK, SOCK_RAW, 9)
        assert caught.value.errno == EPROTONOSUPPORT

    run(main)


def test_members_of_a_group_are_told_of_changes() -> None:
    async def main() -> None:
        machine, _ = await pair()
        it = await netlink(machine)
        await it.ask(control.BIND, buffer=struct.pack("<HHII", AF_NETLINK, 0, 0, 0x10))
        machine.add_address(machine.network.ports[0], "10.9.9.9", 24)
        await settle()
        data, _, _ = it.ring.recvmsg()
        _, kind, _, _, _ = rt.HEADER.unpack_from(data)
        assert kind == rt.RTM_NEWADDR
        assert rt.attributes(data[24:])[2] == bytes((10, 9, 9, 9))
        it.close()
        await settle()
        machine.add_address(machine.network.ports[0], "10.9.9.10", 24)

    run(main)
