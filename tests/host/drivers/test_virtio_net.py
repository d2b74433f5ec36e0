"""The network device: frames both ways, offloads, the link, filters."""

import random
from collections.abc import Awaitable, Callable

import pytest

from ovum.drivers.errors import DeviceError
from ovum.drivers.frames import LARGEST, TCP4, UDP, Frame, Offload, Received
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio import net
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.net import VirtioNet
from ovum.services.tasks import Group, testing

from .conftest import Run
from .machine import Machine
from .virtio_net_model import MAC, MERGE, OFFLOADS, PLAIN, NetModel

Use = Callable[[VirtioNet, NetModel], Awaitable[None]]

KINDS = {
    "plain": (PLAIN, 2),
    "merging": (MERGE, 2),
    "offloading": (OFFLOADS, 2),
    "legacy": (PLAIN, 1),
    "legacy, any layout": (PLAIN | f.ANY_LAYOUT, 1),
    "legacy, merging": (MERGE, 1),
    "legacy, offloading, any layout": (OFFLOADS | f.ANY_LAYOUT, 1),
}
"""Features that a device offers, and the version of its registers."""


async def with_card(model: NetModel, use: Use) -> None:
    """Runs `use` with a driver that is up."""
    card = VirtioNet(MmioTransport(model.machine, model.face.place))
    try:
        async with Group() as group:
            group.start(model.run)
            await card.start()
            group.start(card.listen)
            await testing.settle()
            await use(card, model)
            group.cancel()
    finally:
        model.resets = True
        await card.stop()


def some_frame(chance: random.Random, least: int = 14, most: int = 1514) -> bytes:
    return chance.randbytes(chance.randint(least, most))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_arrive_unchanged_both_ways_past_the_wrap(
    kind: str, machine: Machine, run: Run, request: pytest.FixtureRequest
) -> None:
    """Random batches, far more of them than the queue has room for."""
    features, version = KINDS[kind]
    model = NetModel(machine, features, version=version, queue_size=64)

    async def use(card: VirtioNet, model: NetModel) -> None:
        chance = random.Random(kind)
        arrived: list[bytes] = []
        put: list[bytes] = []
        sent: list[bytes] = []
        for _ in range(40):
            frames = [some_frame(chance) for _ in range(chance.randrange(90))]
            put += frames
            model.deliver(*frames)
            if chance.random() < 0.3:
                model.raise_queue(0)
            while len(arrived) < len(put):
                arrived += [frame.data for frame in await card.receive()]
                model.process()
            batch = [some_frame(chance) for _ in range(chance.randrange(90))]
            sent += batch
            await card.transmit([Frame(data) for data in batch])
            await testing.settle()
        assert arrived == put
        assert model.frames() == sent
        counters = card.counters
        assert counters.received_frames == len(put)
        assert counters.received_bytes == sum(map(len, put))
        assert counters.transmitted_frames == len(sent)
        assert counters.transmitted_bytes == sum(map(len, sent))
        assert counters.dropped == {}

    run(with_card, model, use)


def test_indices_wrap_after_65535(machine: Machine) -> None:
    model = NetModel(machine, queue_size=256)

    async def use(card: VirtioNet, model: NetModel) -> None:
        count = 0
        data = [bytes((k,)) * 60 for k in range(250)]
        batch = [Frame(one) for one in data]
        while count < 65_600:
            model.deliver(*data)
            got: list[Received] = []
            while len(got) < len(batch):
                got += await card.receive()
            assert [frame.data for frame in got] == data
            await card.transmit(batch)
            await testing.settle()
            assert model.frames() == data
            model.sent.clear()
            count += len(batch)

    testing.run(with_card, model, use, seed=1)


def test_a_device_may_use_buffers_in_any_order(machine: Machine, run: Run) -> None:
    model = NetModel(machine, queue_size=16)

    async def use(card: VirtioNet, model: NetModel) -> None:
        chance = random.Random(1)
        for turn in range(50):
            model.reverse = turn % 3 != 0
            frames = [some_frame(chance) for _ in range(chance.randint(1, 16))]
            model.deliver(*frames)
            got: list[bytes] = []
            while len(got) < len(frames):
                got += [frame.data for frame in await card.receive()]
            if model.reverse:
                got.reverse()
            # What comes after the ring's end is a batch of its own.
            assert sorted(got) == sorted(frames)

    run(with_card, model, use)


def test_a_frame_longer_than_a_buffer_spans_several(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)

    async def use(card: VirtioNet, model: NetModel) -> None:
        chance = random.Random(2)
        assert card.offloads.receive_large
        for size in (2036, 2037, 4084, 4085, 20_000, LARGEST):
            around = some_frame(chance)
            large = chance.randbytes(size)
            model.deliver(around)
            model.deliver(large, header=(1, TCP4, 54, 1448, 34, 16))
            model.deliver(around)
            got: list[Received] = []
            while len(got) < 3:
                got += await card.receive()
            assert [frame.data for frame in got] == [around, large, around]
            offload = got[1].offload
            assert offload is not None
            assert got[0].offload is None
            assert (offload.segmentation, offload.segment_size) == (TCP4, 1448)
            assert offload.needs_checksum
            assert (offload.checksum_start, offload.checksum_offset) == (34, 16)
            assert offload.header_size == 54

    run(with_card, model, use)


def test_a_checksum_that_the_device_has_checked_is_known(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)

    async def use(card: VirtioNet, model: NetModel) -> None:
        model.deliver(bytes(60), header=(2, 0, 0, 0, 0, 0))
        (frame,) = await card.receive()
        assert frame.offload is not None
        assert frame.offload.checksum_valid
        assert not frame.offload.needs_checksum

    run(with_card, model, use)


@pytest.mark.parametrize("kind", ["offloading", "legacy, offloading, any layout"])
def test_offloads_reach_the_device(kind: str, machine: Machine, run: Run) -> None:
    features, version = KINDS[kind]
    model = NetModel(machine, features, version=version)

    async def use(card: VirtioNet, model: NetModel) -> None:
        checksum = Offload(needs_checksum=True, checksum_start=34, checksum_offset=6)
        tcp = Offload(
            needs_checksum=True,
            checksum_start=34,
            checksum_offset=16,
            segmentation=TCP4,
            segment_size=1448,
            header_size=66,
            ecn=True,
        )
        head, payload = bytes(range(66)), bytes(60_000)
        frames = [
            Frame(bytes(100), checksum),
            Frame(bytes(100)),
            Frame((head, memoryview(payload)), tcp),
            *[Frame(bytes((k,)) * 60) for k in range(100)],
        ]
        # Several rounds: buffers that had a header of their own are used for others.
        for _ in range(8):
            await card.transmit(frames)
            await testing.settle()
        assert len(model.sent) == 8 * len(frames)
        for turn in range(8):
            sent = model.sent[turn * len(frames) : (turn + 1) * len(frames)]
            assert sent[0] == (bytes(100), (1, 0, 0, 0, 34, 6))
            assert sent[1] == (bytes(100), (0,) * 6)
            assert sent[2] == (head + payload, (1, TCP4 | 0x80, 66, 1448, 34, 16))
            assert sent[3:] == [(bytes((k,)) * 60, (0,) * 6) for k in range(100)]

    run(with_card, model, use)


def test_more_large_frames_than_there_are_buffers_wait(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)
    offload = Offload(
        needs_checksum=True, checksum_start=34, checksum_offset=16, segmentation=TCP4,
        segment_size=1448, header_size=66,
    )  # fmt: skip

    async def use(card: VirtioNet, model: NetModel) -> None:
        data = [bytes((k,)) * 50_000 for k in range(20)]
        await card.transmit([Frame(one, offload) for one in data])
        await testing.settle()
        assert model.frames() == data

    run(with_card, model, use)


def test_frames_that_cannot_be_sent_are_counted(machine: Machine, run: Run) -> None:
    model = NetModel(machine, PLAIN)

    async def use(card: VirtioNet, model: NetModel) -> None:
        await card.transmit([
            Frame(bytes(13)),
            Frame(bytes(1518)),
            Frame(bytes(1519)),
            Frame(bytes(60), Offload(needs_checksum=True)),
            Frame(bytes(60), Offload(segmentation=UDP)),
            Frame(bytes(60)),
        ])  # fmt: skip
        await testing.settle()
        assert [len(frame) for frame in model.frames()] == [1518, 60]
        assert card.counters.dropped == {
            "transmit: too short": 1,
            "transmit: too long": 1,
            "transmit: an offload that the card does not have": 2,
        }
        model.set_link(False)
        await testing.settle()
        await card.transmit([Frame(bytes(60))] * 3)
        assert card.counters.dropped["transmit: link is down"] == 3

    run(with_card, model, use)


def test_the_link_goes_down_and_up(machine: Machine, run: Run) -> None:
    model = NetModel(machine)

    async def use(card: VirtioNet, model: NetModel) -> None:
        assert card.link.up
        async with Group() as group:
            change = group.start(card.link.changed)
            await testing.settle()
            model.set_link(False)
        assert await change.wait() is False
        model.set_link(False)
        await testing.settle()
        assert card.link.changes == 2  # up at the start
        async with Group() as group:
            change = group.start(card.link.changed)
            await testing.settle()
            model.set_link(True)
        assert await change.wait() is True
        model.deliver(bytes(60))
        assert len(await card.receive()) == 1

    run(with_card, model, use)


def test_what_is_received_is_chosen_by_commands(machine: Machine, run: Run) -> None:
    model = NetModel(machine, OFFLOADS)

    async def use(card: VirtioNet, model: NetModel) -> None:
        # At the start: our address, and nothing but what is for us.
        nobody = (1, 0, bytes(8))
        assert model.commands == [(1, 1, MAC), (0, 0, b"\0"), (0, 1, b"\0"), nobody]
        model.commands.clear()
        group = bytes.fromhex("01005e000001")
        await card.set_filter(promiscuous=True, multicast=[group])
        assert model.commands == [
            (0, 0, b"\1"), (0, 1, b"\0"), (1, 0, bytes(4) + b"\1\0\0\0" + group)
        ]  # fmt: skip
        model.commands.clear()
        await card.set_filter(multicast=[group] * 1000)
        assert model.commands == [(0, 0, b"\0"), (0, 1, b"\1"), nobody]
        with pytest.raises(ValueError, match="52:54:00:12:34:56 is not the address of a group"):
            await card.set_filter(multicast=[MAC])
        await card.set_receive_large(False)
        assert model.commands[-1] == (5, 0, net.GUEST_CSUM.to_bytes(8, "little"))
        assert not card.offloads.receive_large
        model.acknowledgement = 1
        with pytest.raises(DeviceError, match="has not taken the filter"):
            await card.set_filter()

    run(with_card, model, use)


def test_a_filter_that_is_set_at_once_stays(machine: Machine, run: Run) -> None:
    """Before the card's own task has told the device anything."""
    model = NetModel(machine, OFFLOADS)
    group = bytes.fromhex("01005e000001")

    async def start() -> None:
        card = VirtioNet(MmioTransport(model.machine, model.face.place))
        try:
            async with Group() as tasks:
                tasks.start(model.run)
                await card.start()
                tasks.start(card.listen)
                await card.set_filter(multicast=[group])
                await testing.settle()
                tables = [data for kind, number, data in model.commands if (kind, number) == (1, 0)]
                assert set(tables) == {bytes(4) + b"\1\0\0\0" + group}
                tasks.cancel()
        finally:
            model.resets = True
            await card.stop()

    run(start)


def test_the_configuration_says_address_and_mtu(machine: Machine, run: Run) -> None:
    model = NetModel(machine, MERGE | net.MTU_GIVEN, mtu=9000)

    async def use(card: VirtioNet, model: NetModel) -> None:
        assert card.mac == MAC
        assert card.mtu == 9000
        assert repr(card).endswith("52:54:00:12:34:56, link up>")
        data = bytes(9014)
        await card.transmit([Frame(data)])
        model.deliver(data)
        (frame,) = await card.receive()
        assert frame.data == data
        await testing.settle()
        assert model.frames() == [data]

    run(with_card, model, use)


def test_a_device_without_an_address_gets_one(machine: Machine, run: Run) -> None:
    model = NetModel(machine, MERGE & ~net.MAC)

    async def use(card: VirtioNet, model: NetModel) -> None:
        assert card.mac[0] & 3 == 2  # a station's, locally administered
        assert model.commands[0] == (1, 1, card.mac)

    run(with_card, model, use)


@pytest.mark.parametrize(
    ("offered", "without"),
    [
        (OFFLOADS & ~net.CSUM, net.CSUM | net.HOST_LARGE),
        (OFFLOADS & ~net.GUEST_CSUM, net.GUEST_CSUM | net.GUEST_LARGE),
        (OFFLOADS & ~net.MRG_RXBUF, net.MRG_RXBUF | net.GUEST_LARGE),
        (OFFLOADS & ~net.CTRL_VQ, net.CTRL_VQ | net.CTRL_RX | net.CTRL_MAC_ADDR
         | net.CTRL_GUEST_OFFLOADS),
    ],
)  # fmt: skip
def test_features_are_asked_for_only_with_what_they_stand_on(offered: int, without: int) -> None:
    assert net.wanted(offered) == OFFLOADS & ~without
