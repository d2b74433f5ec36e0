"""PCI functions and buses as models: configuration, base addresses, capabilities, messages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .machine import Machine

if TYPE_CHECKING:
    from .machine import Region

IO_SPACE, MEMORY_SPACE, BUS_MASTER, NO_INTERRUPT = 1, 2, 4, 1 << 10
"""Bits of the command register (PCI 3.0, 6.2.2)."""


class _Decoded:
    """What is behind a base address: it answers only while the function decodes addresses."""

    def __init__(self, function: PciModel, region: Region, bit: int, size: int) -> None:
        self._function = function
        self._region = region
        self._bit = bit
        self.size = size

    def read(self, offset: int, width: int) -> int:
        if not self._function.command & self._bit or offset + width > self._region.size:
            return (1 << 8 * width) - 1
        return self._region.read(offset, width)

    def write(self, offset: int, width: int, value: int) -> None:
        if self._function.command & self._bit and offset + width <= self._region.size:
            self._region.write(offset, width, value)


class PciModel:
    """One function's configuration space, 256 bytes of it or 4,096 (PCI 3.0, 6.1)."""

    def __init__(
        self,
        machine: Machine,
        vendor: int = 0x1234,
        device: int = 0x5678,
        *,
        subsystem: tuple[int, int] = (0, 0),
        class_code: int = 0xFF0000,
        layout: int = 0,
        size: int = 4096,
    ) -> None:
        self.machine = machine
        self.size = size
        self.data = bytearray(size)
        self._writable = bytearray(size)
        self.line = 0
        self._last_capability = 0
        self._next_capability = 0x40
        self._bars: dict[int, tuple[int, int, int]] = {}
        self.msix: MsixModel | None = None
        self.msi = 0
        """Where the capability is; 0 without one."""
        struct.pack_into("<HH", self.data, 0, vendor, device)
        struct.pack_into("<I", self.data, 8, class_code << 8 | 1)
        self.data[0x0E] = layout
        self._writable[4:6] = b"\xff\x07"
        self._writable[0x3C] = 0xFF
        if layout == 0:
            struct.pack_into("<HH", self.data, 0x2C, *subsystem)

    @property
    def command(self) -> int:
        return int.from_bytes(self.data[4:6], "little")

    # The configuration space as a region

    def read(self, offset: int, width: int) -> int:
        return int.from_bytes(self.data[offset : offset + width], "little")

    def write(self, offset: int, width: int, value: int) -> None:
        for at, byte in enumerate(value.to_bytes(width, "little"), offset):
            mask = self._writable[at]
            self.data[at] = self.data[at] & ~mask | byte & mask
        if self.msix is not None:
            self.msix.flush()

    # What it is made of

    def add_bar(
        self,
        index: int,
        region: Region | None,
        address: int,
        size: int,
        *,
        io: bool = False,
        wide: bool = False,
        prefetchable: bool = False,
    ) -> None:
        """A base address register of `size` bytes, a power of two, with a region behind it."""
        at = 0x10 + 4 * index
        flags = 1 if io else wide << 2 | prefetchable << 3
        mask = ~(size - 1) & (1 << (64 if wide else 32)) - 1
        form = "<Q" if wide else "<I"
        struct.pack_into(form, self.data, at, address | flags)
        struct.pack_into(form, self._writable, at, mask & ~(3 if io else 15))
        if region is not None:
            decoded = _Decoded(self, region, IO_SPACE if io else MEMORY_SPACE, size)
            (self.machine.add_ports if io else self.machine.add_memory)(address, decoded)

    def add_capability(self, identity: int, body: bytes, writable: bytes = b"") -> int:
        """A capability at the end of the list; where it is. `body` begins behind its head."""
        at = self._next_capability
        self.data[self._last_capability + 1 if self._last_capability else 0x34] = at
        self.data[6] |= 1 << 4
        self.data[at] = identity
        self.data[at + 2 : at + 2 + len(body)] = body
        self._writable[at + 2 : at + 2 + len(writable)] = writable
        self._last_capability = at
        self._next_capability = -(-(at + 2 + len(body)) // 4) * 4
        return at

    def add_msi(self, *, wide: bool = True) -> None:
        """MSI with eight messages on offer (6.8.1)."""
        self.msi = self.add_capability(
            0x05, struct.pack("<H", 3 << 1 | wide << 7) + bytes(12), b"\x71\0" + b"\xff" * 12
        )

    def add_msix(self, entries: int, bar: int, address: int) -> MsixModel:
        """MSI-X with its table at the beginning of a base address of its own (6.8.2)."""
        at = self.add_capability(
            0x11, struct.pack("<HII", entries - 1, bar, 0x2000 | bar), b"\x00\xc0"
        )
        self.msix = MsixModel(self, at, entries)
        size = 1 << (16 * entries - 1).bit_length()
        self.add_bar(bar, self.msix, address, max(size, 0x4000))
        return self.msix

    def set_line(self, line: int) -> None:
        """An interrupt pin that is wired to a line of the machine."""
        self.line = line
        self.data[0x3C] = line
        self.data[0x3D] = 1

    # What its device does

    def interrupt(self, vector: int, *, level: bool = True) -> None:
        """Interrupts: by an entry of MSI-X, by MSI, or by the line."""
        master = self.command & BUS_MASTER  # a message is a write of the function's own
        if self.msix is not None and self.msix.enabled:
            if level and master:
                self.msix.send(vector)
        elif self.msi and self.data[self.msi + 2] & 1:
            if level and master:
                self._send_msi()
        elif self.line and not (level and self.command & NO_INTERRUPT):
            self.machine.raise_line(self.line, level)

    def _send_msi(self) -> None:
        control, address, high, data = struct.unpack_from("<HIIH", self.data, self.msi + 2)
        if control & 1 << 7:
            self.machine.send_message(address | high << 32, data)
        else:
            self.machine.send_message(address, high & 0xFFFF)


class MsixModel:
    """A table of MSI-X (6.8.2.6). A message that is masked is sent when it no longer is."""

    def __init__(self, function: PciModel, at: int, entries: int) -> None:
        self._function = function
        self._at = at
        self.entries = entries
        self.size = 16 * entries
        self.table = bytearray((bytes(12) + b"\1\0\0\0") * entries)
        self.pending: set[int] = set()

    @property
    def enabled(self) -> bool:
        return bool(self._function.data[self._at + 3] & 0x80)

    @property
    def masked(self) -> bool:
        return bool(self._function.data[self._at + 3] & 0x40)

    def read(self, offset: int, width: int) -> int:
        assert width in (4, 8), "the table is accessed by 32 or 64 bits (6.8.2)"
        return int.from_bytes(self.table[offset : offset + width], "little")

    def write(self, offset: int, width: int, value: int) -> None:
        assert width in (4, 8), "the table is accessed by 32 or 64 bits (6.8.2)"
        self.table[offset : offset + width] = value.to_bytes(width, "little")
        self.flush()

    def flush(self) -> None:
        if self.enabled and not self.masked:
            for vector in sorted(self.pending):
                self.send(vector)

    def send(self, vector: int) -> None:
        if vector >= self.entries:
            return
        address, high, data, control = struct.unpack_from("<IIII", self.table, 16 * vector)
        if control & 1 or self.masked:
            self.pending.add(vector)
        else:
            self.pending.discard(vector)
            self._function.machine.send_message(address | high << 32, data)


class PciBusModel:
    """All buses of a segment, by both ways to their configuration spaces."""

    def __init__(self, machine: Machine, ecam: int = 0, buses: int = 4) -> None:
        self._functions: dict[tuple[int, int, int], PciModel] = {}
        machine.add_ports(0xCF8, _ConfigPorts(self._functions))
        if ecam:
            machine.add_memory(ecam, _Ecam(self._functions, buses << 20))

    def add(self, bus: int, device: int, function: int, model: PciModel) -> PciModel:
        self._functions[bus, device, function] = model
        return model

    def add_bridge(self, machine: Machine, bus: int, device: int, secondary: int) -> PciModel:
        """A bridge to bus number `secondary`."""
        model = PciModel(machine, class_code=0x060400, layout=1)
        model.data[0x18:0x1B] = bytes([bus, secondary, secondary])
        return self.add(bus, device, 0, model)


class _ConfigPorts:
    """Mechanism #1 (3.2.2.3.2): which register at 0xCF8, its bytes at 0xCFC."""

    size = 8

    def __init__(self, functions: dict[tuple[int, int, int], PciModel]) -> None:
        self._functions = functions
        self._address = 0

    def _place(self, offset: int) -> tuple[PciModel | None, int]:
        at = self._address
        assert at >> 31 and not at & 3, f"{at:#x} selects nothing"
        key = at >> 16 & 0xFF, at >> 11 & 31, at >> 8 & 7
        return self._functions.get(key), (at & 0xFC) + offset - 4

    def read(self, offset: int, width: int) -> int:
        model, at = self._place(offset)
        return (1 << 8 * width) - 1 if model is None else model.read(at, width)

    def write(self, offset: int, width: int, value: int) -> None:
        if offset < 4:
            assert (offset, width) == (0, 4), "the address port takes 32 bits only"
            self._address = value
            return
        model, at = self._place(offset)
        if model is not None:
            model.write(at, width, value)


class _Ecam:
    """The enhanced mechanism (PCI Express 5.0, 7.2.2)."""

    def __init__(self, functions: dict[tuple[int, int, int], PciModel], size: int) -> None:
        self._functions = functions
        self.size = size

    def _model(self, offset: int) -> PciModel | None:
        return self._functions.get((offset >> 20, offset >> 15 & 31, offset >> 12 & 7))

    def read(self, offset: int, width: int) -> int:
        model = self._model(offset)
        return (1 << 8 * width) - 1 if model is None else model.read(offset & 0xFFF, width)

    def write(self, offset: int, width: int, value: int) -> None:
        model = self._model(offset)
        if model is not None:
            model.write(offset & 0xFFF, width, value)
