"""The entropy device (5.4): random bytes from the host."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.virtio.device import VirtioDevice, run_together
from ovum.services.tasks import CancelScope, Event, Lock, move_on_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.transport import Transport

AT_ONCE = 256
"""Bytes that are asked for at a time."""

DEADLINE_S = 5.0
"""How long the host may take; it has to have entropy itself."""


class VirtioRng:
    """A source of random bytes.

    `await driver.start()`, run `driver.listen()` as a task, then `read`.
    """

    def __init__(self, transport: Transport) -> None:
        self.device = VirtioDevice(transport)
        self.name = self.device.name
        self._memory = transport.hardware.dma(AT_ONCE)
        self._lock = Lock()
        self._broken = Event(f"{self.name} is broken")
        self._fed = self._stopped = False

    async def start(self) -> None:
        """Brings the device up. Raises DeviceError."""
        await self.device.negotiate(0)
        self._queue = self.device.add_queue(8)
        self.device.start()

    async def listen(self) -> None:
        """Hands out the device's interrupts, for good; first the machine's entropy gets some of it.

        Raises DeviceError when it has failed.
        """
        await run_together(self.device.listen, self._feed, self._listen_broken)

    async def _listen_broken(self) -> None:
        await self._broken.wait()
        self.device.check()

    async def _feed(self) -> None:
        if not self._fed:
            self._fed = True
            self.device.hardware.add_entropy(await self.read())

    async def read(self) -> bytes:
        """As many random bytes as the device gives at a time, at least one.

        Raises DeviceTimeout, DeviceError; then `listen` ends with the same. Cancelled, it has read
        nothing, but the device may still be at it: what it gives is dropped.
        """
        async with self._lock:
            self.device.check()
            try:
                return await self._read()
            except DeviceError as error:
                # Whoever drives it is to know.
                self.device.failed = error
                self._broken.set()
                raise

    async def _read(self) -> bytes:
        queue = self._queue
        if not queue.in_flight:
            queue.add((), ((self._memory.address, AT_ONCE),), self)
            queue.kick()
        with move_on_after(DEADLINE_S) as scope:
            while not (taken := queue.take()):
                if queue.interrupt_next():
                    await self.device.interrupts[0].wait()
        if scope.cancelled_caught:
            raise DeviceTimeout(self.device.name, "random bytes")
        length = taken[0][1]
        if not length:
            raise DeviceError(f"{self.device.name}: it has given no byte")
        return bytes(self._memory.view[:length])

    async def stop(self) -> None:
        """Resets the device."""
        await self.device.stop()
        if self.device.released and not self._stopped:
            self._memory.free()
        self._stopped = True


async def attach(transport: Transport, manager: DeviceManager) -> VirtioRng:
    """See `manager`."""
    driver = VirtioRng(transport)
    try:
        await driver.start()
    except BaseException:
        with CancelScope(shield=True):
            await driver.stop()
        raise
    manager.publish("entropy", driver)
    return driver
