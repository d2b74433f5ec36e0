"""The real machine, through `_kernel`."""

from __future__ import annotations

import _kernel

from ovum.drivers.hardware import MemoryWindow
from ovum.services.irq import Irq, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.registers import Window
    from ovum.services.irq import Interrupt


class PortWindow:
    """I/O ports as a window; they have no accesses of 64 bits (Intel SDM 1, chapter 19)."""

    def __init__(self, base: int, size: int) -> None:
        if not 0 <= base <= base + size <= 0x10000:
            raise ValueError(f"ports {base:#x} and {size:#x} more are past 0xffff")
        self.base = base
        self.size = size

    def read8(self, offset: int) -> int:
        return _kernel.in8(self.base + offset)

    def read16(self, offset: int) -> int:
        return _kernel.in16(self.base + offset)

    def read32(self, offset: int) -> int:
        return _kernel.in32(self.base + offset)

    def read64(self, offset: int) -> int:
        return self.read32(offset) | self.read32(offset + 4) << 32

    def write8(self, offset: int, value: int) -> None:
        _kernel.out8(self.base + offset, value)

    def write16(self, offset: int, value: int) -> None:
        _kernel.out16(self.base + offset, value)

    def write32(self, offset: int, value: int) -> None:
        _kernel.out32(self.base + offset, value)

    def write64(self, offset: int, value: int) -> None:
        self.write32(offset, value & 0xFFFFFFFF)
        self.write32(offset + 4, value >> 32)


class KernelDma:
    """Memory of `_kernel.dma_alloc`; it is given back when the last view of it is gone."""

    def __init__(self, size: int) -> None:
        self._view: memoryview | None
        self._view, self.address = _kernel.dma_alloc(size)

    @property
    def view(self) -> memoryview:
        """Its bytes. Raises ValueError after `free`."""
        if self._view is None:
            raise ValueError("this memory has been given back")
        return self._view

    def free(self) -> None:
        """Gives it back, unless something still has a view of it: then when that is gone."""
        self._view = None


class KernelHardware:
    """`Hardware` for drivers in a machine of ovum's; see there."""

    add_entropy = staticmethod(_kernel.add_entropy)
    fence = staticmethod(_kernel.fence)
    physical = staticmethod(_kernel.physical)

    def ports(self, base: int, size: int) -> Window:
        return PortWindow(base, size)

    def mmio(self, address: int, size: int) -> Window:
        return MemoryWindow(_kernel.mmio(address, size))

    def memory(self, address: int, size: int, write_combining: bool = False) -> memoryview:
        return _kernel.mmio(address, size, write_combining)

    def look(self, address: int, size: int) -> memoryview:
        try:
            return _kernel.ram(address, size)
        except OSError:
            # The firmware's own memory and its ROM are none that the kernel counts.
            return _kernel.mmio(address, size).toreadonly()

    def dma(self, size: int) -> KernelDma:
        return KernelDma(size)

    def interrupt(self, line: int) -> Interrupt:
        return Irq(line)

    def message(self) -> Interrupt:
        return Message()
