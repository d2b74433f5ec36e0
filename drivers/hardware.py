"""The machine as drivers see it: windows onto registers, memory for devices, interrupts.

`Hardware` is the interface; `machine()` is the real one, and `testing.Machine` the models' one. All
addresses that devices are told are physical.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.drivers.registers import Window
    from ovum.services.irq import Interrupt

    class Dma(Protocol):
        """Memory that devices can reach: contiguous, zero-filled, cached, ours until `free`."""

        @property
        def address(self) -> int:
            """Its physical address, on a page boundary."""

        @property
        def view(self) -> memoryview:
            """Its bytes."""

        def free(self) -> None:
            """Gives it back. The device must have been told to let go of it: reset first."""

    class Hardware(Protocol):
        """What a driver needs."""

        def ports(self, base: int, size: int) -> Window:
            """I/O ports from `base` on as a window."""

        def mmio(self, address: int, size: int) -> Window:
            """`size` bytes of a device's memory as a window of uncached registers.

            Raises OSError: EPERM for memory that the kernel manages, ENOMEM.
            """

        def memory(self, address: int, size: int, write_combining: bool = False) -> memoryview:
            """The same as bytes: uncached, or write-combining for a frame buffer."""

        def look(self, address: int, size: int) -> memoryview:
            """Physical memory as it is, to look at: the firmware's tables, anybody's memory.

            Read-only. Raises OSError, ValueError for what is not there.
            """

        def dma(self, size: int) -> Dma:
            """At least `size` bytes for a device, on a page boundary. Raises MemoryError."""

        def physical(self, buffer: memoryview) -> list[tuple[int, int]]:
            """Where the bytes of a buffer are in physical memory: (address, length) in order.

            For memory that stays where it is while the device works with it: that of `dma`, and the
            buffer of a request until it is completed. Raises OSError(EFAULT) for other memory.
            """

        def interrupt(self, line: int) -> Interrupt:
            """Binds a line: below 16 ISA's, from there on the I/O APIC's own inputs.

            Raises OSError(EBUSY): it has an owner, or there is no such line.
            """

        def message(self) -> Interrupt:
            """Binds a vector for message-signalled interrupts, whose `address` and `data` the
            device is to be told. Raises OSError(ENOSPC) when all are in use."""

        def add_entropy(self, data: bytes) -> None:
            """Stirs bytes into the machine's entropy."""

        def fence(self) -> None:
            """What was stored before is seen by devices before what is loaded after it is read."""


class MemoryWindow:
    """Registers in memory; an access of a width is one load or store of that width."""

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self.size = size = len(view)
        self._8 = view
        self._16 = view[: size & ~1].cast("H")
        self._32 = view[: size & ~3].cast("I")
        self._64 = view[: size & ~7].cast("Q")

    def read8(self, offset: int) -> int:
        return self._8[offset]

    def read16(self, offset: int) -> int:
        return self._16[offset >> 1]

    def read32(self, offset: int) -> int:
        return self._32[offset >> 2]

    def read64(self, offset: int) -> int:
        return self._64[offset >> 3]

    def write8(self, offset: int, value: int) -> None:
        self._8[offset] = value

    def write16(self, offset: int, value: int) -> None:
        self._16[offset >> 1] = value

    def write32(self, offset: int, value: int) -> None:
        self._32[offset >> 2] = value

    def write64(self, offset: int, value: int) -> None:
        self._64[offset >> 3] = value


class SubWindow:
    """Part of another window: `size` bytes from `base` on."""

    def __init__(self, window: Window, base: int, size: int) -> None:
        if base < 0 or size < 0 or base + size > window.size:
            raise ValueError(f"{base:#x} and {size:#x} bytes are not within {window.size:#x}")
        self._window = window
        self._base = base
        self.size = size

    def _at(self, offset: int, width: int) -> int:
        if not 0 <= offset <= self.size - width:
            raise IndexError(f"offset {offset:#x} is not within {self.size:#x} bytes")
        return self._base + offset

    def read8(self, offset: int) -> int:
        return self._window.read8(self._at(offset, 1))

    def read16(self, offset: int) -> int:
        return self._window.read16(self._at(offset, 2))

    def read32(self, offset: int) -> int:
        return self._window.read32(self._at(offset, 4))

    def read64(self, offset: int) -> int:
        return self._window.read64(self._at(offset, 8))

    def write8(self, offset: int, value: int) -> None:
        self._window.write8(self._at(offset, 1), value)

    def write16(self, offset: int, value: int) -> None:
        self._window.write16(self._at(offset, 2), value)

    def write32(self, offset: int, value: int) -> None:
        self._window.write32(self._at(offset, 4), value)

    def write64(self, offset: int, value: int) -> None:
        self._window.write64(self._at(offset, 8), value)
