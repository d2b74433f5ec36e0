"""Device types, status bits and the features that every device may have (sections 2.1, 5, 6)."""

from __future__ import annotations

NETWORK = 1
BLOCK = 2
CONSOLE = 3
ENTROPY = 4
TRANSPORT_9P = 9
INPUT = 18

TYPES = {
    1: "network", 2: "block", 3: "console", 4: "entropy", 5: "memory balloon", 8: "SCSI host",
    9: "9P transport", 16: "GPU", 18: "input", 19: "socket", 20: "crypto", 23: "IOMMU",
    24: "memory", 25: "sound", 26: "file system", 27: "persistent memory", 41: "GPIO",
}  # fmt: skip

ACKNOWLEDGE = 1
DRIVER = 2
DRIVER_OK = 4
FEATURES_OK = 8
NEEDS_RESET = 64
FAILED = 128
"""Bits of the device status (2.1)."""
RESERVED_STATUS = 0x30
"""Bits that no device sets: they are read where none is any more."""

NOTIFY_ON_EMPTY = 1 << 24
ANY_LAYOUT = 1 << 27
INDIRECT_DESC = 1 << 28
EVENT_IDX = 1 << 29
VERSION_1 = 1 << 32
ACCESS_PLATFORM = 1 << 33
RING_PACKED = 1 << 34
IN_ORDER = 1 << 35
ORDER_PLATFORM = 1 << 36
RING_RESET = 1 << 40
"""Features that are not of one type of device (6)."""

QUEUE_FEATURES = INDIRECT_DESC | EVENT_IDX
"""What our queues can do besides the necessary."""
