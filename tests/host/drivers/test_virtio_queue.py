"""The split virtqueue against a device that walks it."""

import random

import pytest

from ovum.drivers.errors import DeviceError
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.queue import Queue, QueueFull

from .machine import Machine
from .virtio_model import ModelQueue


class Pair:
    """A queue and the device's view of it."""

    def __init__(self, machine: Machine, size: int, features: int, align: int = 4) -> None:
        self.notified = 0
        self.memory = machine.dma(1 << 16)
        self.queue = Queue(machine, "test", size, features, self._notify, align)
        self.device = ModelQueue(machine, size)
        self.device.descriptors = self.queue.descriptors_at
        self.device.available = self.queue.available_at
        self.device.used = self.queue.used_at
        self.device.features = features

    def _notify(self) -> None:
        self.notified += 1

    def segments(self, count: int, length: int = 8) -> list[tuple[int, int]]:
        return [(self.memory.address + 64 * k, length) for k in range(count)]

    def free(self) -> None:
        self.queue.free()
        self.memory.free()


@pytest.mark.parametrize(
    ("features", "align"),
    [(0, 4), (f.INDIRECT_DESC | f.EVENT_IDX, 4), (f.EVENT_IDX, 4096)],
)
def test_buffers_go_round_past_the_wrap_of_the_index(
    machine: Machine, features: int, align: int
) -> None:
    """70,000 buffers: the 16-bit indices wrap at 65,535."""
    pair = Pair(machine, 8, features, align)
    chance = random.Random(features)
    given = back = 0
    while back < 70_000:
        for _ in range(chance.randrange(4)):
            readable, writable = chance.randrange(3), chance.randrange(1, 3)
            try:
                pair.queue.add(pair.segments(readable), pair.segments(writable), ("token", given))
            except QueueFull:
                break
            given += 1
        pair.queue.kick()
        for _ in range(chance.randrange(5)):
            if (chain := pair.device.pop()) is None:
                break
            assert 1 <= len(chain.writable) <= 2
            pair.device.push(chain.head, len(chain.writable))
        for token, length in pair.queue.take():
            assert token == ("token", back)
            assert length in (1, 2)
            back += 1
    assert pair.queue.in_flight <= 8
    pair.free()


def test_a_full_queue_says_so_and_loses_nothing(machine: Machine) -> None:
    pair = Pair(machine, 4, 0)
    pair.queue.add(pair.segments(2), pair.segments(1), "first")
    with pytest.raises(QueueFull):
        pair.queue.add(pair.segments(1), pair.segments(1), "too long")
    pair.queue.add(pair.segments(1), (), "second")
    with pytest.raises(QueueFull):
        pair.queue.add((), pair.segments(1), "third")
    pair.queue.kick()
    while (chain := pair.device.pop()) is not None:
        pair.device.push(chain.head, 0)
    assert pair.queue.take() == [("first", 0), ("second", 0)]
    assert pair.queue.in_flight == 0
    pair.free()


def test_a_device_takes_more_than_the_queue_holds_by_indirect_tables(machine: Machine) -> None:
    pair = Pair(machine, 2, f.INDIRECT_DESC)
    for name in ("a", "b"):
        pair.queue.add(pair.segments(20), pair.segments(30), name)
    pair.queue.kick()
    chain = pair.device.pop()
    assert chain is not None
    assert (len(chain.readable), len(chain.writable)) == (20, 30)
    pair.free()


@pytest.mark.parametrize("features", [0, f.EVENT_IDX])
def test_the_device_is_notified_only_if_it_wants_to_be(machine: Machine, features: int) -> None:
    pair = Pair(machine, 8, features)
    queue, device = pair.queue, pair.device
    queue.add((), pair.segments(1), 1)
    queue.kick()
    assert pair.notified == 1
    queue.kick()
    assert pair.notified == 1  # nothing new
    # The device is at work and does not want to hear of more.
    if features:
        device._put("<H", device.used + 4 + 8 * device.size, 7)
    else:
        device._put("<H", device.used, 1)
    queue.add((), pair.segments(1), 2)
    queue.kick()
    assert pair.notified == 1
    if features:
        device._put("<H", device.used + 4 + 8 * device.size, 2)
    else:
        device._put("<H", device.used, 0)
    queue.add((), pair.segments(1), 3)
    queue.kick()
    assert pair.notified == 2
    assert machine.fences >= 3
    pair.free()


@pytest.mark.parametrize("features", [0, f.EVENT_IDX])
def test_interrupts_are_asked_for_and_a_race_is_seen(machine: Machine, features: int) -> None:
    pair = Pair(machine, 8, features)
    queue, device = pair.queue, pair.device
    for token in (1, 2, 3):
        queue.add((), pair.segments(1), token)
    queue.kick()
    assert queue.interrupt_next()
    chain = device.pop()
    assert chain is not None
    assert device.push(chain.head, 0)  # the driver is to be told of this one
    assert not queue.interrupt_next()  # which it would have missed
    assert queue.take() == [(1, 0)]
    queue.no_interrupts()
    chain = device.pop()
    assert chain is not None
    if not features:
        assert not device.push(chain.head, 0)
    pair.free()


@pytest.mark.parametrize(
    ("element", "index", "message"),
    [
        ((9, 0), 1, "descriptor 9 was used, and is not in use"),
        ((0xFFFFFFFF, 0), 1, "descriptor 4294967295 was used"),
        ((0, 9), 1, "9 bytes were written where 8 fit"),
        ((0, 0), 2, "2 buffers were used of 1"),
        ((0, 0), 0xFFFF, "65535 buffers were used of 1"),
    ],
)
def test_a_device_that_lies_is_caught(
    machine: Machine, element: tuple[int, int], index: int, message: str
) -> None:
    pair = Pair(machine, 8, 0)
    pair.queue.add((), pair.segments(1), "only")
    pair.queue.kick()
    pair.device._put("<II", pair.device.used + 4, *element)
    pair.device._put("<H", pair.device.used + 2, index)
    with pytest.raises(DeviceError, match=message):
        pair.queue.take()
    assert pair.queue.drop_all() == ["only"]
    pair.free()


def test_a_length_says_nothing_where_nothing_can_be_written(machine: Machine) -> None:
    pair = Pair(machine, 8, 0)
    pair.queue.add(pair.segments(1), (), "to read")
    pair.queue.kick()
    chain = pair.device.pop()
    assert chain is not None
    pair.device.push(chain.head, 8)
    assert pair.queue.take() == [("to read", 0)]
    pair.free()


def test_a_buffer_comes_back_once(machine: Machine) -> None:
    pair = Pair(machine, 8, 0)
    pair.queue.add((), pair.segments(1), 1)
    pair.queue.add((), pair.segments(1), 2)
    pair.queue.kick()
    chain = pair.device.pop()
    assert chain is not None
    pair.device.push(chain.head, 0)
    pair.queue.take()
    pair.device.push(chain.head, 0)
    with pytest.raises(DeviceError, match="is not in use"):
        pair.queue.take()
    pair.free()


def test_impossible_sizes_are_refused(machine: Machine) -> None:
    for size in (0, 3, 65536):
        with pytest.raises(DeviceError, match="cannot be"):
            Queue(machine, "test", size, 0, lambda: None)
