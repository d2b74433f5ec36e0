"""Interfaces, addresses and cables."""

from __future__ import annotations

import errno

import pytest

from ovum.net.iface.events import ADDRESS, LINK
from ovum.net.iface.interface import UNICAST
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr

from .lab import MAC, OTHER, OUR_MAC, PEER, PEER6, US, US6, US_LINK, Lab, Listener, arp_of, kind_of


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_loopback_is_always_there(lab: Lab) -> None:
    loopback = lab.stack.interfaces[1]
    assert (loopback.name, loopback.loopback, loopback.up) == ("lo", True, True)
    for text in ("127.0.0.1", "127.255.255.254", "::1"):
        assert lab.stack.is_local(addr.parse(text))
    with pytest.raises(OSError, match="stays"):
        lab.stack.remove_interface(lab.now, loopback)


@pytest.mark.parametrize(
    ("name", "mac", "mtu", "number"),
    [
        ("eth0", MAC, 1500, errno.EEXIST),
        ("eth1", MAC[:5], 1500, errno.EINVAL),
        ("eth1", b"\x03" + MAC[1:], 1500, errno.EINVAL),
        ("eth1", MAC, 67, errno.EINVAL),
        ("eth1", MAC, 65536, errno.EINVAL),
    ],
)
def test_what_is_no_interface(lab: Lab, name: str, mac: bytes, mtu: int, number: int) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.add_interface(name, mac, mtu)
    assert raised.value.errno == number


def test_interfaces_are_bounded() -> None:
    settings = Settings()
    settings.interfaces_max = 3
    lab = Lab(settings)
    lab.stack.add_interface("eth1", MAC, 1500)
    with pytest.raises(OSError) as raised:
        lab.stack.add_interface("eth2", MAC, 1500)
    assert raised.value.errno == errno.ENOSPC


def test_a_link_too_small_for_ipv6_has_none() -> None:
    lab = Lab(ip_mtu=1279)
    assert not lab.link.addresses6
    assert not lab.link.groups6.members


def test_a_removed_interface_leaves_nothing(lab: Lab) -> None:
    lab.know()
    lab.know(PEER6)
    path = lab.stack.path(PEER)
    lab.stack.add_address(lab.now, lab.link, addr.parse("2001:db8::77"), 64)
    lab.stack.remove_interface(lab.now, lab.link)
    assert not path.valid
    assert set(lab.stack.interfaces) == {1}
    assert set(lab.stack.local) == {addr.LOOPBACK4, addr.LOOPBACK6}
    assert not lab.stack.routes(4)
    assert not lab.stack.routes(6)
    lab.wait(1000 * SECOND)
    assert not lab.link.outbox
    assert lab.stack.next_deadline() is None
    assert lab.told[-1] == (LINK, lab.link)
    lab.stack.add_interface("eth0", OUR_MAC, 1500)
    assert lab.stack.interface_named("eth0") is lab.stack.interfaces[3]


def test_a_cable_that_is_pulled_and_plugged(lab: Lab) -> None:
    lab.know()
    lab.told.clear()
    lab.stack.link_changed(lab.now, lab.link, False)
    assert not lab.link.arp.entries
    assert US in lab.link.addresses4
    assert lab.stack.is_local(US)
    lab.stack.link_changed(lab.now, lab.link, False)
    assert lab.told == [(LINK, lab.link)]
    lab.stack.link_changed(lab.now, lab.link, True)
    frames = lab.sent()
    assert US in [arp_of(each).sender for each in frames if kind_of(each) == 0x0806]
    announced = [each[62:78] for each in frames if each[12:14] == b"\x86\xdd" and each[54] == 136]
    assert set(announced) == {US6, US_LINK}


def test_an_interface_may_come_without_a_cable() -> None:
    lab = Lab()
    other = lab.stack.add_interface("eth1", MAC, 1500, up=False)
    lab.stack.add_address(lab.now, other, addr.parse("203.0.113.1"), 24)
    lab.wait(10 * SECOND)
    assert not other.outbox
    lab.stack.link_changed(lab.now, other, True)
    lab.wait(10 * SECOND)
    assert other.link_local() is not None


@pytest.mark.parametrize(
    ("address", "length"),
    [("0.0.0.0", 8), ("0.1.2.3", 8), ("224.0.0.1", 24), ("255.255.255.255", 32), ("::", 64),
     ("ff02::1", 64), ("10.0.0.1", 33), ("2001:db8::1", 129)],
)  # fmt: skip
def test_what_is_no_address_of_a_host(lab: Lab, address: str, length: int) -> None:
    with pytest.raises(OSError) as raised:
        lab.stack.add_address(lab.now, lab.link, addr.parse(address), length)
    assert raised.value.errno == errno.EINVAL


def test_addresses_are_bounded() -> None:
    settings = Settings()
    settings.addresses_max = 4
    lab = Lab(settings)
    with pytest.raises(OSError) as raised:
        for number in range(10):
            lab.stack.add_address(lab.now, lab.link, b"\x0a\0\0" + bytes((number + 1,)), 24)
    assert raised.value.errno == errno.ENOSPC


def test_the_same_address_again_gets_new_lifetimes(lab: Lab) -> None:
    first = lab.link.addresses4[US]
    again = lab.stack.add_address(lab.now, lab.link, US, 24, valid_ns=10 * SECOND)
    assert again is first
    lab.wait(10 * SECOND)
    assert US not in lab.link.addresses4
    assert (ADDRESS, first) in lab.told
    assert lab.link.accept.get(addr.parse("192.0.2.255")) is None


def test_another_length_of_the_prefix_replaces_the_address(lab: Lab) -> None:
    lab.stack.add_address(lab.now, lab.link, US, 16)
    assert lab.link.addresses4[US].prefix_length == 16
    assert [each.prefix_length for each in lab.stack.routes(4)] == [16]
    assert lab.link.accept.get(addr.parse("192.0.255.255")) == 2
    assert lab.link.accept.get(addr.parse("192.0.2.255")) is None


def test_an_address_of_another_interface(lab: Lab) -> None:
    other = lab.stack.add_interface("eth1", MAC, 1500)
    with pytest.raises(OSError) as raised:
        lab.stack.add_address(lab.now, other, US, 24)
    assert raised.value.errno == errno.EEXIST
    with pytest.raises(OSError) as raised:
        lab.stack.del_address(lab.now, other, US)
    assert raised.value.errno == errno.EADDRNOTAVAIL


def test_a_host_address_and_a_point_to_point_link_have_no_broadcast(lab: Lab) -> None:
    for text in ("10.0.0.1/32", "10.0.1.0/31"):
        address, length = addr.parse_prefix(text)
        made = lab.stack.add_address(lab.now, lab.link, address, length)
        assert made.broadcast == b""
    assert lab.link.accept[addr.parse("10.0.1.0")] == UNICAST


def test_listeners_may_change_the_stack_in_turn(lab: Lab) -> None:
    def follow(now: int, kind: int, subject: object) -> None:
        if kind == LINK and lab.link.up:
            lab.stack.add_address(now, lab.link, OTHER, 24)

    lab.stack.listeners.append(follow)
    lab.stack.link_changed(lab.now, lab.link, False)
    lab.stack.link_changed(lab.now, lab.link, True)
    assert lab.stack.is_local(OTHER)


def test_packets_between_our_own_addresses_do_not_leave(lab: Lab) -> None:
    listener = Listener(lab.stack)
    other = lab.stack.add_interface("eth1", MAC, 1500)
    there = addr.parse("203.0.113.1")
    lab.stack.add_address(lab.now, other, there, 24)
    lab.sent()
    other.take_outbox(lab.now)
    lab.stack.send(lab.stack.path(there, US), 253, (b"x",))
    lab.stack.poll(lab.now)
    assert [(each.src, each.dst) for each in listener.packets] == [(US, there)]
    assert not lab.sent()
    assert not other.outbox
    assert lab.stack.path(US_LINK).interface == lab.link.index


def test_the_same_chance_makes_the_same_stack() -> None:
    def run(seed: int) -> list[bytes]:
        lab = Lab(seed=seed, quiet=False)
        endpoint, _ = lab.endpoint()
        endpoint.send(b"x" * 3000, PEER, 9)
        lab.wait(30 * SECOND)
        return lab.sent()

    assert run(5) == run(5)
    assert run(5) != run(6)
