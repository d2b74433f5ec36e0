"""e1000 and e1000e against a model that walks the same rings."""

import random
import struct
from collections.abc import Awaitable, Callable

import pytest

from ovum.drivers.e1000.card import E1000
from ovum.drivers.e1000.registers import E1000Registers
from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.frames import CHECKED, TCP4, TCP6, Frame, Offload, Received
from ovum.services.tasks import Group, testing

from .conftest import Run
from .e1000_model import MAC, E1000Model, checksum
from .machine import Machine

Use = Callable[[E1000, E1000Model], Awaitable[None]]

CARDS = [0x100E, 0x10D3]
R = E1000Registers


async def with_card(model: E1000Model, use: Use) -> None:
    card = E1000(model.function)
    try:
        async with Group() as group:
            await card.start()
            group.start(card.listen)
            await testing.settle()
            await use(card, model)
            group.cancel()
    finally:
        model.resets = True
        await card.stop()
        assert not model.fake.mastering


def some_frames(chance: random.Random, count: int) -> list[bytes]:
    return [chance.randbytes(chance.randint(14, 1518)) for _ in range(count)]


@pytest.mark.parametrize("device", CARDS)
def test_frames_arrive_unchanged_both_ways_past_the_wrap(
    device: int, machine: Machine, run: Run
) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        chance = random.Random(device)
        arrived: list[bytes] = []
        put: list[bytes] = []
        sent: list[bytes] = []
        for _ in range(60):
            frames = [
                chance.randbytes(chance.randint(14, 1514))
                for _ in range(chance.choice((0, 3, 70, 400)))
            ]
            put += frames
            model.deliver(*frames)
            if chance.random() < 0.3:
                model.cause(R.icr.mask("received"))  # spurious
            while len(arrived) < len(put):
                arrived += [frame.data for frame in await card.receive()]
            batch = [
                chance.randbytes(chance.randint(14, 1518))
                for _ in range(chance.choice((1, 30, 400)))
            ]
            sent += batch
            await card.transmit([Frame(data) for data in batch])
        await testing.settle()
        assert arrived == put
        assert model.sent == sent
        assert card.counters.received_bytes == sum(map(len, put))
        assert card.counters.transmitted_bytes == sum(map(len, sent))
        assert card.counters.dropped == {}

    run(with_card, E1000Model(machine, device), use)


@pytest.mark.parametrize("device", CARDS)
@pytest.mark.parametrize("loaded", [True, False])
def test_the_address_is_read(device: int, loaded: bool, machine: Machine, run: Run) -> None:
    model = E1000Model(machine, device)
    model.loaded = loaded
    model.reset()

    async def use(card: E1000, model: E1000Model) -> None:
        assert card.mac == MAC
        assert model.values[R.ral.offset].to_bytes(4, "little") == MAC[:4]
        assert model.values[R.rah.offset] >> 31

    run(with_card, model, use)


@pytest.mark.parametrize("device", CARDS)
def test_no_interrupts_come_while_a_batch_is_worked_on(
    device: int, machine: Machine, run: Run
) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        async with Group() as group:
            receiver = group.start(card.receive)
            await testing.settle()
            model.deliver(bytes(60))
        assert len(await receiver.wait()) == 1
        before = model.interrupts
        for _ in range(10):
            model.deliver(bytes(60))
        await testing.settle()
        assert model.interrupts == before
        assert len(await card.receive()) == 10

    run(with_card, E1000Model(machine, device), use)


def headers(version: int, size: int, flags: int = 0x18) -> tuple[bytes, int]:
    """Headers of a TCP frame of `size` bytes with the pseudo header's sum; where TCP begins."""
    ethernet = bytes(12)
    if version == 4:
        start = 34
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, size - 14, 7, 0, 64, 6, 0, b"\n\0\0\1", b"\n\0\0\2"
        )
        ip = ip[:10] + struct.pack(">H", checksum(ip) ^ 0xFFFF) + ip[12:]
        kind, pseudo = b"\x08\x00", ip[12:20]
    else:
        start = 54
        ip = struct.pack(
            ">IHBB16s16s", 0x60000000, size - 54, 6, 64, bytes(15) + b"\1", bytes(15) + b"\2"
        )
        kind, pseudo = b"\x86\xdd", ip[8:40]
    total = checksum(pseudo + struct.pack(">HH", 6, size - start))
    tcp = struct.pack(">HHIIBBHHH", 80, 81, 1000, 2000, 0x50, flags, 100, total, 0)
    return ethernet + kind + ip + tcp, start


def check_segment(frame: bytes, version: int) -> bytes:
    """The payload of a segment whose lengths and checksums are right."""
    if version == 4:
        assert struct.unpack_from(">H", frame, 16)[0] == len(frame) - 14
        assert checksum(frame[14:34]) == 0xFFFF
        start, pseudo = 34, frame[26:34]
    else:
        assert struct.unpack_from(">H", frame, 18)[0] == len(frame) - 54
        start, pseudo = 54, frame[22:54]
    whole = pseudo + struct.pack(">HH", 6, len(frame) - start) + frame[start:]
    assert checksum(whole) == 0xFFFF
    return frame[start + 20 :]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("size", [80, 1514, 1515, 9000, 65000])
def test_large_frames_are_cut_into_segments(
    version: int, size: int, machine: Machine, run: Run
) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        chance = random.Random(size)
        head, start = headers(version, size)
        payload = chance.randbytes(size - len(head))
        offload = Offload(
            needs_checksum=True, checksum_start=start, checksum_offset=16,
            segmentation=TCP4 if version == 4 else TCP6, segment_size=1400, header_size=start + 20,
        )  # fmt: skip
        plain = chance.randbytes(1000)
        for _ in range(20):
            await card.transmit([Frame(plain), Frame((head, payload), offload), Frame(plain)])
        assert model.sent.count(plain) == 40
        segments = [one for one in model.sent if one != plain]
        got = b"".join(check_segment(one, version) for one in segments)
        assert got == payload * 20
        assert all(len(one) <= start + 20 + 1400 for one in segments)

    run(with_card, E1000Model(machine), use)


def test_a_checksum_is_inserted(machine: Machine, run: Run) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        head, start = headers(4, 500)
        offload = Offload(needs_checksum=True, checksum_start=start, checksum_offset=16)
        payload = bytes(range(250)) + bytes(500 - 250 - len(head))
        await card.transmit([Frame(head + payload, offload), Frame(head + payload)])
        assert check_segment(model.sent[0], 4) == payload
        assert model.sent[1] == head + payload
        far = Offload(needs_checksum=True, checksum_start=250, checksum_offset=16)
        await card.transmit([Frame(head + payload, far)])
        assert len(model.sent) == 2
        assert card.counters.dropped == {"transmit: an offload that the card does not have": 1}

    run(with_card, E1000Model(machine), use)


def test_checksums_that_the_card_has_checked_are_known(machine: Machine, run: Run) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        for status in (0, 1 << 37, 1 << 37 | 1 << 34, 1 << 37 | 1 << 45):
            model.deliver(bytes(60), status=status)
        got = await card.receive()
        assert [frame.offload for frame in got] == [None, CHECKED, None, None]

    run(with_card, E1000Model(machine), use)


def test_frames_that_cannot_be_had_are_counted(machine: Machine, run: Run) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        good = bytes(range(60))
        model.deliver(bytes(5000), good, bytes(13))
        model.deliver(good, status=1 << 40)
        model.deliver(bytes(2049), good)
        got: list[Received] = []
        while len(got) < 2:
            got += await card.receive()
        assert [frame.data for frame in got] == [good, good]
        assert card.counters.dropped == {
            "receive: too long": 2, "receive: too short": 1, "receive: damaged": 1
        }  # fmt: skip
        model.values[0x4010] = 7
        assert card.statistics()["missed, no room in the card"] == 7
        assert card.statistics()["missed, no room in the card"] == 7
        assert card.counters.dropped["receive: missed, no room in the card"] == 7

    run(with_card, E1000Model(machine), use)


def test_a_length_that_cannot_be_ends_the_driver(machine: Machine, run: Run) -> None:
    model = E1000Model(machine)
    model.lie_length = 2048

    async def use(card: E1000, model: E1000Model) -> None:
        model.deliver(bytes(60))
        with pytest.raises(DeviceError, match="2108 bytes were received into a buffer of 2048"):
            await card.receive()
        await testing.settle()
        raise AssertionError("listen goes on")

    with pytest.raises(ExceptionGroup) as caught:
        run(with_card, model, use)
    assert not caught.group_contains(AssertionError)


def test_a_full_ring_is_waited_for(machine: Machine, run: Run) -> None:
    model = E1000Model(machine)
    model.takes = False

    async def use(card: E1000, model: E1000Model) -> None:
        data = [struct.pack(">I", k) * 20 for k in range(300)]
        async with Group() as group:
            group.start(card.transmit, [Frame(one) for one in data])
            await testing.settle()
            assert model.sent == []
            model.takes = True
            model.transmit()
        assert model.sent == data
        model.takes = False
        with pytest.raises(DeviceTimeout, match="room for frames"):
            await card.transmit([Frame(one) for one in data])
        assert card.counters.dropped == {"transmit: no room in time": 45}

    run(with_card, model, use)


def test_the_link_goes_down_and_up(machine: Machine, run: Run) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        assert card.link.up
        for up in (False, True, False, True):
            async with Group() as group:
                change = group.start(card.link.changed)
                await testing.settle()
                model.set_link(up)
            assert await change.wait() is up

    run(with_card, E1000Model(machine, 0x10D3), use)


def test_what_is_received_is_chosen(machine: Machine, run: Run) -> None:
    async def use(card: E1000, model: E1000Model) -> None:
        rctl = R.rctl
        assert card.registers.rctl == rctl.value(enable=1, broadcast=1, strip_crc=1)
        await card.set_filter(promiscuous=True)
        assert card.registers.rctl.unicast_promiscuous
        assert card.registers.rctl.multicast_promiscuous
        await card.set_filter(
            multicast=[bytes.fromhex("01005e0000fb"), bytes.fromhex("333300000001")]
        )
        assert not card.registers.rctl.unicast_promiscuous
        # The manual's way: the upper twelve bits of the address, the last byte the highest.
        assert model.groups() == [0x010, 0xFB0]
        await card.set_filter(all_multicast=True)
        assert model.groups() == []
        assert card.registers.rctl.multicast_promiscuous

    run(with_card, E1000Model(machine), use)


@pytest.mark.parametrize("device", CARDS)
def test_a_card_that_was_taken_out_is_noticed(device: int, machine: Machine, run: Run) -> None:
    model = E1000Model(machine, device)
    model.takes = False

    async def use(card: E1000, model: E1000Model) -> None:
        model.gone = True
        with pytest.raises(DeviceGone, match="has been taken out"):
            await card.transmit([Frame(bytes(60))] * 300)
        await testing.settle()

    with pytest.raises(ExceptionGroup) as caught:
        run(with_card, model, use)
    assert caught.group_contains(DeviceGone, match="has been taken out")


def test_a_card_that_does_not_answer_does_not_come_up(machine: Machine, run: Run) -> None:
    async def main() -> None:
        model = E1000Model(machine)
        model.resets = False
        card = E1000(model.function)
        with pytest.raises(DeviceTimeout, match=r"CTRL\.reset"):
            await card.start()
        model.resets = True
        await card.stop()
        model.loaded = model.eeprom_answers = False
        model.reset()
        card = E1000(model.function)
        with pytest.raises(DeviceTimeout, match="word 0 of the EEPROM"):
            await card.start()
        await card.stop()

    run(main)


def test_reset_in_flight_wakes_everybody(machine: Machine, run: Run) -> None:
    model = E1000Model(machine)
    model.takes = False

    async def main() -> None:
        card = E1000(model.function)
        await card.start()

        async def fails(function: Callable[..., Awaitable[object]], *args: object) -> None:
            with pytest.raises(DeviceGone, match="no longer driven"):
                await function(*args)

        async with Group() as group:
            group.start(fails, card.receive)
            group.start(fails, card.link.changed)
            group.start(fails, card.transmit, [Frame(bytes(60))] * 300)
            group.start(fails, card.listen)
            await testing.settle()
            await card.stop()

    run(main)
