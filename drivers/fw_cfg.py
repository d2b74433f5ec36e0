"""QEMU's fw_cfg: files that the host gives to firmware and guest (QEMU, docs/specs/fw_cfg).

fw_cfg = open_fw_cfg(hardware)
fw_cfg.files["opt/org.example/greeting"].size
fw_cfg.read("opt/org.example/greeting")
"""

from __future__ import annotations

import time

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Dma, Hardware

PORT = 0x510
"""Where it is on PCs."""
SIGNATURE = b"QEMU"

_KEY_SIGNATURE, _KEY_FEATURES, _KEY_DIRECTORY = 0x00, 0x01, 0x19
_FEATURE_DMA = 2
_ENTRY = 64
"""Bytes of an entry of the directory: size, key, reserved, name of 56 bytes."""
MOST_FILES = 0x4000
"""Keys have 14 bits."""

CHUNK = 64 << 10
"""Bytes that are read at a time by DMA."""
DEADLINE_NS = 1_000_000_000

_ERROR, _READ, _SELECT = 1, 2, 8
"""Bits of the control field of a DMA access."""


class FwCfgRegisters(Registers):
    """Ports from 0x510 on."""

    selector = Register(0, 16, "Selector (Control) Register", key=(13, 0), write=14, local=15)
    data = Register(1, 8, "Data Register")
    dma_high = Register(4, 32, "DMA Address Register")
    """Big-endian, as everything that has to do with DMA here."""
    dma_low = Register(8, 32, "DMA Address Register")
    """Writing it starts the transfer."""


class File:
    """A file that the host has given."""

    __slots__ = ("key", "name", "size")

    def __init__(self, name: str, key: int, size: int) -> None:
        self.name = name
        self.key = key
        self.size = size
        """In bytes."""

    def __repr__(self) -> str:
        return f"<{self.name}, {self.size} bytes>"


class FwCfg:
    """The interface. Raises DeviceError if there is none.

    `now` is the monotonic time in ns, for deadlines.
    """

    def __init__(self, hardware: Hardware, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._hardware = hardware
        self._now = now
        self._lost: list[Dma] = []
        """Memory that a transfer without an end may still reach."""
        self._registers = FwCfgRegisters(hardware.ports(PORT, 12))
        if self._by_port(_KEY_SIGNATURE, 4) != SIGNATURE:
            raise DeviceError(f"fw_cfg: there is none at port {PORT:#x}")
        self.has_dma = bool(self._by_port(_KEY_FEATURES, 1)[0] & _FEATURE_DMA)
        self.files = self._directory()
        """By name, in the host's order."""

    def __repr__(self) -> str:
        return f"<fw_cfg, {len(self.files)} files{', DMA' if self.has_dma else ''}>"

    def _by_port(self, key: int, size: int) -> bytes:
        registers = self._registers
        registers.selector = key
        return bytes(int(registers.data) for _ in range(size))

    def _directory(self) -> dict[str, File]:
        count = int.from_bytes(self._by_port(_KEY_DIRECTORY, 4), "big")
        if count > MOST_FILES:
            raise DeviceError(f"fw_cfg: a directory of {count} files")
        data = self._item(_KEY_DIRECTORY, 4 + count * _ENTRY)[4:]
        files = {}
        for at in range(0, len(data), _ENTRY):
            name = data[at + 8 : at + _ENTRY].split(b"\0", 1)[0].decode("latin-1")
            size = int.from_bytes(data[at : at + 4], "big")
            files[name] = File(name, int.from_bytes(data[at + 4 : at + 6], "big"), size)
        return files

    def read(self, name: str) -> bytes:
        """What a file contains.

        Raises FileNotFoundError, MemoryError, DeviceError if the device reports one, DeviceTimeout.
        """
        file = self.files.get(name)
        if file is None:
            raise FileNotFoundError(f"fw_cfg has no file {name!r}")
        return self._item(file.key, file.size)

    def _item(self, key: int, size: int) -> bytes:
        return self._by_dma(key, size) if self.has_dma else self._by_port(key, size)

    def _by_dma(self, key: int, size: int) -> bytes:
        result = bytearray()
        # The access structure comes first in this memory, and what is read behind it.
        memory = self._hardware.dma(16 + min(size, CHUNK))
        finished = False
        try:
            control = key << 16 | _SELECT | _READ
            while len(result) < size:
                length = min(size - len(result), CHUNK)
                view = memory.view
                view[:4] = control.to_bytes(4, "big")
                view[4:8] = length.to_bytes(4, "big")
                view[8:16] = (memory.address + 16).to_bytes(8, "big")
                self._transfer(memory.address, view)
                result += view[16 : 16 + length]
                control = _READ
            finished = True
        finally:
            if finished or not self._busy(memory.view):
                memory.free()
            else:
                self._lost.append(memory)
        return bytes(result)

    @staticmethod
    def _busy(view: memoryview) -> bool:
        """Whether a transfer is under way: the device may still write, and the memory is its."""
        return bool(int.from_bytes(view[:4], "big") & ~_ERROR)

    def _transfer(self, address: int, view: memoryview) -> None:
        """Has the device do what the access structure says; there is no interrupt for its end."""
        self._hardware.fence()
        self._registers.dma_high = int.from_bytes((address >> 32).to_bytes(4, "big"), "little")
        self._registers.dma_low = int.from_bytes(
            (address & 0xFFFFFFFF).to_bytes(4, "big"), "little"
        )
        deadline = self._now() + DEADLINE_NS
        while self._busy(view):
            if self._now() > deadline:
                raise DeviceTimeout("fw_cfg", "the end of a transfer", bytes(view[:4]))
        if int.from_bytes(view[:4], "big") & _ERROR:
            raise DeviceError("fw_cfg: the device reports an error")


def open_fw_cfg(hardware: Hardware) -> FwCfg | None:
    """The interface; None where there is none."""
    try:
        return FwCfg(hardware)
    except DeviceError:
        return None
