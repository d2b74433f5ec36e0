"""The configuration header (PCI Local Bus 3.0, 6.1; PCI-to-PCI Bridge 1.2, 3.2)."""

from __future__ import annotations

from ovum.drivers.registers import Register, Registers


class Header(Registers):
    """What all functions have."""

    vendor = Register(0x00, 16, "6.2.1")
    device = Register(0x02, 16, "6.2.1")
    command = Register(
        0x04, 16, "6.2.2", io_space=0, memory_space=1, bus_master=2, special_cycles=3,
        write_invalidate=4, palette_snoop=5, parity_response=6, serr=8, fast_back_to_back=9,
        interrupt_disable=10,
    )  # fmt: skip
    status = Register(
        0x06, 16, "6.2.3", interrupt=3, capabilities=4, mhz66=5, fast_back_to_back=7,
        parity_error=8, devsel=(10, 9), signaled_target_abort=11, received_target_abort=12,
        received_master_abort=13, signaled_system_error=14, detected_parity_error=15,
    )  # fmt: skip
    revision = Register(0x08, 8, "6.2.1")
    interface = Register(0x09, 8, "6.2.1")
    subclass = Register(0x0A, 8, "6.2.1")
    base_class = Register(0x0B, 8, "6.2.1")
    cache_line = Register(0x0C, 8, "6.2.4")
    latency = Register(0x0D, 8, "6.2.4")
    header_type = Register(0x0E, 8, "6.2.1", multifunction=7, layout=(6, 0))
    capabilities = Register(0x34, 8, "6.7")
    interrupt_line = Register(0x3C, 8, "6.2.4")
    interrupt_pin = Register(0x3D, 8, "6.2.4")


class DeviceHeader(Header):
    """Layout 0: a device."""

    subsystem_vendor = Register(0x2C, 16, "6.2.4")
    subsystem = Register(0x2E, 16, "6.2.4")
    rom = Register(0x30, 32, "6.2.5.2", enable=0, address=(31, 11))


class BridgeHeader(Header):
    """Layout 1: a bridge to another bus (PCI-to-PCI Bridge 1.2, 3.2.5)."""

    primary_bus = Register(0x18, 8)
    secondary_bus = Register(0x19, 8)
    subordinate_bus = Register(0x1A, 8)
    memory_base = Register(0x20, 16)
    memory_limit = Register(0x22, 16)


LAYOUT_DEVICE = 0
LAYOUT_BRIDGE = 1
"""Of Header.header_type."""

BARS = {LAYOUT_DEVICE: 6, LAYOUT_BRIDGE: 2}
"""How many base address registers a header has, by its layout."""

FIRST_BAR = 0x10
