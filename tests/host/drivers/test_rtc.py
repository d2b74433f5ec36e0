"""The real-time clock against a model that ticks while it is read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.rtc import Rtc

from .machine import Machine

CENTURY = 0x32


class Cmos:
    """The chip: each access takes a while, and an update the last 2 ms of a second."""

    size = 2
    UPDATE_US = 2000
    WARNING_US = 244
    """Of it: so long the registers are still good after the flag is up."""

    def __init__(
        self, when: datetime, *, binary: bool = False, hours_24: bool = True, century: bool = True
    ) -> None:
        self.start = when
        self.began_ns = 0
        self.time_ns = 0
        self.access_ns = 1000
        self.b = (4 if binary else 0) | (2 if hours_24 else 0)
        self.century = century
        self.index = 0
        self.memory = bytearray(128)
        self.stuck_updating = False
        self.raw: dict[int, int] = {}
        """Registers with values of a test's own."""
        self.frozen: datetime | None = None
        self.refuses = False
        self.was_torn = False

    def now(self) -> int:
        self.time_ns += self.access_ns
        return self.time_ns

    @property
    def when(self) -> datetime:
        if self.frozen is not None:
            return self.frozen
        return self.start + timedelta(microseconds=(self.time_ns - self.began_ns) // 1000)

    def encode(self, number: int) -> int:
        return number if self.b & 4 else number // 10 << 4 | number % 10

    def decode(self, number: int) -> int:
        return number if self.b & 4 else (number >> 4) * 10 + (number & 15)

    def updating(self, warning_us: int = 0) -> bool:
        begin = 1_000_000 - self.UPDATE_US + warning_us
        return self.stuck_updating or (self.frozen is None and self.when.microsecond >= begin)

    def read(self, offset: int, width: int) -> int:
        assert (offset, width) == (1, 1)
        self.time_ns += self.access_ns
        index, when = self.index, self.when
        if index in self.raw:
            return self.raw[index]
        if index == 4:
            hour = when.hour if self.b & 2 else (when.hour + 11) % 12 + 1
            return self.encode(hour) | (0 if self.b & 2 or when.hour < 12 else 0x80)
        fields = {0: when.second, 2: when.minute, 6: when.isoweekday() % 7 + 1, 7: when.day}
        fields |= {8: when.month, 9: when.year % 100}
        if self.century:
            fields[CENTURY] = when.year // 100
        if index in fields:
            if self.updating(self.WARNING_US) and index < 10:
                self.was_torn = True
                return 0xEE
            return self.encode(fields[index])
        others = {0x0A: 0x26 | (0x80 if self.updating() else 0), 0x0B: self.b, 0x0D: 0x80}
        return others.get(index, self.memory[index])

    def write(self, offset: int, width: int, value: int) -> None:
        assert width == 1
        if offset == 0:
            self.index = value
            return
        if self.index == 0x0B:
            if value & 0x80 and not self.b & 0x80:
                self.frozen = self.when
            elif self.b & 0x80 and not value & 0x80:
                self.take()
            self.b = value
        else:
            assert self.b & 0x80, "a register of the time is written while it runs"
            self.memory[self.index] = value

    def take(self) -> None:
        frozen, self.frozen = self.frozen, None
        assert frozen is not None
        hour = self.memory[4]
        if self.b & 2:
            hours = self.decode(hour)
        else:
            hours = self.decode(hour & 0x7F) % 12 + (12 if hour & 0x80 else 0)
        year = self.decode(self.memory[9])
        year += 100 * (self.decode(self.memory[CENTURY]) if self.century else frozen.year // 100)
        if not self.refuses:
            minute, second = self.decode(self.memory[2]), self.decode(self.memory[0])
            month, day = self.decode(self.memory[8]), self.decode(self.memory[7])
            self.start = datetime(year, month, day, hours, minute, second)
            self.began_ns = self.time_ns


def clock(model: Cmos) -> Rtc:
    machine = Machine(1 << 20)
    machine.add_ports(0x70, model)
    return Rtc(machine, CENTURY if model.century else 0, now=model.now)


FORMS = [(binary, hours_24) for binary in (False, True) for hours_24 in (False, True)]


@pytest.mark.parametrize(("binary", "hours_24"), FORMS)
@pytest.mark.parametrize("hour", [0, 1, 11, 12, 13, 23])
def test_every_form_of_every_hour(binary: bool, hours_24: bool, hour: int) -> None:
    when = datetime(2031, 12, 9, hour, 58, 49)
    model = Cmos(when, binary=binary, hours_24=hours_24)
    assert clock(model).read() == when.replace(tzinfo=UTC)
    assert not model.was_torn


@pytest.mark.parametrize("microsecond", range(997_900, 1_000_000, 20))
def test_a_reading_never_mixes_two_seconds(microsecond: int) -> None:
    when = datetime(2027, 12, 31, 23, 59, 59, microsecond)
    model = Cmos(when)
    got = clock(model).read()
    assert got in (datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    assert abs(got - model.when.replace(tzinfo=UTC)) < timedelta(seconds=1.1)


@pytest.mark.parametrize(("binary", "hours_24"), FORMS)
@pytest.mark.parametrize("hour", [0, 11, 12, 23])
def test_it_keeps_what_it_is_set_to(binary: bool, hours_24: bool, hour: int) -> None:
    model = Cmos(datetime(2001, 1, 1), binary=binary, hours_24=hours_24)
    rtc = clock(model)
    rtc.set(datetime(2104, 2, 29, hour, 59, 58, 999))
    assert rtc.read() == datetime(2104, 2, 29, hour, 59, 58, tzinfo=UTC)
    # 2104-02-29 is a Friday, and Sunday is day 1.
    assert model.decode(model.memory[6]) == 6
    assert model.b == (4 if binary else 0) | (2 if hours_24 else 0)


def test_a_time_with_a_zone_is_set_as_utc() -> None:
    rtc = clock(Cmos(datetime(2001, 1, 1)))
    rtc.set(datetime(2026, 6, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))))
    assert rtc.read() == datetime(2026, 5, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(("year", "full"), [(70, 1970), (99, 1999), (0, 2000), (69, 2069)])
def test_without_a_century_the_year_is_the_nearest_after_1970(year: int, full: int) -> None:
    model = Cmos(datetime(full, 5, 5), century=False)
    assert clock(model).read().year == full
    assert model.decode(model.encode(full % 100)) == year
    with pytest.raises(ValueError, match="2070"):
        clock(model).set(datetime(2070, 1, 1))


def test_a_clock_that_does_not_take_its_time() -> None:
    model = Cmos(datetime(2001, 1, 1))
    rtc = clock(model)
    model.refuses = True
    with pytest.raises(DeviceError, match="it was set to 2020"):
        rtc.set(datetime(2020, 1, 1))
    assert not model.b & 0x80


@pytest.mark.parametrize(
    ("register", "value", "words"),
    [(0, 0x6A, "0x6a is no number"), (0, 0x60, "no time"), (8, 0x13, "no time"), (7, 0, "no time"),
     (4, 0x24, "no time"), (9, 0xA0, "0xa0 is no number")],
)  # fmt: skip
def test_what_is_no_time(register: int, value: int, words: str) -> None:
    model = Cmos(datetime(2026, 2, 3))
    model.raw[register] = value
    with pytest.raises(DeviceError, match=words):
        clock(model).read()


@pytest.mark.parametrize("value", [0, 0x13, 0x80])
def test_hours_of_twelve_that_are_none(value: int) -> None:
    model = Cmos(datetime(2026, 2, 3), hours_24=False)
    model.raw[4] = value
    with pytest.raises(DeviceError, match="hour"):
        clock(model).read()


def test_an_update_that_does_not_end() -> None:
    model = Cmos(datetime(2026, 2, 3))
    rtc = clock(model)
    model.stuck_updating = True
    model.access_ns = 100_000
    with pytest.raises(DeviceTimeout, match="the end of an update"):
        rtc.read()
    with pytest.raises(DeviceTimeout, match="the next second"):
        rtc.next_second()


def test_a_time_that_never_stands_still() -> None:
    model = Cmos(datetime(2026, 2, 3))
    rtc = clock(model)

    class Racing(dict[int, int]):
        count = 0

        def __contains__(self, key: object) -> bool:
            return key == 0

        def __getitem__(self, key: int) -> int:
            self.count += 1
            return self.count % 10

    model.raw = Racing()
    with pytest.raises(DeviceTimeout, match="stands still"):
        rtc.read()


def test_where_no_clock_is() -> None:
    with pytest.raises(DeviceError, match="there is no clock"):
        Rtc(Machine(1 << 20))


def test_the_next_second_is_when_it_ticks() -> None:
    model = Cmos(datetime(2026, 2, 3, 4, 5, 6, 250_000))
    model.access_ns = 20_000
    assert abs(clock(model).next_second() - 750_000_000) < 100_000
