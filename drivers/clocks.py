"""What clocks a machine has, and whether the time stamp counter is as fast as the kernel thinks.

All time here is the counter's, at the rate that the kernel has found out when the machine started
(`microkernel/core/clock.c`). `cross_check` counts the ticks of another clock meanwhile.
"""

from __future__ import annotations

import time
from contextlib import suppress

from ovum.drivers.errors import DeviceError
from ovum.drivers.hpet import Hpet
from ovum.drivers.pit import Pit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ovum.drivers.acpi.fadt import Fadt
    from ovum.drivers.acpi.root import Tables
    from ovum.drivers.hardware import Hardware
    from ovum.drivers.rtc import Rtc

    class Counter(Protocol):
        """A clock that counts."""

        @property
        def name(self) -> str:
            """What it is called."""

        @property
        def hz(self) -> float:
            """Ticks a second."""

        @property
        def bits(self) -> int:
            """After 2 to the power of this many ticks it begins anew."""

        def start(self) -> None: ...
        def stop(self) -> None: ...
        def read(self) -> int: ...


PM_TIMER_HZ = 3579545
"""ACPI 6.4, 4.8.2.1."""

TRIES = 5
"""How often a measurement may be disturbed."""
READS = 12
"""Of which the tightest counts."""


class PmTimer:
    """ACPI's power management timer (4.8.3.3)."""

    name = "ACPI timer"
    hz = float(PM_TIMER_HZ)

    def __init__(self, hardware: Hardware, fadt: Fadt) -> None:
        self.bits = 32 if fadt.flags.pm_timer_32 else 24
        register = fadt.x_pm_timer
        if register and register.space == 0:
            self._window = hardware.mmio(register.address, 4)
        else:
            port = register.address if register else int(fadt.pm_timer)
            self._window = hardware.ports(port, 4)
        self.place = int(register.address or fadt.pm_timer)

    def __repr__(self) -> str:
        return f"<ACPI timer at {self.place:#x}: {PM_TIMER_HZ / 1e6:g} MHz, {self.bits} bits>"

    def start(self) -> None:
        """It always counts."""

    def stop(self) -> None:
        """It cannot be stopped."""

    def read(self) -> int:
        """The counter."""
        return self._window.read32(0) & (1 << self.bits) - 1


class Deviation:
    """How much faster than another clock the kernel's time is, in millionths."""

    __slots__ = ("against", "ppm", "seconds", "uncertainty_ppm")

    def __init__(self, against: str, ppm: float, uncertainty_ppm: float, seconds: float) -> None:
        self.against = against
        """The other clock."""
        self.ppm = ppm
        """Positive: the kernel takes the counter to be slower than it is, so its time is fast."""
        self.uncertainty_ppm = uncertainty_ppm
        """How far off that may be, by the time that reading takes and the other clock's ticks."""
        self.seconds = seconds
        """How long that was measured."""

    def __repr__(self) -> str:
        return (
            f"<against {self.against}: {self.ppm:+.1f} ppm ± {self.uncertainty_ppm:.1f} "
            f"over {self.seconds:.2f} s>"
        )


def counters(hardware: Hardware, tables: Tables | None) -> list[Counter]:
    """The clocks beside the time stamp counter; one that does not work is left out."""
    found: list[Counter] = []
    if tables is not None:
        hpet, fadt = tables.hpet(), tables.fadt()
        if hpet is not None:
            with suppress(DeviceError):  # A firmware may promise a timer that is not there.
                found.append(Hpet(hardware, hpet.base.address))
        if fadt is not None and (fadt.x_pm_timer or fadt.pm_timer):
            found.append(PmTimer(hardware, fadt))
    try:
        pit = Pit(hardware)
    except DeviceError:
        return found  # Machines without one exist: QEMU's microvm with pit=off.
    pit.stop()
    found.append(pit)
    return found


def _pair(counter: Counter, now: Callable[[], int]) -> tuple[int, int, int]:
    """The counter, the time of that in ns, and how uncertain that time is."""
    best: tuple[int, int, int] | None = None
    for _ in range(READS):
        before = now()
        ticks = counter.read()
        width = now() - before
        if best is None or width < best[2]:
            best = ticks, before + width // 2, width
    assert best is not None
    return best


def cross_check(
    counter: Counter,
    seconds: float = 0.25,
    now: Callable[[], int] = time.monotonic_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> Deviation:
    """Compares the kernel's time with a counter, for so many seconds.

    Raises DeviceError if the counter stands still, or the machine is too busy to look at it before
    it wraps.
    """
    wrap_ns = 2**counter.bits / counter.hz * 1e9
    mask = (1 << counter.bits) - 1
    counter.start()
    try:
        for _ in range(TRIES):
            first, begun, uncertain = _pair(counter, now)
            last, at, total = first, begun, 0
            steady = True
            while steady and at - begun < seconds * 1e9:
                step = min(seconds * 1e9 - (at - begun), wrap_ns / 4)
                # A short sleep may take long; a counter that wraps soon is watched instead.
                if wrap_ns > 1e9:
                    sleep(step / 1e9)
                ticks, then, width = _pair(counter, now)
                steady = then - at < wrap_ns * 0.8
                total += ticks - last & mask
                last, at = ticks, then
            if not steady:
                continue
            if not total:
                raise DeviceError(f"{counter.name}: it stands still")
            theirs = total / counter.hz * 1e9
            error = (uncertain + width) / 2 + 2e9 / counter.hz
            return Deviation(
                counter.name, ((at - begun) / theirs - 1) * 1e6, error / theirs * 1e6, theirs / 1e9
            )
    finally:
        counter.stop()
    raise DeviceError(f"{counter.name}: the machine is too busy to watch it")


def cross_check_rtc(rtc: Rtc, seconds: int = 2) -> Deviation:
    """Compares the kernel's time with the ticks of the real-time clock. Raises DeviceError.

    A poll takes some microseconds, and the host may take the processor away: a coarse check.
    """
    first = rtc.next_second()
    last = first
    for _ in range(seconds):
        last = rtc.next_second()
    theirs = seconds * 1e9
    return Deviation("RTC", ((last - first) / theirs - 1) * 1e6, 100e3 / theirs * 1e6, seconds)
