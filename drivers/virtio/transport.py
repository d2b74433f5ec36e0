"""What carries virtio: PCI, memory-mapped registers, and the older forms of both."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.registers import Window
    from ovum.drivers.virtio.queue import Queue
    from ovum.services.irq import Interrupt

    class Transport(Protocol):
        """One device, whatever carries it (4). Numbers of queues begin at 0."""

        name: str
        """For messages: "PCI 0000:00:03.0"."""
        hardware: Hardware
        device_type: int
        """See `features.TYPES`."""
        queue_align: int
        """Of used rings; 4096 tells that the device is a legacy one."""

        @property
        def config(self) -> Window:
            """The registers of this type of device, little-endian."""

        def status(self) -> int:
            """The device status (2.1)."""

        def set_status(self, status: int) -> None:
            """Writes the device status; 0 resets, which takes until `status` reads 0."""

        def read_features(self) -> int:
            """What the device offers."""

        def write_features(self, features: int) -> None:
            """What the driver wants of that."""

        def config_generation(self) -> int:
            """Changes whenever the device has changed several registers at once (2.5.1)."""

        def queue_size(self, index: int) -> int:
            """How many entries a queue has at most; 0: there is no such queue."""

        def start_queue(self, index: int, queue: Queue) -> None:
            """Tells the device where a queue is, and enables it."""

        def notifier(self, index: int) -> Callable[[], None]:
            """A function that notifies the device of a queue."""

        def bind_interrupts(self, queues: int) -> list[Interrupt]:
            """Interrupts for a change of the configuration, and for each of the queues.

            The same one several times where they share it. If it is the configuration's, too, then
            `interrupt_status` has to be asked.
            """

        def interrupt_status(self) -> int:
            """Reads and so acknowledges why a shared interrupt came: bit 0 queues, bit 1 the
            configuration (4.1.4.5, 4.2.2)."""

        def release_interrupts(self) -> None:
            """Gives the interrupts up. The device must have been reset."""

        def isolate(self) -> None:
            """Keeps a device that does not reset away from memory, as far as the bus can."""
