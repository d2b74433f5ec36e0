"""The input device: what it is, events in reports, lamps, and devices that lie."""

import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio import input as i
from ovum.drivers.virtio.input import VirtioInput
from ovum.services.tasks import Group, testing

from .conftest import Run
from .machine import Machine
from .virtio_faces import FACES, attach
from .virtio_model import Chain, VirtioModel

Use = Callable[[VirtioInput], Coroutine[Any, Any, None]]

KEY, ABS, SYN = 1, 3, (0, 0, 0)


class InputModel(VirtioModel):
    """A device whose answers are in a table."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine, f.INPUT, 2, config=bytes(136), queue_size=64)
        self.table = {
            (i.NAME, 0): b"a keyboard\0",
            (i.SERIAL, 0): b"007",
            (i.IDS, 0): struct.pack("<HHHH", 6, 0x627, 1, 2),
            (i.EVENT_BITS, KEY): bytes([0b100, 0b1]),
            (i.ABSOLUTE, 0): struct.pack("<5i", -100, 0x7FFF, 1, 2, 3),
        }
        self.told: list[tuple[int, int, int]] = []
        self.length = 8

    def process(self) -> None:
        while self.queues[1].ready and self.answers and (chain := self.queues[1].pop()):
            self.told.append(struct.unpack("<HHi", chain.data()))
            self.finish(1, chain, 8)  # as QEMU does, though nothing can be written there

    def events(self, *events: tuple[int, int, int]) -> None:
        """As many as there are buffers for; the device drops the rest (5.8.6.2)."""
        for event in events:
            chain: Chain | None = self.queues[0].pop()
            if chain is None:
                return
            chain.write(struct.pack("<HHi", *event))
            self.finish(0, chain, self.length)


def answer(model: InputModel) -> None:
    """Puts the answer to what is selected into the configuration."""
    data = model.table.get((model.config[0], model.config[1]), b"")
    model.config[2] = len(data) & 0xFF
    model.config[8 : 8 + len(data)] = data[:128]


class AnsweringConfig(bytearray):
    """A configuration that answers when something is selected."""

    model: InputModel

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if isinstance(key, slice) and key.start in (0, 1):
            answer(self.model)


async def with_input(model: InputModel, use: Use, face: str = "pci") -> None:
    config = AnsweringConfig(model.config)
    config.model = model
    model.config = config
    driver = VirtioInput(attach(model, face))
    try:
        async with Group() as group:
            group.start(model.run)
            await driver.start()
            group.start(driver.listen)
            await testing.settle()
            await use(driver)
            group.cancel()
    finally:
        await driver.stop()


@pytest.mark.parametrize("face", FACES)
def test_what_it_is_and_what_it_tells(machine: Machine, run: Run, face: str) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        assert (driver.label, driver.serial, driver.ids) == ("a keyboard", "007", (6, 0x627, 1, 2))
        assert driver.codes(KEY) == [2, 8]
        assert driver.codes(ABS) == []
        axis = driver.absolute(0)
        assert axis is not None
        assert (axis.smallest, axis.largest, axis.fuzz, axis.flat, axis.resolution) == (
            *(-100, 0x7FFF, 1, 2, 3),
        )
        assert driver.absolute(1) is None
        model.events((KEY, 30, 1), SYN, (ABS, 0, -5), (ABS, 1, 7))
        assert await driver.read_events() == [(KEY, 30, 1)]
        async with Group() as group:
            reader = group.start(driver.read_events)
            await testing.settle()
            assert not reader.done, "the report has not ended"
            model.events(SYN)
        assert await reader.wait() == [(ABS, 0, -5), (ABS, 1, 7)]
        await driver.set_led(1, True)
        assert model.told == [(0x11, 1, 1), SYN]

    run(with_input, model, use, face)


def test_past_the_wrap_of_the_ring(machine: Machine) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        for k in range(33_000):
            model.events((KEY, k & 0xFF, k), SYN)
            assert await driver.read_events() == [(KEY, k & 0xFF, k)]

    testing.run(with_input, model, use, seed=1)


def test_who_reads_slowly_is_told_what_was_lost(machine: Machine, run: Run) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        for k in range(i.BATCHES + 10):
            model.events((KEY, 1, k), SYN)
            await testing.settle()
        assert driver.dropped == 10
        assert await driver.read_events() == [(0, 3, 0), (KEY, 1, 10)]
        assert await driver.read_events() == [(KEY, 1, 11)]

    run(with_input, model, use)


def test_a_report_without_an_end_ends(machine: Machine, run: Run) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        for k in range(i.EVENTS + 5):
            model.events((KEY, 1, k))
            await testing.settle()
        assert len(await driver.read_events()) == i.EVENTS

    run(with_input, model, use)


def test_an_answer_that_is_too_long(machine: Machine, run: Run) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        model.table[i.EVENT_BITS, KEY] = bytes(129)
        with pytest.raises(DeviceError, match="an answer of 129 bytes"):
            driver.codes(KEY)

    run(with_input, model, use)


@pytest.mark.parametrize(
    ("length", "message"), [(4, "an event of 4 bytes"), (9, "9 bytes were written where 8 fit")]
)
def test_an_event_of_the_wrong_length_ends_the_device(
    machine: Machine, run: Run, length: int, message: str
) -> None:
    model = InputModel(machine)
    model.length = length

    async def use(driver: VirtioInput) -> None:
        model.events((KEY, 1, 1))
        await testing.settle()

    with pytest.raises(ExceptionGroup) as caught:
        run(with_input, model, use)
    assert caught.group_contains(DeviceError, match=message)


def test_a_device_that_does_not_take_its_lamps(machine: Machine, run: Run) -> None:
    model = InputModel(machine)
    model.answers = False

    async def use(driver: VirtioInput) -> None:
        with pytest.raises(DeviceTimeout, match="an event for it"):
            await driver.set_led(0, True)

    run(with_input, model, use)


def test_the_end_with_a_reader(machine: Machine, run: Run) -> None:
    model = InputModel(machine)

    async def use(driver: VirtioInput) -> None:
        async with Group() as group:
            group.start(refused, driver)
            await testing.settle()
            await driver.stop()
        with pytest.raises(DeviceGone):
            await driver.set_led(0, True)

    async def refused(driver: VirtioInput) -> None:
        with pytest.raises(DeviceGone):
            await driver.read_events()

    run(with_input, model, use)
