"""Conflicts of bind as Linux has them, and random ports."""

from __future__ import annotations

import random
from errno import EADDRINUSE, EADDRNOTAVAIL

import pytest

from ovum.net.tcp.ports import ANY4, ANY6, Ports
from ovum.net.tcp.settings import SocketOptions

ONE, TWO = b"\x0a\0\0\x01", b"\x0a\0\0\x02"
SIX = b"\xfd" + bytes(14) + b"\x01"


def options(reuse: bool = False, share: bool = False, v6_only: bool = False) -> SocketOptions:
    made = SocketOptions()
    made.reuse_address, made.reuse_port, made.v6_only = reuse, share, v6_only
    return made


@pytest.fixture
def ports() -> Ports:
    return Ports(random.Random(1), (40000, 40003))


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        (ANY4, ANY4, True),
        (ANY4, ONE, True),
        (ONE, ANY4, True),
        (ONE, TWO, False),
        (ONE, ONE, True),
        (ANY6, ANY4, True),
        (ANY6, ONE, True),
        (ONE, ANY6, True),
        (SIX, ONE, False),
        (SIX, ANY4, False),
        (SIX, ANY6, True),
    ],
)
def test_addresses_conflict(ports: Ports, first: bytes, second: bytes, conflict: bool) -> None:
    ports.bind(first, 80, options(), 0)
    if conflict:
        with pytest.raises(OSError) as caught:
            ports.bind(second, 80, options(), 0)
        assert caught.value.errno == EADDRINUSE
    else:
        ports.bind(second, 80, options(), 0)


def test_v6_only_leaves_ipv4_alone(ports: Ports) -> None:
    ports.bind(ANY6, 80, options(v6_only=True), 0)
    ports.bind(ANY4, 80, options(), 0)


def test_interfaces_keep_sockets_apart(ports: Ports) -> None:
    ports.bind(ANY4, 80, options(), 1)
    ports.bind(ANY4, 80, options(), 2)
    with pytest.raises(OSError):
        ports.bind(ANY4, 80, options(), 0)


def test_reuse_address_needs_both_and_no_listener(ports: Ports) -> None:
    first = ports.bind(ANY4, 80, options(reuse=True), 0)
    with pytest.raises(OSError):
        ports.bind(ANY4, 80, options(), 0)
    second = ports.bind(ANY4, 80, options(reuse=True), 0)
    ports.listen(first)
    with pytest.raises(OSError):
        ports.bind(ANY4, 80, options(reuse=True), 0)
    with pytest.raises(OSError):
        ports.listen(second)


def test_reuse_port_lets_listeners_be_together(ports: Ports) -> None:
    first = ports.bind(ANY4, 80, options(share=True), 0)
    second = ports.bind(ANY4, 80, options(share=True), 0)
    ports.listen(first)
    ports.listen(second)
    with pytest.raises(OSError):
        ports.bind(ANY4, 80, options(), 0)


def test_a_released_port_is_free(ports: Ports) -> None:
    binding = ports.bind(ANY4, 80, options(), 0)
    binding.retain()
    binding.release()
    with pytest.raises(OSError):
        ports.bind(ANY4, 80, options(), 0)
    binding.release()
    ports.bind(ANY4, 80, options(), 0)


def test_ephemeral_ports_end(ports: Ports) -> None:
    found = {ports.bind(ANY4, 0, options(), 0).port for _ in range(4)}
    assert found == {40000, 40001, 40002, 40003}
    with pytest.raises(OSError) as caught:
        ports.bind(ANY4, 0, options(), 0)
    assert caught.value.errno == EADDRINUSE


def test_ephemeral_ports_are_random() -> None:
    chosen = []
    for seed in range(20):
        ports = Ports(random.Random(seed), (32768, 60999))
        chosen.append(ports.bind(ANY4, 0, options(), 0).port)
    assert len(set(chosen)) > 15
    assert all(32768 <= port <= 60999 for port in chosen)


def test_who_connects_does_not_meet_itself_at_a_port_that_was_given_up() -> None:
    for seed in range(50):
        ports = Ports(random.Random(seed), (40000, 40003))
        given_up = ports.bind(ANY4, 0, options(), 0)
        given_up.release()
        assert ports.automatic(lambda port: False).port != given_up.port


def test_active_opens_share_ports_only_when_no_other_is_left(ports: Ports) -> None:
    used: set[int] = set()
    for _ in range(4):
        binding = ports.automatic(used.__contains__)
        assert binding.port not in used
        used.add(binding.port)
    # To another peer all are free, and shared.
    shared = ports.automatic(lambda port: False)
    assert shared.port in used
    with pytest.raises(OSError) as caught:
        ports.automatic(lambda port: True)
    assert caught.value.errno == EADDRNOTAVAIL


def test_a_port_of_an_active_open_is_not_to_be_bound(ports: Ports) -> None:
    binding = ports.automatic(lambda port: False)
    with pytest.raises(OSError):
        ports.bind(ANY4, binding.port, options(), 0)
