"""What a virtio block device says of itself (5.2.3, 5.2.4)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.virtio.device import VirtioDevice

SIZE_MAX = 1 << 1
SEG_MAX = 1 << 2
RO = 1 << 5
BLK_SIZE = 1 << 6
FLUSH = 1 << 9
TOPOLOGY = 1 << 10
CONFIG_WCE = 1 << 11
DISCARD = 1 << 13
WRITE_ZEROES = 1 << 14
"""Features (5.2.3)."""

WANTED = SIZE_MAX | SEG_MAX | RO | BLK_SIZE | FLUSH | TOPOLOGY | CONFIG_WCE | DISCARD | WRITE_ZEROES

SECTOR = 512
"""Bytes of the unit that the device counts in, whatever its blocks are (5.2.4)."""

LARGEST_BLOCK = 1 << 16


class BlockRegisters(Registers):
    """struct virtio_blk_config (5.2.4). What has 64 bits is read as halves (4.2.2.2)."""

    capacity = Register(0, 32)
    capacity_high = Register(4, 32)
    size_max = Register(8, 32)
    seg_max = Register(12, 32)
    blk_size = Register(20, 32)
    physical_block_exp = Register(24, 8)
    writeback = Register(32, 8)
    max_discard_sectors = Register(36, 32)
    max_discard_seg = Register(40, 32)
    discard_sector_alignment = Register(44, 32)
    max_write_zeroes_sectors = Register(48, 32)
    max_write_zeroes_seg = Register(52, 32)
    write_zeroes_may_unmap = Register(56, 8)


class BlockConfig:
    """The same as numbers that make sense; raises DeviceError where they do not."""

    __slots__ = (
        *("block_size", "capacity", "discard_sectors", "physical_block_size", "readonly"),
        *("segment_size", "segments", "zeroes_sectors"),
    )

    def __init__(self, device: VirtioDevice) -> None:
        features = device.features
        # The window moves when MSI-X is turned on, so it is asked for each time.
        registers = BlockRegisters(device.transport.config)
        self.capacity = registers.capacity | registers.capacity_high << 32
        """Sectors."""
        self.readonly = bool(features & RO)
        self.segments = 1
        """Pieces of memory in a request. Without a word from the device it may take one only."""
        if features & SEG_MAX:
            self.segments = max(int(registers.seg_max), 1)
        self.segment_size = 0xFFFFFFFF
        """Bytes of each of them."""
        if features & SIZE_MAX:
            self.segment_size = int(registers.size_max)
        self.block_size = SECTOR
        if features & BLK_SIZE:
            self.block_size = int(registers.blk_size)
        size = self.block_size
        if not SECTOR <= size <= LARGEST_BLOCK or size & size - 1:
            raise DeviceError(f"{device.name}: blocks of {size} bytes")
        if self.segment_size < size:
            raise DeviceError(f"{device.name}: no block fits into {self.segment_size} bytes")
        self.physical_block_size = size
        if features & TOPOLOGY:
            exponent = int(registers.physical_block_exp)
            if exponent <= 16:
                self.physical_block_size = size << exponent
        self.discard_sectors = self.zeroes_sectors = 0
        """Sectors that one request discards, or fills with zeros; 0: it cannot."""
        if features & DISCARD:
            self.discard_sectors = int(registers.max_discard_sectors)
        if features & WRITE_ZEROES:
            self.zeroes_sectors = int(registers.max_write_zeroes_sectors)
