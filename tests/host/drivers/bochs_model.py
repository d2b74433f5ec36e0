"""A model of the Bochs display adapter: DISPI registers, EDID, video memory, configuration."""

from __future__ import annotations

from .machine import Machine, Memory

MEMORY = 0xFD00_0000
REGISTERS = 0xFEBF_0000


def edid_block(width: int, height: int, name: str = "Model") -> bytes:
    """A first block with a preferred timing and a name."""
    block = bytearray(128)
    block[:8] = bytes.fromhex("00ffffffffffff00")
    block[54:72] = bytes(
        [1, 30, width & 255, 0, width >> 8 << 4, height & 255, 0, height >> 8 << 4, *[0] * 10]
    )
    block[72:90] = bytes([0, 0, 0, 0xFC, 0]) + f"{name}\n".encode().ljust(13)
    block[127] = -sum(block) & 0xFF
    return bytes(block)


class BochsModel:
    """Attributes change what it does: `refuses` modes, `identity`, `modern` (with BAR 2)."""

    def __init__(
        self,
        machine: Machine,
        *,
        modern: bool = True,
        edid: bytes = b"",
        memory: int = 16 << 20,
        revision: int = 5,
    ) -> None:
        self.registers = [0] * 11
        self.registers[0] = 0xB0C0 | revision
        self.registers[10] = memory >> 16
        self.refuses = False
        self.blank = True
        self._flip = False
        self.log: list[tuple[int, int]] = []
        self.video = Memory(bytearray(b"\x77" * memory))
        machine.add_memory(MEMORY, self.video)
        self.configuration = Configuration(memory, modern)
        self._edid = edid.ljust(0x400, b"\0")
        if modern:
            machine.add_memory(REGISTERS, Bar2(self))
        else:
            machine.add_ports(0x1CE, IndexPort(self))
            machine.add_ports(0x1CF, DataPort(self))
        self.index = 0

    @property
    def enabled(self) -> bool:
        return bool(self.registers[4] & 1)

    def read(self, number: int) -> int:
        return self.registers[number]

    def write(self, number: int, value: int) -> None:
        self.log.append((number, value))
        if number in (0, 10):
            return
        if number in (1, 2, 3) and (self.enabled or self.refuses):
            return
        if number == 4 and value & 1 and not self.enabled:
            self.registers[6] = self.registers[1]
            if not value & 0x80:
                size = self.registers[1] * self.registers[2] * ((self.registers[3] + 7) // 8)
                self.video.data[:size] = bytes(size)
        self.registers[number] = value

    def vga(self, offset: int, value: int | None) -> int:
        """Ports 3C0 to 3DF: the attribute controller's index and the status that resets it."""
        if value is None:
            if offset == 0x1A:
                self._flip = False
            return 0
        assert offset == 0
        if not self._flip:
            self.blank = not value & 0x20
        self._flip = not self._flip
        return 0


class Bar2:
    size = 0x1000

    def __init__(self, model: BochsModel) -> None:
        self._model = model

    def read(self, offset: int, width: int) -> int:
        model = self._model
        if offset < 0x400:
            return int.from_bytes(model._edid[offset : offset + width], "little")
        if offset < 0x420:
            return model.vga(offset - 0x400, None)
        assert width == 2 and 0x500 <= offset < 0x516
        return model.read((offset - 0x500) >> 1)

    def write(self, offset: int, width: int, value: int) -> None:
        if 0x400 <= offset < 0x420:
            self._model.vga(offset - 0x400, value)
            return
        assert width == 2 and 0x500 <= offset < 0x516
        self._model.write((offset - 0x500) >> 1, value)


class IndexPort:
    size = 2

    def __init__(self, model: BochsModel) -> None:
        self._model = model

    def read(self, offset: int, width: int) -> int:
        return self._model.index

    def write(self, offset: int, width: int, value: int) -> None:
        assert width == 2
        self._model.index = value


class DataPort:
    size = 2

    def __init__(self, model: BochsModel) -> None:
        self._model = model

    def read(self, offset: int, width: int) -> int:
        assert width == 2
        return self._model.read(self._model.index)

    def write(self, offset: int, width: int, value: int) -> None:
        assert width == 2
        self._model.write(self._model.index, value)


class Configuration:
    """Its configuration space: BAR 0 of memory, BAR 2 of registers if it is `modern`."""

    size = 256

    def __init__(self, memory: int, modern: bool) -> None:
        self.data = bytearray(256)
        self.put(0, 0x1111_1234)
        self.put(8, 0x0300_0002)
        self._sizes = {0x10: memory, 0x18: 0x1000 if modern else 0}
        self.put(0x10, MEMORY | 8)
        self.put(0x18, REGISTERS if modern else 0)

    def put(self, offset: int, value: int) -> None:
        self.data[offset : offset + 4] = value.to_bytes(4, "little")

    def read(self, offset: int, width: int) -> int:
        return int.from_bytes(self.data[offset : offset + width], "little")

    def write(self, offset: int, width: int, value: int) -> None:
        if 0x10 <= offset < 0x28:
            size = self._sizes.get(offset, 0)
            flags = 8 if offset == 0x10 else 0
            value = value & ~(size - 1) & 0xFFFF_FFFF | flags if size else 0
            self.put(offset, value)
        elif offset == 4:
            self.data[4 : 4 + width] = value.to_bytes(width, "little")
