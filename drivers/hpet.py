"""The high precision event timer (IA-PC HPET 1.0a): its counter is read, its timers are described.

The kernel uses none of it, so that what runs here changes nothing for it.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware

SIZE = 1024
LONGEST_PERIOD_FS = 100_000_000
"""COUNTER_CLK_PERIOD is at most 100 ns (2.3.4)."""
TRIES = 16
"""The upper half changes every 43 s at the most."""


class HpetRegisters(Registers):
    """The block's registers (2.3.1)."""

    capabilities = Register(0x00, 32, "2.3.4", revision=(7, 0), last_timer=(12, 8), wide=13,
                            legacy=15, vendor=(31, 16))  # fmt: skip
    period_fs = Register(0x04, 32, "2.3.4")
    configuration = Register(0x10, 32, "2.3.5", enable=0, legacy=1)
    status = Register(0x20, 32, "2.3.6")
    counter_low = Register(0xF0, 32, "2.3.7")
    counter_high = Register(0xF4, 32, "2.3.7")


class Hpet:
    """The timer at a physical address, which the ACPI table HPET gives. Raises DeviceError."""

    name = "HPET"

    def __init__(self, hardware: Hardware, address: int) -> None:
        self.address = address
        self.registers = HpetRegisters(hardware.mmio(address, SIZE))
        period = int(self.registers.period_fs)
        if not 0 < period <= LONGEST_PERIOD_FS or self.registers.capabilities.revision == 0:
            raise DeviceError(
                f"HPET at {address:#x}: {self.registers.capabilities!r}, a period of {period} fs"
            )
        self.hz = 10**15 / period
        """Ticks a second."""
        self.bits = 64 if self.registers.capabilities.wide else 32
        """After 2 to the power of this many ticks it begins anew."""
        self._was_enabled = bool(self.registers.configuration.enable)

    def __repr__(self) -> str:
        timers = self.registers.capabilities.last_timer + 1
        return (
            f"<HPET at {self.address:#x}: {self.hz / 1e6:g} MHz, {self.bits} bits, {timers} timers>"
        )

    def start(self) -> None:
        """Has the counter count. It raises no interrupt by that."""
        self.registers.configuration = self.registers.configuration.replace(enable=1)

    def stop(self) -> None:
        """Leaves it as it was found."""
        self.registers.configuration = self.registers.configuration.replace(
            enable=int(self._was_enabled)
        )

    def read(self) -> int:
        """The counter: `bits` bits."""
        registers = self.registers
        if self.bits == 32:
            return int(registers.counter_low)
        for _ in range(TRIES):
            high = registers.counter_high
            low = registers.counter_low
            # The low half may have wrapped in between (2.4.7).
            if registers.counter_high == high:
                return int(high) << 32 | int(low)
        raise DeviceError(f"{self!r}: its upper half changes all the time")
