"""Mode setting on the display adapter of Bochs and QEMU (`-vga std`, `-device bochs-display`).

QEMU's docs/specs/standard-vga, Bochs' VBE interface ("DISPI"). PCI 1234:1111: BAR 0 is video
memory, BAR 2 has EDID at 0, VGA's ports from 0x400 on and the DISPI registers at 0x500. Bochs
itself has no BAR 2: then they are behind the ports 0x1CE and 0x1CF.
"""

from __future__ import annotations

from ovum.drivers.display import edid
from ovum.drivers.display.framebuffer import FORMATS, Framebuffer
from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register, Registers
from ovum.services.tasks import sleep_forever

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.registers import Window

PCI_ID = (0x1234, 0x1111)

MEMORY_BAR = 0
REGISTERS_BAR = 2
EDID_SIZE = 0x400
VGA_PORTS = 0x400
"""In BAR 2: ports 0x3C0 to 0x3DF."""
DISPI = 0x500
DISPI_SIZE = 22

INDEX_PORT = 0x1CE
DATA_PORT = 0x1CF

UNIT = 0x10000
"""What video memory is counted in, bytes."""

MODES = (
    (640, 480), (800, 600), (1024, 768), (1152, 864), (1280, 720), (1280, 800), (1280, 1024),
    (1366, 768), (1400, 1050), (1440, 900), (1600, 900), (1600, 1200), (1680, 1050), (1920, 1080),
    (1920, 1200), (2560, 1440), (2560, 1600), (3840, 2160),
)  # fmt: skip
"""What is usual. The adapter can do any, in steps of 8 pixels."""


class Dispi(Registers):
    """The mode. Numbers of the registers times two, as in memory."""

    identity = Register(0x00, 16, "", revision=(3, 0), magic=(15, 4))
    width = Register(0x02, 16)
    height = Register(0x04, 16)
    bits = Register(0x06, 16)
    enable = Register(0x08, 16, "", enabled=0, capabilities=1, linear=6, keep_memory=7)
    bank = Register(0x0A, 16)
    virtual_width = Register(0x0C, 16)
    virtual_height = Register(0x0E, 16)
    x_offset = Register(0x10, 16)
    y_offset = Register(0x12, 16)
    memory_units = Register(0x14, 16)


MAGIC = 0xB0C


class PortWindow:
    """The registers behind their two ports."""

    size = DISPI_SIZE

    def __init__(self, hardware: Hardware) -> None:
        self._index = hardware.ports(INDEX_PORT, 2)
        self._data = hardware.ports(DATA_PORT, 2)

    def read16(self, offset: int) -> int:
        self._index.write16(0, offset >> 1)
        return self._data.read16(0)

    def write16(self, offset: int, value: int) -> None:
        self._index.write16(0, offset >> 1)
        self._data.write16(0, value)

    def _refuse(self, *_: int) -> NoReturn:
        raise DeviceError("the registers have 16 bits")

    read8 = read32 = read64 = _refuse
    write8 = write32 = write64 = _refuse


class BochsDisplay:
    """`set_mode` gives a frame buffer; until then the display is as the firmware left it."""

    def __init__(self, function: PciFunction) -> None:
        self.function = function
        self.name = f"Bochs display {function.address}"
        bar = function.bars.get(MEMORY_BAR)
        if bar is None or bar.io or not bar.address:
            raise DeviceError(f"{self.name}: no video memory (BAR 0)")
        self._memory = bar
        self._vga: Window | None = None
        self.edid = b""
        """128 bytes that the monitor says of itself, if it does."""
        registers = function.bars.get(REGISTERS_BAR)
        window: Window
        if registers is not None and not registers.io and registers.address:
            window = function.open_bar(REGISTERS_BAR, DISPI, DISPI_SIZE)
            self._vga = function.open_bar(REGISTERS_BAR, VGA_PORTS, 0x20)
            place = function.open_bar(REGISTERS_BAR, 0, EDID_SIZE)
            block = bytes(place.read8(n) for n in range(edid.SIZE))
            if edid.valid(block):
                self.edid = block
        else:
            window = PortWindow(function.hardware)
        self.registers = Dispi(window)
        identity = self.registers.identity
        if identity.magic != MAGIC:
            raise DeviceError(f"{self.name}: it is none: {identity!r}")
        # BAR 0 may be larger than the memory behind it, and is what is mapped.
        self.memory_size = min(int(self.registers.memory_units) * UNIT, bar.size) or bar.size

    @property
    def monitor(self) -> str:
        """The monitor's name, "" if it says none."""
        return edid.name(self.edid)

    @property
    def preferred(self) -> tuple[int, int]:
        """The mode that the monitor likes best, or a usual one."""
        best = edid.preferred_mode(self.edid)
        return best if best is not None and self._fits(*best, 32) else (1024, 768)

    def modes(self) -> list[tuple[int, int]]:
        """Width and height of the usual modes that there is memory for, with 32 bits a pixel."""
        found = {mode for mode in (*MODES, self.preferred) if self._fits(*mode, 32)}
        return sorted(found)

    def _fits(self, width: int, height: int, bits: int) -> bool:
        return 0 < width * height * ((bits + 7) // 8) <= self.memory_size

    def set_mode(self, width: int, height: int, bits: int = 32) -> Framebuffer:
        """Switches to a mode, with a black picture. `bits` of a pixel: 15, 16, 24, 32.

        Raises ValueError for a mode that cannot be, DeviceError if the device does not take it.
        """
        if bits not in FORMATS or width % 8 or not self._fits(width, height, bits):
            raise ValueError(f"{self.name} has no mode {width}x{height} with {bits} bits")
        registers = self.registers
        # 1. Nothing is taken while it is enabled.
        registers.enable = 0
        # 2. The picture.
        registers.width = width
        registers.height = height
        registers.bits = bits
        registers.bank = 0
        # 3. Enabled, with all memory in BAR 0; memory is cleared.
        registers.enable = Dispi.enable.value(enabled=1, linear=1)
        # 4. What is shown are the first lines of a picture that is as wide.
        registers.virtual_width = width
        registers.x_offset = 0
        registers.y_offset = 0
        # 5. VGA's attribute controller may have been left with the screen blank: its index port
        # takes an index again once the status has been read, and bit 5 of that turns it on.
        if self._vga is not None:
            self._vga.read8(0x1A)
            self._vga.write8(0x00, 0x20)
        # 6. Has it been taken?
        got = int(registers.width), int(registers.height), int(registers.bits)
        if got != (width, height, bits):
            raise DeviceError(f"{self.name}: it is in mode {got}, not {(width, height, bits)}")
        line = int(registers.virtual_width)
        pixels = FORMATS[bits]
        pitch = line * pixels.bytes
        if line < width or pitch * height > self.memory_size:
            raise DeviceError(f"{self.name}: its lines have {line} pixels")
        memory = self.function.hardware.memory(self._memory.address, pitch * height, True)
        return Framebuffer(memory, width, height, pitch, pixels)

    async def listen(self) -> None:
        """It has no interrupts."""
        await sleep_forever()

    async def stop(self) -> None:
        """Back to VGA's own modes."""
        self.registers.enable = 0


async def attach(function: PciFunction, manager: DeviceManager) -> BochsDisplay:
    """See `manager`. The picture stays as it is until somebody sets a mode."""
    function.header.command = function.header.command.replace(io_space=1, memory_space=1)
    driver = BochsDisplay(function)
    manager.publish("display", driver)
    return driver
