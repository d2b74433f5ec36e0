"""A router's word that packets are too big, from its frame to what TCP sends next (RFC 5927)."""

from __future__ import annotations

import pytest

from ovum.net.socket.door import CONNECTED
from ovum.net.wire import ethernet, icmpv4, ipv4
from ovum.services.tasks.testing import run, settle

from .machine import ModelMachine, ModelSocket, WireCard, pair
from .test_streams import connected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Path

SIZE = 4000


async def cut_off() -> tuple[ModelMachine, WireCard, ModelSocket, list[bytes]]:
    """A connection whose cable is cut, so that what it sends stays out: the frames of that."""
    machine, other = await pair()
    _, client, _ = await connected(machine, other, "10.0.0.2")
    card = machine.network.ports[0].card
    assert isinstance(card, WireCard)
    card.peer = None
    card.sent.clear()
    client.ring.send(bytes(SIZE))
    await settle()
    return machine, card, client, list(card.sent)


def too_big(frame: bytes, ip_mtu: int) -> bytes:
    """What a router says to a frame."""
    message = icmpv4.emit(icmpv4.UNREACHABLE, icmpv4.FRAGMENTATION_NEEDED, ip_mtu, frame[14:42])
    head = ipv4.emit_header(bytes((10, 0, 0, 2)), bytes((10, 0, 0, 1)), 1, 20 + len(message))
    return ethernet.emit(frame[6:12], frame[:6], ethernet.IPV4) + head + message


def path_of(machine: ModelMachine) -> Path:
    return machine.network.stack.path(bytes((10, 0, 0, 2)))


def test_what_is_too_big_goes_again_at_once_in_smaller_segments() -> None:
    async def main() -> None:
        machine, card, client, frames = await cut_off()
        assert max(map(len, frames)) == 1514
        card.sent.clear()
        card.put_in(too_big(frames[0], 1000))
        await settle()
        assert path_of(machine).ip_mtu == 1000
        assert len(card.sent) > len(frames)
        assert max(map(len, card.sent)) == 1014
        assert client.ring.state & CONNECTED

    run(main)


@pytest.mark.parametrize(
    ("at", "value", "counter"),
    [
        (38, b"\x00\x00\x00\x00", "tcp_icmp_out_of_window"),
        (34, b"\x00\x07", "tcp_icmp_for_nobody"),
    ],
)
def test_a_forged_error_lowers_nothing(at: int, value: bytes, counter: str) -> None:
    async def main() -> None:
        machine, card, _, frames = await cut_off()
        forged = bytearray(frames[0])
        forged[at : at + len(value)] = value
        card.put_in(too_big(bytes(forged), 1000))
        await settle()
        assert machine.network.stack.counters[counter] == 1
        assert path_of(machine).ip_mtu == 1500

    run(main)


def test_an_error_about_a_connection_in_time_wait_lowers_nothing() -> None:
    async def main() -> None:
        machine, other = await pair()
        _, client, server = await connected(machine, other, "10.0.0.2")
        card = machine.network.ports[0].card
        assert isinstance(card, WireCard)
        card.sent.clear()
        client.ring.send(b"x")
        await settle()
        frame = card.sent[0]
        server.ring.recv(1)
        client.close()
        server.close()
        await settle()
        assert machine.network.tcp.time_waits
        card.put_in(too_big(frame, 1000))
        await settle()
        assert machine.network.stack.counters["tcp_icmp_out_of_window"] == 1
        assert path_of(machine).ip_mtu == 1500

    run(main)
