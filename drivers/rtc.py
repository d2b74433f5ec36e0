"""The real-time clock: a Motorola MC146818 or what is compatible with it (its data sheet).

It keeps UTC here. The kernel reads it once, when the machine starts; setting it does not change
the kernel's time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.registers import Window

INDEX_PORT = 0x70
"""The index is written there, and the register is at the next port (Intel ICH, 13.6)."""

UPDATE_NS = 10_000_000
"""An update takes at most 2.228 ms (MC146818 data sheet, table 6); more is a broken clock."""

TRIES = 10
"""How often two readings may differ."""

_FIRST_YEAR = 1970
"""Without a register for the century the year is between this one and 99 years later."""


class CmosWindow:
    """The clock's 128 bytes, registers and memory, behind an index port and a data port."""

    size = 128

    def __init__(self, hardware: Hardware) -> None:
        self._ports = hardware.ports(INDEX_PORT, 2)

    def read8(self, offset: int) -> int:
        self._select(offset)
        return self._ports.read8(1)

    def write8(self, offset: int, value: int) -> None:
        self._select(offset)
        self._ports.write8(1, value)

    def _select(self, offset: int) -> None:
        if not 0 <= offset < self.size:
            raise IndexError(f"the clock has 128 bytes, and none at {offset:#x}")
        # Bit 7 of the index would mask the processor's NMI; nobody here wants that.
        self._ports.write8(0, offset)

    def _no(self, *_: int) -> int:
        raise ValueError("the clock's registers have 8 bits")

    read16 = read32 = read64 = _no
    if TYPE_CHECKING:

        def write16(self, offset: int, value: int, /) -> None: ...
        def write32(self, offset: int, value: int, /) -> None: ...
        def write64(self, offset: int, value: int, /) -> None: ...
    else:
        write16 = write32 = write64 = _no


class RtcRegisters(Registers):
    """Its registers."""

    seconds = Register(0x00, 8)
    minutes = Register(0x02, 8)
    hours = Register(0x04, 8)
    weekday = Register(0x06, 8)
    day = Register(0x07, 8)
    month = Register(0x08, 8)
    year = Register(0x09, 8)
    a = Register(0x0A, 8, "register A", rate=(3, 0), divider=(6, 4), update_in_progress=7)
    b = Register(
        0x0B, 8, "register B", daylight_saving=0, hours_24=1, binary=2, square_wave=3,
        update_interrupt=4, alarm_interrupt=5, periodic_interrupt=6, set=7,
    )  # fmt: skip
    c = Register(
        0x0C, 8, "register C", update_ended=4, alarm=5, periodic=6, interrupt=7
    )  # fmt: skip
    d = Register(0x0D, 8, "register D", valid=7)


class Rtc:
    """The clock. `century` is the index of the century in its memory, as the FADT gives it.

    `now` is the monotonic time in ns, for deadlines. Raises DeviceError if there is no clock.
    """

    def __init__(
        self, hardware: Hardware, century: int = 0, now: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.window: Window = CmosWindow(hardware)
        self.registers = RtcRegisters(self.window)
        self._century = century if 0x0E <= century < 128 else 0
        self._now = now
        if self.registers.a == 0xFF and self.registers.b == 0xFF:
            raise DeviceError("RTC: there is no clock at port 0x70")

    def __repr__(self) -> str:
        return f"<real-time clock, {self.read():%Y-%m-%d %H:%M:%S} UTC>"

    @property
    def battery_good(self) -> bool:
        """Whether it says that it has been under power since it was set."""
        return bool(self.registers.d.valid)

    def read(self) -> datetime:
        """The time, in UTC.

        Raises DeviceError for what is no time, DeviceTimeout if its updates do not end, or it
        changes faster than it can be read.
        """
        before = None
        for _ in range(TRIES):
            self._between_updates()
            raw = self._raw()
            # The same twice: no update came in between.
            if raw == before:
                return self._decode(raw)
            before = raw
        raise DeviceTimeout("RTC", "a time that stands still", before)

    def _between_updates(self) -> None:
        """Waits for the end of an update; it has no interrupt for that which is not its tick."""
        deadline = self._now() + UPDATE_NS
        while self.registers.a.update_in_progress:
            if self._now() > deadline:
                raise DeviceTimeout("RTC", "the end of an update", self.registers.a)

    def _raw(self) -> tuple[int, ...]:
        it = self.registers
        century = self.window.read8(self._century) if self._century else 0
        return (
            *(int(it.seconds), int(it.minutes), int(it.hours), int(it.day), int(it.month)),
            *(int(it.year), century, int(it.b)),
        )

    def _decode(self, raw: tuple[int, ...]) -> datetime:
        *numbers, mode = raw
        binary, hours_24 = mode & RtcRegisters.b.mask("binary"), mode & 2
        afternoon = not hours_24 and numbers[2] & 0x80
        if not hours_24:
            numbers[2] &= 0x7F
        if not binary:
            for number in numbers:
                if number & 15 > 9 or number >> 4 > 9:
                    raise DeviceError(f"RTC: {number:#04x} is no number in BCD")
            numbers = [(number >> 4) * 10 + (number & 15) for number in numbers]
        second, minute, hour, day, month, year, century = numbers
        if not hours_24:
            if not 1 <= hour <= 12:
                raise DeviceError(f"RTC: hour {hour} of 12")
            hour = hour % 12 + (12 if afternoon else 0)
        if year > 99:
            raise DeviceError(f"RTC: year {year} of a century")
        if century:
            year += century * 100
        else:
            year += _FIRST_YEAR // 100 * 100
            year += 100 if year < _FIRST_YEAR else 0
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError as error:
            raise DeviceError(
                f"RTC: {year}-{month}-{day} {hour}:{minute}:{second} is no time ({error})"
            ) from error

    def set(self, when: datetime) -> None:
        """Sets it, in the form in which it keeps its time.

        A time without a zone is UTC. Raises ValueError for a time that it cannot keep, DeviceError
        if it has not taken it.
        """
        if when.tzinfo is not None:
            when = when.astimezone(UTC)
        if not self._century and not _FIRST_YEAR <= when.year < _FIRST_YEAR + 100:
            raise ValueError(f"without a register for the century the year cannot be {when.year}")
        it = self.registers
        mode = it.b

        def put(number: int) -> int:
            return number if mode.binary else number // 10 << 4 | number % 10

        hour = put(when.hour)
        if not mode.hours_24:
            hour = put((when.hour + 11) % 12 + 1) | (0x80 if when.hour >= 12 else 0)
        # Updates stand still from here on, whatever happens in between.
        it.b = mode.replace(set=1)
        try:
            it.seconds = put(when.second)
            it.minutes = put(when.minute)
            it.hours = hour
            # Sunday is 1, and isoweekday() has 7 for it.
            it.weekday = put(when.isoweekday() % 7 + 1)
            it.day = put(when.day)
            it.month = put(when.month)
            it.year = put(when.year % 100)
            if self._century:
                self.window.write8(self._century, put(when.year // 100))
        finally:
            it.b = mode.replace(set=0)
        got = self.read()
        wanted = when.replace(microsecond=0, tzinfo=UTC)
        if not timedelta(0) <= got - wanted <= timedelta(seconds=2):
            raise DeviceError(f"RTC: it was set to {wanted}, and has {got}")

    def next_second(self, most_ns: int = 1_500_000_000) -> int:
        """Waits for its next tick: the monotonic time of it, in ns. Raises DeviceTimeout.

        It polls: the update interrupt comes up to 2 ms after the tick, and is another driver's.
        """
        deadline = self._now() + most_ns
        first = None
        while True:
            if not self.registers.a.update_in_progress:
                second = int(self.registers.seconds)
                if first is None:
                    first = second
                elif second != first:
                    return self._now()
            if self._now() > deadline:
                raise DeviceTimeout("RTC", "the next second", first)
