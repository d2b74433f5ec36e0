"""The input device (5.8): keyboards, mice, tablets, with Linux's event types and codes."""

from __future__ import annotations

from _collections import deque
from struct import Struct

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.registers import Register, Registers
from ovum.drivers.virtio.device import VirtioDevice, run_together
from ovum.services.tasks import CancelScope, Lock, Parking, move_on_after, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Dma
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.transport import Transport

    Events = list[tuple[int, int, int]]
    """Type, code and value of each."""

NAME, SERIAL, IDS, PROPERTIES, EVENT_BITS, ABSOLUTE = 1, 2, 3, 0x10, 0x11, 0x12
"""What can be asked of it (5.8.2)."""

EV_SYN, EV_LED = 0x00, 0x11
SYN_REPORT, SYN_DROPPED = 0, 3
"""Of Linux's numbers, those that the protocol itself needs (5.8.6)."""

LONGEST = 128
"""Bytes of an answer (5.8.4)."""

QUEUE_SIZE = 64
_EVENT = Struct("<HHi")

BATCHES = 256
"""Reports that are kept for who reads slowly; older ones are dropped, and that is told."""
EVENTS = 256
"""Events that a report has at most."""

STATUS_DEADLINE_S = 5.0


class InputRegisters(Registers):
    """struct virtio_input_config (5.8.4)."""

    select = Register(0, 8)
    subselect = Register(1, 8)
    size = Register(2, 8)


_ANSWER = 8
"""Where the answer is, behind these registers."""


class Range:
    """What an absolute axis gives (5.8.4): its smallest and largest value, and how exact it is."""

    __slots__ = ("flat", "fuzz", "largest", "resolution", "smallest")

    def __init__(
        self, smallest: int, largest: int, fuzz: int = 0, flat: int = 0, resolution: int = 0
    ) -> None:
        self.smallest = smallest
        self.largest = largest
        self.fuzz = fuzz
        self.flat = flat
        self.resolution = resolution

    def __repr__(self) -> str:
        return f"<{self.smallest} to {self.largest}>"


class VirtioInput:
    """An input device. `await start()`, run `listen()` as a task, then `read_events`."""

    def __init__(self, transport: Transport) -> None:
        self.device = VirtioDevice(transport)
        self.name = self.device.name
        self.label = ""
        """What the device calls itself: "QEMU Virtio Keyboard"."""
        self.serial = ""
        self.ids = (0, 0, 0, 0)
        """Type of bus, vendor, product, version, as in Linux's struct input_id."""
        self.dropped = 0
        """Reports that nobody has read in time."""
        self._batch: Events = []
        self._batches: deque[Events] = deque()
        self._readers = Parking("read events of", self)
        self._memory: Dma | None = None
        self._telling = Lock(f"status of {self.name}")

    def __repr__(self) -> str:
        return f"<{self.label or self.name}>"

    async def start(self) -> None:
        """Brings the device up. Raises DeviceError."""
        device = self.device
        await device.negotiate(0)
        self._events = device.add_queue(QUEUE_SIZE)
        self._status = device.add_queue(QUEUE_SIZE)
        self.label = _text(self.ask(NAME))
        self.serial = _text(self.ask(SERIAL))
        ids = self.ask(IDS)
        if len(ids) >= 8:
            bus, vendor, product, version = Struct("<HHHH").unpack_from(ids)
            self.ids = (bus, vendor, product, version)
        size = self._events.size
        self._memory = device.hardware.dma((size + 1) * _EVENT.size)
        device.start()
        for slot in range(size):
            self._listen_with(slot)
        self._events.kick()

    # What it is (5.8.4)

    def ask(self, what: int, about: int = 0) -> bytes:
        """An answer of the configuration; b"" if the device has none. Raises DeviceError."""
        window = self.device.transport.config
        registers = InputRegisters(window)
        if window.size < _ANSWER:
            raise DeviceError(f"{self.name}: its configuration is too short")
        registers.select = what
        registers.subselect = about
        size = int(registers.size)
        if size > min(LONGEST, window.size - _ANSWER):
            raise DeviceError(f"{self.name}: an answer of {size} bytes")
        return bytes(window.read8(_ANSWER + at) for at in range(size))

    def codes(self, kind: int) -> list[int]:
        """The codes that events of a type can have; none: there are no such events."""
        bits = int.from_bytes(self.ask(EVENT_BITS, kind), "little")
        return [code for code in range(bits.bit_length()) if bits >> code & 1]

    def absolute(self, code: int) -> Range | None:
        """What an absolute axis gives; None if it has no such axis."""
        answer = self.ask(ABSOLUTE, code)
        return Range(*Struct("<5i").unpack_from(answer)) if len(answer) >= 20 else None

    # Events (5.8.6)

    async def read_events(self) -> Events:
        """What belongs together: the events up to the next report, without that.

        (0, 3, 0), Linux's SYN_DROPPED, at the beginning says that earlier ones were dropped. Raises
        DeviceError. Cancelled, it has taken nothing.
        """
        self.device.check()
        if self._batches:
            return self._batches.popleft()
        batch: Events | None = await self._readers.park()
        if batch is None:
            self.device.check()
            raise DeviceGone(f"{self.name} has gone")
        return batch

    def _listen_with(self, slot: int) -> None:
        assert self._memory is not None
        at = self._memory.address + slot * _EVENT.size
        self._events.add((), ((at, _EVENT.size),), slot + 1)

    async def listen(self) -> None:
        """Takes what the device tells, for good. Raises DeviceError when it has failed."""
        try:
            await run_together(self.device.listen, self._listen_events)
        except DeviceError as error:
            self.device.failed = error
            raise

    async def _listen_events(self) -> None:
        interrupt = self.device.interrupts[0]
        queue = self._events
        while True:
            taken = queue.take()
            for token, length in taken:
                assert self._memory is not None
                if length != _EVENT.size:
                    raise DeviceError(f"{self.name}: an event of {length} bytes")
                self._take(*_EVENT.unpack_from(self._memory.view, (token - 1) * _EVENT.size))
                self._listen_with(token - 1)
            queue.kick()
            if not taken and queue.interrupt_next():
                await interrupt.wait()

    def _take(self, kind: int, code: int, value: int) -> None:
        batch = self._batch
        if (kind, code) != (EV_SYN, SYN_REPORT):
            batch.append((kind, code, value))
            if len(batch) < EVENTS:
                return
        self._batch = []
        if not batch or self._readers.wake_one(batch):
            return
        self._batches.append(batch)
        if len(self._batches) > BATCHES:
            self.dropped += 1
            self._batches.popleft()
            if self._batches[0][0] != (EV_SYN, SYN_DROPPED, 0):
                self._batches[0].insert(0, (EV_SYN, SYN_DROPPED, 0))

    async def set_led(self, code: int, on: bool) -> None:
        """Turns a lamp on or off: 0 num lock, 1 caps lock, 2 scroll lock. Raises DeviceError."""
        await self.tell([(EV_LED, code, int(on)), (EV_SYN, SYN_REPORT, 0)])

    async def tell(self, events: Events) -> None:
        """Sends events to the device (5.8.6.1). Raises DeviceTimeout, DeviceError."""
        async with self._telling:
            queue = self._status
            with CancelScope(shield=True), move_on_after(STATUS_DEADLINE_S) as scope:
                for event in events:
                    self.device.check()
                    assert self._memory is not None
                    offset = self._events.size * _EVENT.size
                    _EVENT.pack_into(self._memory.view, offset, *event)
                    queue.add(((self._memory.address + offset, _EVENT.size),), (), self)
                    queue.kick()
                    while not queue.take():
                        if queue.interrupt_next():
                            await self.device.interrupts[1].wait()
                        self.device.check()
            if scope.cancelled_caught:
                raise DeviceTimeout(self.name, "an event for it")

    async def stop(self) -> None:
        """Resets the device; who reads gets an error. May be called again."""
        await self.device.stop()
        self._readers.wake_all(None)
        for interrupt in self.device.interrupts[1:]:
            interrupt.arrived(1, now())  # who tells it something looks what has happened
        if self._memory is not None and self.device.released:
            self._memory.free()
        self._memory = None


def _text(answer: bytes) -> str:
    """Names are not said to end with a zero byte, and with QEMU do."""
    return answer.partition(b"\0")[0].decode("utf-8", "replace")


async def attach(transport: Transport, manager: DeviceManager) -> VirtioInput:
    """See `manager`."""
    driver = VirtioInput(transport)
    try:
        await driver.start()
    except BaseException:
        with CancelScope(shield=True):
            await driver.stop()
        raise
    manager.publish("input", driver)
    return driver
