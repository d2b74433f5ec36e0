"""The DHCP client against servers that lie, and against others on the link."""

import random
from collections.abc import Callable

import pytest

from ovum.net.clients import dhcp
from ovum.net.wire import addr, dhcpv4
from ovum.net.wire.dhcpv4 import Message

from .dhcp_model import FIRST, NOBODY, OTHER, SECOND, SERVER, Link, Server, bound, started


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def changing(**fields: object) -> Callable[[Message], Message]:
    """A server's change: other values of a message's fields."""

    def change(message: Message) -> Message:
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    return change


def with_options(only: int, **options: bytes | None) -> Callable[[Message], Message]:
    """A change of options, by the names of their codes, in messages of one kind; None: without."""

    def change(message: Message) -> Message:
        if message.kind == only:
            for name, value in options.items():
                message.options.pop(getattr(dhcpv4, name), None)
                if value is not None:
                    message.options[getattr(dhcpv4, name)] = value
        return message

    return change


@pytest.mark.parametrize(
    ("change", "counter"),
    [
        (changing(xid=1), "dhcp_not_asked_for"),
        (changing(mac=b"\2\0\0\0\0\1"), "dhcp_not_for_us"),
        (changing(op=dhcpv4.REQUEST), "dhcp_not_for_us"),
        (changing(address=NOBODY), "dhcp_address_bad"),
        (changing(address=b"\xff\xff\xff\xff"), "dhcp_address_bad"),
        (changing(address=addr.parse("224.0.0.1")), "dhcp_address_bad"),
        (changing(address=addr.parse("127.0.0.1")), "dhcp_address_bad"),
        (changing(address=addr.parse("169.254.3.4")), "dhcp_address_bad"),
        (with_options(dhcpv4.OFFER, SERVER_ID=None), "dhcp_server_missing"),
        (with_options(dhcpv4.OFFER, SERVER_ID=b"\1"), "dhcp_server_missing"),
        (with_options(dhcpv4.OFFER, SERVER_ID=b"\xff" * 4), "dhcp_server_missing"),
        (with_options(dhcpv4.OFFER, MESSAGE_TYPE=None), "dhcp_not_asked_for"),
        (with_options(dhcpv4.OFFER, MESSAGE_TYPE=b"\5"), "dhcp_not_asked_for"),
        (with_options(dhcpv4.OFFER, MESSAGE_TYPE=b"\2\2"), "dhcp_not_asked_for"),
    ],
)
def test_an_offer_that_is_none(change: Callable[[Message], Message], counter: str) -> None:
    server = Server()
    server.change = change
    link = started(server)
    link.run(1)
    assert link.take_sent() == ["DISCOVER to all"]
    assert link.counters == {counter: 1}


@pytest.mark.parametrize(
    ("change", "counter"),
    [
        (with_options(dhcpv4.ACK, SERVER_ID=OTHER), "dhcp_server_other"),
        (with_options(dhcpv4.ACK, MESSAGE_TYPE=b"\2"), "dhcp_not_asked_for"),
        (with_options(dhcpv4.ACK, LEASE_TIME=None), "dhcp_lease_time_bad"),
        (with_options(dhcpv4.ACK, LEASE_TIME=u32(0)), "dhcp_lease_time_bad"),
        (with_options(dhcpv4.ACK, LEASE_TIME=u32(9)), "dhcp_lease_time_bad"),
        (with_options(dhcpv4.ACK, LEASE_TIME=b"\1"), "dhcp_lease_time_bad"),
        # Its network's or its broadcast address.
        (with_options(dhcpv4.ACK, SUBNET_MASK=addr.mask(30)), "dhcp_address_bad"),
    ],
)
def test_an_acknowledgement_that_is_none(
    change: Callable[[Message], Message], counter: str
) -> None:
    server = Server()
    server.change = change
    link = started(server)
    link.run(3)
    assert link.take() == []
    assert link.client.state == dhcp.REQUESTING
    assert link.counters[counter] == 1


def test_an_acknowledgement_of_another_address_is_none() -> None:
    server = Server()

    def change(message: Message) -> Message:
        if message.kind == dhcpv4.ACK:
            message.address = OTHER
        return message

    server.change = change
    link = started(server)
    link.run(3)
    assert link.take() == []
    assert link.counters == {"dhcp_address_other": 1}


@pytest.mark.parametrize(
    ("mask", "length"),
    [
        (addr.mask(32), 32),
        (addr.mask(31), 31),
        (addr.mask(1), 1),
        (bytes((255, 0, 255, 0)), 24),
        (bytes(4), 24),
        (b"\xff\xff", 24),
        (b"", 24),
    ],
)
def test_a_mask_that_is_none_is_the_classs(mask: bytes, length: int) -> None:
    server = Server()
    server.options[dhcpv4.SUBNET_MASK] = mask
    link = bound(server)
    assert link.leases[0].prefix_length == length
    assert link.counters["dhcp_mask_bad"] == (length == 24)


@pytest.mark.parametrize(
    ("renewal", "rebinding"), [(0, 0), (200, 100), (3600, 7200), (1, 3600), (2**32 - 1, 1)]
)
def test_times_that_make_no_sense_are_not_believed(renewal: int, rebinding: int) -> None:
    server = Server()
    server.options[dhcpv4.RENEWAL_TIME] = u32(renewal)
    server.options[dhcpv4.REBINDING_TIME] = u32(rebinding)
    link = bound(server)
    lease = link.leases[0]
    assert (lease.renew_s, lease.rebind_s) == (1800, 3150)
    link.run(1700)
    assert link.take_sent() == []


def test_other_options_that_are_nonsense_are_left_out() -> None:
    server = Server()
    server.options = {
        dhcpv4.ROUTERS: b"\xff\xff\xff\xff" + b"\x7f\0\0\1",
        dhcpv4.DNS_SERVERS: NOBODY + b"\xe0\0\0\1" + SERVER + addr.parse("255.0.0.1"),
        dhcpv4.NTP_SERVERS: b"\1\2\3",
        dhcpv4.SEARCH: b"\xc0\0",
        dhcpv4.DOMAIN_NAME: b"a\nnameserver 6.6.6.6",
        dhcpv4.HOST_NAME: b"../../etc",
        dhcpv4.MTU: b"\0\x44",
    }
    link = bound(server)
    lease = link.leases[0]
    assert (lease.routes, lease.ntp, lease.search, lease.hostname) == ([], [], [], "")
    assert (lease.dns, lease.ip_mtu) == ([SERVER], 0)
    assert link.counters == {
        "dhcp_mask_bad": 1, "dhcp_gateway_bad": 2, "dhcp_server_address_bad": 3,
        "dhcp_hostname_bad": 1, "dhcp_mtu_bad": 1,
    }  # fmt: skip


def test_lists_are_taken_up_to_a_number() -> None:
    server = Server()
    many = b"".join(bytes((10, 0, at, 1)) for at in range(60))
    routes = [(bytes((10, at, 0, 0)), 16, SERVER) for at in range(200)]
    server.options |= {dhcpv4.DNS_SERVERS: many, dhcpv4.ROUTES: dhcpv4.emit_routes(routes)}
    lease = bound(server).leases[0]
    assert len(lease.dns) == 8
    assert len(lease.routes) == 64


def test_another_server_cannot_refuse_or_give() -> None:
    server, other = Server(), Server(OTHER)
    link = started(server, other)
    other.refuses = True
    other.change = lambda message: message if message.kind != dhcpv4.OFFER else None
    # It answers also what it is not asked.
    other.identifier = SERVER
    other_answer = other.answer

    def answer(message: Message) -> Message | None:
        reply = other_answer(message)
        if reply is not None:
            reply.options[dhcpv4.SERVER_ID] = OTHER
        return reply

    other.answer = answer  # type: ignore[method-assign]
    link.servers = (other, server)
    link.run(1)
    assert link.take() == ["bound 192.0.2.100"]
    assert link.counters["dhcp_server_other"] == 1


def test_nothing_is_taken_that_was_not_asked_for() -> None:
    link = bound(Server())
    request = link.sent[-1][1] if link.sent else None
    assert request is None
    options = {dhcpv4.MESSAGE_TYPE: b"\6", dhcpv4.SERVER_ID: SERVER}
    for xid in (0, link.client._xid):
        nak = Message(dhcpv4.REPLY, xid, link.client._mac, dict(options))
        link.client.receive(link.now, dhcpv4.emit(nak))
    assert link.counters == {"dhcp_not_asked_for": 2}
    assert link.client.lease is not None


def test_a_server_that_offers_and_refuses_does_not_keep_the_machine_busy() -> None:
    server = Server()
    server.refuses = True
    link = started(server)
    link.run(3600)
    sent = link.take_sent()
    assert len(sent) <= 40
    assert link.take() == []


def test_conflicts_without_end_do_not_keep_the_machine_busy() -> None:
    server = Server()
    link = bound(server)
    for _ in range(30):
        link.client.conflict(link.now)
        link.client.conflict(link.now)
        link.run(330)
    assert len(link.take_sent()) == 30 * 3
    # Ten seconds, twenty, …, and no more than five minutes.
    assert link.client.lease is not None


def test_short_leases_do_not_keep_the_machine_busy() -> None:
    server = Server()
    server.lease_s = 10
    server.options[dhcpv4.RENEWAL_TIME] = u32(1)
    server.options[dhcpv4.REBINDING_TIME] = u32(2)
    link = started(server)
    link.run(100)
    assert len(link.sent) <= 2 + 110


def test_a_flood_of_offers_makes_one_request() -> None:
    link = Link()
    link.client.start(link.now)
    discover = link.sent[-1][1]
    for host in range(1, 250):
        options = {dhcpv4.MESSAGE_TYPE: b"\2", dhcpv4.SERVER_ID: SERVER}
        address = bytes((192, 0, 2, host))
        offer = Message(dhcpv4.REPLY, discover.xid, discover.mac, options, address=address)
        link.client.receive(link.now, dhcpv4.emit(offer))
    assert link.take_sent() == ["DISCOVER to all", "REQUEST to all"]
    assert link.counters == {"dhcp_not_asked_for": 248}


def test_whatever_comes_nothing_escapes() -> None:
    chance = random.Random(4)
    server = Server()
    server.options |= {dhcpv4.DNS_SERVERS: OTHER, dhcpv4.SEARCH: b"\1a\2bc\0\1d\xc0\2"}
    link = bound(server)
    link.run(1801)
    link.client.link_up(link.now)
    options = {
        dhcpv4.MESSAGE_TYPE: b"\5", dhcpv4.SERVER_ID: SERVER, dhcpv4.LEASE_TIME: u32(3600),
        **server.options,
    }  # fmt: skip
    good = bytearray(
        dhcpv4.emit(Message(dhcpv4.REPLY, 0, link.client._mac, options, address=FIRST))
    )
    for _ in range(20_000):
        data = bytearray(good)
        data[4:8] = link.client._xid.to_bytes(4, "big")
        for _ in range(chance.randint(0, 4)):
            data[chance.randint(236, 310) % len(data)] = chance.getrandbits(8)
        del data[chance.choice((len(data), len(data), chance.randint(0, len(data)))) :]
        link.client.receive(link.now, data)
        link.run(chance.choice((0, 0, 0, 1)))
        if chance.random() < 0.1:
            link.client.link_up(link.now)
        link.sent.clear()
    assert link.now > 2000 * SECOND
    assert sum(link.counters.values()) > 5_000
    assert link.leases[1:]
