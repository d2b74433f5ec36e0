"""A machine for drivers: memory, a bus of models, interrupts. Stands in for `KernelHardware`."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Protocol

from ovum.drivers.hardware import SubWindow
from ovum.services.irq import Interrupt
from ovum.services.tasks import now

if TYPE_CHECKING:
    from ovum.drivers.registers import Window

RAM_BASE = 0x10_0000
PAGE = 4096
POISON = 0xDB
"""What memory that was given back is filled with."""


class Region(Protocol):
    """A model's registers: accesses by width in bytes."""

    size: int

    def read(self, offset: int, width: int) -> int: ...
    def write(self, offset: int, width: int, value: int) -> None: ...


class ModelWindow:
    """A driver's view of a model's registers."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self.size = region.size

    def _read(self, offset: int, width: int) -> int:
        assert 0 <= offset <= self.size - width, f"offset {offset:#x}, width {width}"
        assert offset % width == 0, f"an access of {width} bytes at {offset:#x} is not aligned"
        value = self._region.read(offset, width)
        assert 0 <= value < 1 << 8 * width
        return value

    def _write(self, offset: int, width: int, value: int) -> None:
        assert 0 <= offset <= self.size - width, f"offset {offset:#x}, width {width}"
        assert offset % width == 0, f"an access of {width} bytes at {offset:#x} is not aligned"
        assert 0 <= value < 1 << 8 * width, f"{value:#x} does not fit into {width} bytes"
        self._region.write(offset, width, value)

    def read8(self, offset: int) -> int:
        return self._read(offset, 1)

    def read16(self, offset: int) -> int:
        return self._read(offset, 2)

    def read32(self, offset: int) -> int:
        return self._read(offset, 4)

    def read64(self, offset: int) -> int:
        return self._read(offset, 8)

    def write8(self, offset: int, value: int) -> None:
        self._write(offset, 1, value)

    def write16(self, offset: int, value: int) -> None:
        self._write(offset, 2, value)

    def write32(self, offset: int, value: int) -> None:
        self._write(offset, 4, value)

    def write64(self, offset: int, value: int) -> None:
        self._write(offset, 8, value)


class Memory:
    """A region of plain memory: a frame buffer, a table of the firmware."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, width: int) -> int:
        return int.from_bytes(self.data[offset : offset + width], "little")

    def write(self, offset: int, width: int, value: int) -> None:
        self.data[offset : offset + width] = value.to_bytes(width, "little")


class _Nothing:
    """Where no device is: all ones, as on a real bus."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, offset: int, width: int) -> int:
        return (1 << 8 * width) - 1

    def write(self, offset: int, width: int, value: int) -> None:
        pass


class MachineDma:
    """Memory for a device, from the machine's."""

    def __init__(self, machine: Machine, address: int, size: int) -> None:
        self._machine = machine
        self.address = address
        self._size = size
        self._view: memoryview | None = machine.view(address, size)

    @property
    def view(self) -> memoryview:
        assert self._view is not None, "this memory has been given back"
        return self._view

    def free(self) -> None:
        assert self._view is not None, "this memory has been given back already"
        self._view = None
        self._machine.release(self.address, self._size)


class Line(Interrupt):
    """A level-triggered interrupt line: held while it is not acknowledged, as in the kernel."""

    def __init__(self, machine: Machine, number: int) -> None:
        super().__init__(f"interrupt {number}")
        self._machine = machine
        self.number = number
        self.level = False
        self._held = False

    def set_level(self, level: bool) -> None:
        """A device raises or lowers it."""
        self.level = level
        if level and not self._held:
            self._held = True
            self.arrived(1, now())

    def pulse(self) -> None:
        """An edge."""
        self.arrived(1, now())

    def acknowledge(self) -> None:
        self._held = False
        self.set_level(self.level)

    def close(self) -> None:
        del self._machine.lines[self.number]


class Vector(Interrupt):
    """A message-signalled interrupt."""

    def __init__(self, machine: Machine, number: int) -> None:
        super().__init__(f"message {number}")
        self._machine = machine
        self.address = 0xFEE0_0000
        self.data = number

    def close(self) -> None:
        del self._machine.vectors[self.data]


class _Buffer(ctypes.Structure):
    """The beginning of Py_buffer, and room for the rest."""

    _fields_ = [
        ("address", ctypes.c_void_p),
        ("owner", ctypes.c_void_p),
        ("rest", ctypes.c_char * 64),
    ]


def _address_of(data: memoryview) -> int:
    """Where a buffer is, read-only or not."""
    found = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(data), ctypes.byref(found), 0)
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(found))
    return found.address or 0


class Machine:
    """Memory from RAM_BASE on, models at addresses and ports, interrupts.

    At the end of a test `leaks()` tells what a driver has not given back.
    """

    def __init__(self, size: int = 8 << 20) -> None:
        self._ram = bytearray(size)
        self._origin = ctypes.addressof(ctypes.c_char.from_buffer(self._ram))
        self._regions: list[tuple[int, Region]] = []
        self._ports: list[tuple[int, Region]] = []
        self._next = RAM_BASE
        self.allocated: dict[int, int] = {}
        """Physical address and size of what drivers have."""
        self.lines: dict[int, Line] = {}
        self.vectors: dict[int, Vector] = {}
        self.fences = 0
        self.entropy = b""
        """What drivers have added."""

    # The models' side

    def add_memory(self, address: int, region: Region) -> None:
        """Puts a model's registers at a physical address."""
        self._regions.append((address, region))

    def add_ports(self, base: int, region: Region) -> None:
        """Puts a model's registers at I/O ports."""
        self._ports.append((base, region))

    def remove(self, region: Region) -> None:
        """Takes a model's registers away: all ones from now on, for new windows."""
        self._regions = [one for one in self._regions if one[1] is not region]
        self._ports = [one for one in self._ports if one[1] is not region]

    def view(self, address: int, size: int) -> memoryview:
        """Memory as a device sees it. A device that goes outside of it has found a driver's bug."""
        start = address - RAM_BASE
        assert start >= 0 and start + size <= len(self._ram), f"DMA outside memory: {address:#x}"
        return memoryview(self._ram)[start : start + size]

    def send_message(self, address: int, data: int) -> None:
        """A device writes a message that raises an interrupt."""
        vector = self.vectors.get(data)
        if vector is not None and address == vector.address:
            vector.arrived(1, now())

    def raise_line(self, number: int, level: bool = True) -> None:
        """A device raises or lowers a line, which nobody may listen to."""
        line = self.lines.get(number)
        if line is not None:
            line.set_level(level)

    def leaks(self) -> list[str]:
        """What drivers have not given back."""
        found = [f"{size} bytes at {address:#x}" for address, size in self.allocated.items()]
        return found + [repr(one) for one in [*self.lines.values(), *self.vectors.values()]]

    def release(self, address: int, size: int) -> None:
        """A driver gives memory back."""
        assert self.allocated.pop(address) == size
        self.view(address, size)[:] = bytes([POISON]) * size

    # Hardware

    @staticmethod
    def _find(regions: list[tuple[int, Region]], address: int, size: int) -> Window:
        for base, region in regions:
            if base <= address and address + size <= base + region.size:
                whole = ModelWindow(region)
                if address == base and size == region.size:
                    return whole
                return SubWindow(whole, address - base, size)
        return ModelWindow(_Nothing(size))

    def ports(self, base: int, size: int) -> Window:
        return self._find(self._ports, base, size)

    def mmio(self, address: int, size: int) -> Window:
        return self._find(self._regions, address, size)

    def memory(self, address: int, size: int, write_combining: bool = False) -> memoryview:
        for base, region in self._regions:
            if base <= address and address + size <= base + region.size:
                assert isinstance(region, Memory), f"there are registers at {address:#x}"
                return memoryview(region.data)[address - base : address - base + size]
        return memoryview(bytearray(b"\xff" * size))

    def look(self, address: int, size: int) -> memoryview:
        if RAM_BASE <= address < RAM_BASE + len(self._ram):
            return self.view(address, size).toreadonly()
        return self.memory(address, size).toreadonly()

    def dma(self, size: int) -> MachineDma:
        address = self._next
        self._next += -(-size // PAGE) * PAGE
        if self._next > RAM_BASE + len(self._ram):
            raise MemoryError
        self.view(address, size)[:] = bytes(size)
        self.allocated[address] = size
        return MachineDma(self, address, size)

    def physical(self, buffer: memoryview) -> list[tuple[int, int]]:
        """A piece for each page, as in a machine whose memory is scattered."""
        at = _address_of(buffer) - self._origin
        if not 0 <= at < len(self._ram):
            raise OSError(14, "this buffer is not in the machine's memory")
        pieces = []
        left = len(buffer)
        while left:
            length = min(left, PAGE - at % PAGE)
            pieces.append((RAM_BASE + at, length))
            at += length
            left -= length
        return pieces

    def interrupt(self, line: int) -> Line:
        if line in self.lines:
            raise OSError(16, f"interrupt {line} has an owner")
        self.lines[line] = Line(self, line)
        return self.lines[line]

    def message(self) -> Vector:
        number = 64
        while number in self.vectors:
            number += 1
        self.vectors[number] = Vector(self, number)
        return self.vectors[number]

    def add_entropy(self, data: bytes) -> None:
        self.entropy += data

    def fence(self) -> None:
        self.fences += 1
