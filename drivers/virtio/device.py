"""A virtio device from reset to driver-ok (3.1), its interrupts, and its end."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.queue import Queue
from ovum.services.irq import Interrupt
from ovum.services.log import ERROR, log
from ovum.services.tasks import CancelScope, Group, now, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from ovum.drivers.virtio.transport import Transport

    T = TypeVar("T")
    Q = TypeVar("Q", bound=Queue)

RESET_S = 1.0
"""How long a device may take to reset."""

CONFIG_TRIES = 16
"""How often the configuration may change while it is read."""

QUEUE_SIZE = 256
"""Entries that our queues have, if the device allows as many."""


class VirtioDevice:
    """What all virtio drivers do with their device.

    A driver calls `negotiate`, `add_queue` for each queue in order, `start`, and runs `listen` as a
    task, which hands out interrupts: each queue's own in `interrupts`, and `config_changed`.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.name = f"virtio {f.TYPES.get(transport.device_type, 'device')} on {transport.name}"
        self.hardware = transport.hardware
        self.features = 0
        """What was negotiated."""
        self.queues: list[Queue] = []
        self.interrupts: list[Interrupt] = []
        """One for each queue."""
        self.config_changed = Interrupt(f"{self.name}: configuration")
        self._bound: list[Interrupt] = []
        self.failed: DeviceError | None = None
        """Why nothing more can be asked of it."""
        self.released = True
        """After `stop`: whether the device has let go of all memory."""

    def __repr__(self) -> str:
        return f"<{self.name}>"

    async def reset(self) -> None:
        """Step 1: whatever it was doing, it stops, and has let go of all memory when this returns.

        Raises DeviceTimeout.
        """
        self.transport.set_status(0)
        deadline = now() + int(RESET_S * 1e9)
        # There is no interrupt for this (4.1.4.3.2): most devices are through at once.
        while status := self.transport.status():
            if status & f.RESERVED_STATUS:
                return  # all ones: it has been taken out, and writes nowhere any more
            if now() > deadline:
                raise DeviceTimeout(self.name, "device status after reset", status)
            await sleep(0.001)

    async def negotiate(self, wanted: int, required: int = 0) -> int:
        """Steps 1 to 6: resets, and agrees on features; returns those that both sides want.

        VERSION_1 is required of all but legacy devices. Raises DeviceError when the device lacks a
        required feature or does not accept the choice, DeviceTimeout.
        """
        transport = self.transport
        await self.reset()
        transport.set_status(f.ACKNOWLEDGE)
        transport.set_status(f.ACKNOWLEDGE | f.DRIVER)
        legacy = transport.queue_align > 4
        if not legacy:
            required |= f.VERSION_1
        offered = transport.read_features()
        missing = required & ~offered
        if missing:
            self._give_up(f"features {missing:#x} are not offered")
        # A device that insists on an IOMMU's addresses has the same ones here (6.1).
        self.features = offered & (wanted | required | f.QUEUE_FEATURES | f.ACCESS_PLATFORM)
        transport.write_features(self.features)
        if not legacy:
            transport.set_status(f.ACKNOWLEDGE | f.DRIVER | f.FEATURES_OK)
            if not transport.status() & f.FEATURES_OK:
                self._give_up(f"features {self.features:#x} are not accepted")
        return self.features

    def _give_up(self, why: str) -> None:
        self.transport.set_status(f.FAILED)
        raise DeviceError(f"{self.name}: {why}")

    def add_queue(self, size: int = QUEUE_SIZE) -> Queue:
        """Step 7, for the next queue: makes it, with at most `size` entries. A legacy device says
        how many it has to have. Raises DeviceError without such a queue."""
        return self.add_queue_of(Queue, size)

    def add_queue_of(self, kind: type[Q], size: int = QUEUE_SIZE) -> Q:
        """The same, for a driver that has a kind of queue of its own."""
        index = len(self.queues)
        transport = self.transport
        most = int(transport.queue_size(index))
        if not most:
            raise DeviceError(f"{self.name}: there is no queue {index}")
        if transport.queue_align > 4 and most & most - 1:
            raise DeviceError(f"{self.name}: queue {index} insists on {most} entries")
        entries = most if transport.queue_align > 4 else min(size, most)
        queue = kind(
            self.hardware,
            f"{self.name}, queue {index}",
            1 << entries.bit_length() - 1,
            self.features,
            transport.notifier(index),
            transport.queue_align,
        )
        self.queues.append(queue)
        return queue

    def start(self) -> None:
        """Steps 7 and 8: interrupts, queues, and the device is live."""
        transport = self.transport
        self._bound = transport.bind_interrupts(len(self.queues))
        if len({id(interrupt) for interrupt in self._bound}) < len(self._bound):
            self.interrupts = [Interrupt(f"{queue.name}: interrupt") for queue in self.queues]
        else:
            self.interrupts = self._bound[1:]
        for index, queue in enumerate(self.queues):
            transport.start_queue(index, queue)
        transport.set_status(transport.status() | f.DRIVER_OK)

    async def listen(self) -> None:
        """Hands out interrupts, for good. A device that asks to be reset ends it with DeviceError
        (2.1.2: NEEDS_RESET)."""
        if self._bound[0] is self._bound[-1]:
            await self._listen_shared(self._bound[0])
        elif self._bound[-1] is self.interrupts[-1]:
            await self._listen_configuration()
        else:
            await run_together(self._listen_configuration, self._listen_queues)

    async def _listen_configuration(self) -> None:
        while True:
            came = await self._bound[0].wait()
            self._configuration_changed(came.first_ns)

    async def _listen_queues(self) -> None:
        while True:
            came = await self._bound[-1].wait()
            for one in self.interrupts:
                one.arrived(1, came.first_ns)

    async def _listen_shared(self, interrupt: Interrupt) -> None:
        """Queues are told at once, without a task in between: frames come often."""
        changed = Interrupt(f"{self.name}: configuration, not looked at")

        def arrived() -> None:
            why = self.transport.interrupt_status()
            interrupt.acknowledge()
            when = now()
            if why & 1:
                for one in self.interrupts:
                    one.arrived(1, when)
            if why & 2:
                changed.arrived(1, when)

        interrupt.handler = arrived
        try:
            if interrupt.total:
                arrived()  # what came before
            while True:
                came = await changed.wait()
                self._configuration_changed(came.first_ns)
        finally:
            interrupt.handler = None

    def _configuration_changed(self, when: int) -> None:
        if self.transport.status() & f.NEEDS_RESET:
            raise DeviceError(f"{self.name}: the device has failed and needs a reset")
        self.config_changed.arrived(1, when)

    async def stop(self, why: DeviceError | None = None) -> list[list[object]]:
        """The end: resets the device, and returns for each queue the tokens that it still had.

        A device that does not reset is kept from memory, if its bus can do that, and the queues'
        memory is never used again. May be called again, and after `start` has failed.
        """
        if self.failed is None:
            self.failed = why or DeviceGone(f"{self.name} is no longer driven")
        queues, self.queues = self.queues, []
        self.released = True
        try:
            with CancelScope(shield=True):
                await self.reset()
        except DeviceTimeout as error:
            self.released = False
            self.transport.isolate()
            log(ERROR, f"{error}; its memory is not used again")
        left = [queue.drop_all() for queue in queues]
        self.transport.release_interrupts()
        if self.released:
            for queue in queues:
                queue.free()
        return left

    def consistent(self, read: Callable[[], T]) -> T:
        """What read() makes of several registers of the configuration, all of one moment (2.5.1).

        Raises DeviceTimeout if the device goes on changing them, DeviceError if it has not so many.
        """
        transport = self.transport
        for _ in range(CONFIG_TRIES):
            before = transport.config_generation()
            try:
                result = read()
            except IndexError:
                raise DeviceError(f"{self.name}: its configuration is too short") from None
            if transport.config_generation() == before:
                return result
        raise DeviceTimeout(self.name, "a configuration that stands still", before)

    def check(self) -> None:
        """Raises what the device has failed of, if it has."""
        if self.failed is not None:
            raise self.failed


async def run_together(*functions: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a driver's loops as tasks, for good. What the first that fails raises ends them all."""
    try:
        async with Group() as group:
            for function in functions:
                group.start(function)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
