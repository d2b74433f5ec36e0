"""KVM's clock: a page that the hypervisor keeps (Linux, virt/kvm/x86/msr.rst, pvclock_abi).

It tells how its own time follows from the time stamp counter, so also at what rate that counts.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import BytesWindow, Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Hardware

    Cpuid = Callable[[int, int], tuple[int, int, int, int]]

SIGNATURE = b"KVMKVMKVM\0\0\0"
_BASE = 0x40000000
_CLOCKSOURCE2 = 1 << 3
"""KVM_FEATURE_CLOCKSOURCE2: the registers below are there (cpuid.rst)."""
MSR_SYSTEM_TIME = 0x4B564D01
TRIES = 1000


class TimeInfo(Registers):
    """What the page has."""

    version = Register(0, 32)
    """Odd while the hypervisor changes the rest."""
    tsc_timestamp = Register(8, 64)
    system_time = Register(16, 64)
    multiplier = Register(24, 32)
    shift = Register(28, 8)
    """Signed: how far ticks are shifted to the left before they are multiplied."""
    flags = Register(29, 8, tsc_stable=0, stopped=1)


def available(cpuid: Cpuid) -> bool:
    """Whether this is KVM, and has the clock."""
    highest, b, c, d = cpuid(_BASE, 0)
    name = b"".join(word.to_bytes(4, "little") for word in (b, c, d))
    return name == SIGNATURE and highest > _BASE and bool(cpuid(_BASE + 1, 0)[0] & _CLOCKSOURCE2)


class KvmClock:
    """The clock, from `start` to `stop`. `write_msr` is `_kernel.wrmsr`."""

    def __init__(self, hardware: Hardware, write_msr: Callable[[int, int], None]) -> None:
        self._write_msr = write_msr
        self._memory = hardware.dma(4096)
        self._info = TimeInfo(BytesWindow(self._memory.view))
        self._write_msr(MSR_SYSTEM_TIME, self._memory.address | 1)

    def stop(self) -> None:
        """The hypervisor leaves the page alone, and it is given back."""
        self._write_msr(MSR_SYSTEM_TIME, 0)
        del self._info
        self._memory.free()

    def _consistent(self) -> tuple[int, int, int, int]:
        """Timestamp, time, multiplier and shift of one moment."""
        info = self._info
        for _ in range(TRIES):
            version = int(info.version)
            values = (
                int(info.tsc_timestamp),
                int(info.system_time),
                int(info.multiplier),
                (int(info.shift) ^ 0x80) - 0x80,
            )
            if not version & 1 and info.version == version:
                if not values[2] or not -32 <= values[3] <= 32:
                    break
                return values
        raise DeviceError(f"kvmclock: the page has no time: version {int(info.version)}")

    @property
    def hz(self) -> float:
        """The rate of the time stamp counter that the page implies."""
        _, _, multiplier, shift = self._consistent()
        return float(10**9 * 2**32 / multiplier / 2.0**shift)

    def nanoseconds(self, tsc: int) -> int:
        """KVM's time when the time stamp counter has this value, in ns. Raises DeviceError."""
        stamp, base, multiplier, shift = self._consistent()
        ticks = tsc - stamp
        ticks = ticks << shift if shift >= 0 else ticks >> -shift
        return base + (ticks * multiplier >> 32)
