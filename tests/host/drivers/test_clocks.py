"""Counters, and the cross-check of the kernel's time against them, over a model of time."""

import struct
from datetime import datetime

import pytest

from ovum.drivers.clocks import PmTimer, counters, cross_check, cross_check_rtc
from ovum.drivers.errors import DeviceError
from ovum.drivers.hpet import Hpet
from ovum.drivers.kvmclock import MSR_SYSTEM_TIME, KvmClock, available
from ovum.drivers.pit import Pit
from ovum.drivers.rtc import Rtc

from .machine import Machine
from .recording import Recorded
from .test_acpi import tables
from .test_rtc import Cmos


class Time:
    """True time, and the kernel's, which is fast by so many millionths. A look takes 0.3 µs."""

    def __init__(self, ppm: float = 0.0) -> None:
        self.true_ns = 12_345.0
        self.ppm = ppm
        self.slept: list[float] = []
        self.stolen_ns = 0.0
        """What the host takes away at the next sleep."""

    def now(self) -> int:
        self.true_ns += 300
        return int(self.true_ns * (1 + self.ppm / 1e6))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.true_ns += seconds * 1e9 + self.stolen_ns
        self.stolen_ns = 0.0


class HpetModel:
    size = 1024

    def __init__(self, time: Time, period_fs: int = 10_000_000, *, wide: bool = True) -> None:
        self.time = time
        self.period_fs = period_fs
        self.wide = wide
        self.enabled = False
        self.stands_still = False
        self.offset = 0xFFFF_0000

    def read(self, offset: int, width: int) -> int:
        assert width == 4
        self.time.true_ns += 500
        ticks = int(self.time.true_ns * 1e6 / max(1, self.period_fs)) + self.offset
        if not self.enabled or self.stands_still:
            ticks = self.offset
        counter = ticks & 0xFFFF_FFFF_FFFF_FFFF
        values = {0: 0x8086_0201 | self.wide << 13, 4: self.period_fs, 0x10: int(self.enabled)}
        values |= {0xF0: counter & 0xFFFFFFFF, 0xF4: counter >> 32 if self.wide else 0}
        return values[offset]

    def write(self, offset: int, width: int, value: int) -> None:
        assert (offset, width) == (0x10, 4)
        self.enabled = bool(value & 1)


class PitModel:
    """Channel 2 and its gate at port 0x61."""

    size = 4

    def __init__(self, time: Time) -> None:
        self.time = time
        self.reload = 0
        self.latched: list[int] = []
        self.written: list[int] = []
        self.gate = GateModel()

    def counter(self) -> int:
        ticks = int(self.time.true_ns * 1193182 / 1e9)
        return -ticks & 0xFFFF if self.gate.value & 1 else 0x1234

    def read(self, offset: int, width: int) -> int:
        assert (offset, width) == (2, 1)
        self.time.true_ns += 1000
        return self.latched.pop(0)

    def write(self, offset: int, width: int, value: int) -> None:
        self.time.true_ns += 1000
        if offset == 3 and value == 0x80:
            self.latched = list(self.counter().to_bytes(2, "little"))
        elif offset == 3:
            assert value == 0xB4, "channel 2, both bytes, mode 2"
        else:
            assert offset == 2
            self.written.append(value)


class GateModel:
    size = 1

    def __init__(self) -> None:
        self.value = 0

    def read(self, offset: int, width: int) -> int:
        return self.value

    def write(self, offset: int, width: int, value: int) -> None:
        assert not value & 2, "the loudspeaker is on"
        self.value = value


class PmModel:
    size = 4

    def __init__(self, time: Time) -> None:
        self.time = time

    def read(self, offset: int, width: int) -> int:
        assert width == 4
        self.time.true_ns += 800
        # What is above 24 bits is anybody's.
        return 0xAB00_0000 | int(self.time.true_ns * 3579545 / 1e9) & 0xFFFFFF

    def write(self, offset: int, width: int, value: int) -> None:
        raise AssertionError("the timer is read only")


def machine(time: Time) -> tuple[Recorded, HpetModel, PitModel]:
    made = Recorded("q35")
    hpet, pit = HpetModel(time), PitModel(time)
    made.add_memory(0xFED00000, hpet)
    made.add_ports(0x40, pit)
    made.add_ports(0x61, pit.gate)
    made.add_ports(0x608, PmModel(time))
    return made, hpet, pit


@pytest.mark.parametrize("ppm", [0.0, 37.0, -250.0, 5000.0])
def test_every_counter_tells_how_fast_the_kernels_time_is(ppm: float) -> None:
    time = Time(ppm)
    made, hpet, pit = machine(time)
    found = counters(made, tables(made))
    assert [counter.name for counter in found] == ["HPET", "ACPI timer", "PIT"]
    for counter in found:
        result = cross_check(counter, 0.25, time.now, time.sleep)
        assert abs(result.ppm - ppm) <= result.uncertainty_ppm + 0.1, result
        assert result.uncertainty_ppm < 40
        assert 0.248 <= result.seconds < 0.32
        assert f"against {counter.name}: " in repr(result)
    # As they were found.
    assert not hpet.enabled and not pit.gate.value & 1


def test_a_machine_with_none_of_them() -> None:
    assert counters(Machine(1 << 20), None) == []


def test_a_promised_hpet_that_is_not_there_is_left_out() -> None:
    made, hpet, _ = machine(Time())
    made.remove(hpet)
    assert [counter.name for counter in counters(made, tables(made))] == ["ACPI timer", "PIT"]


@pytest.mark.parametrize("period", [0, 100_000_001, 0xFFFFFFFF])
def test_a_period_that_cannot_be(period: int) -> None:
    made = Machine(1 << 20)
    made.add_memory(0xFED00000, HpetModel(Time(), period))
    with pytest.raises(DeviceError, match="HPET"):
        Hpet(made, 0xFED00000)


def test_a_wide_counter_is_read_whole_when_its_low_half_wraps() -> None:
    time = Time()
    made = Machine(1 << 20)
    model = HpetModel(time)
    made.add_memory(0xFED00000, model)
    hpet = Hpet(made, 0xFED00000)
    hpet.start()
    readings = [hpet.read() for _ in range(600)]
    assert readings == sorted(readings)
    assert readings[0] < 1 << 32 < readings[-1]
    assert readings[-1] - readings[0] < 1 << 20


def test_a_narrow_counter_wraps_without_harm() -> None:
    time = Time()
    made = Machine(1 << 20)
    made.add_memory(0xFED00000, HpetModel(time, wide=False))
    hpet = Hpet(made, 0xFED00000)
    assert hpet.bits == 32
    assert abs(cross_check(hpet, 0.1, time.now, time.sleep).ppm) < 30


def test_a_counter_that_stands_still() -> None:
    time = Time()
    made, hpet, _ = machine(time)
    hpet.stands_still = True
    with pytest.raises(DeviceError, match="HPET: it stands still"):
        cross_check(counters(made, tables(made))[0], 0.1, time.now, time.sleep)


def test_a_timer_that_does_not_count_is_none() -> None:
    made = Machine(1 << 20)
    model = PitModel(Time())
    model.counter = lambda: 7  # type: ignore[method-assign]
    made.add_ports(0x40, model)
    made.add_ports(0x61, model.gate)
    with pytest.raises(DeviceError, match="does not count"):
        Pit(made)
    assert model.gate.value == 0


def test_a_measurement_that_missed_a_wrap_is_made_again() -> None:
    time = Time()
    made, _, _ = machine(time)
    fadt = tables(made).fadt()
    assert fadt is not None
    timer = PmTimer(made, fadt)
    assert timer.bits == 24
    time.stolen_ns = 5e9
    assert abs(cross_check(timer, 1, time.now, time.sleep).ppm) < 5
    busy = Time()
    busy.sleep = lambda seconds: setattr(busy, "true_ns", busy.true_ns + 5e9)  # type: ignore[method-assign]
    made, _, _ = machine(busy)
    with pytest.raises(DeviceError, match="too busy"):
        cross_check(PmTimer(made, fadt), 1, busy.now, busy.sleep)


def test_the_real_time_clock_as_a_reference() -> None:
    model = Cmos(datetime(2026, 1, 1, 0, 0, 0, 300_000))
    model.access_ns = 20_000
    made = Machine(1 << 20)
    made.add_ports(0x70, model)
    rtc = Rtc(made, 0, now=lambda: int(model.now() * 1.001))
    result = cross_check_rtc(rtc, 2)
    assert abs(result.ppm - 1000) <= result.uncertainty_ppm


def kvm_leaves(leaf: int, subleaf: int) -> tuple[int, int, int, int]:
    if leaf == 0x40000000:
        return (0x40000001, *struct.unpack("<III", b"KVMKVMKVM\0\0\0"))
    return (1 << 3, 0, 0, 0)


class KvmModel:
    """The hypervisor's half: a page that changes under the reader."""

    def __init__(self, made: Machine) -> None:
        self.made = made
        self.page: memoryview | None = None

    def write_msr(self, msr: int, value: int) -> None:
        assert msr == MSR_SYSTEM_TIME
        self.page = None
        if value:
            assert value & 1 and not value & 2
            self.page = self.made.view(value & ~1, 4096)
            # 2.5 GHz: 0.4 ns a tick, as 0.8 * 2**-1.
            multiplier = int(0.8 * 2**32)
            struct.pack_into("<IIQQIbB", self.page, 0, 2, 0, 1000, 5_000_000, multiplier, -1, 1)


def test_kvms_clock() -> None:
    made = Machine(1 << 20)
    model = KvmModel(made)
    clock = KvmClock(made, model.write_msr)
    assert clock.hz == pytest.approx(2.5e9)
    assert clock.nanoseconds(1000) == 5_000_000
    assert clock.nanoseconds(1000 + 2_500_000_000) == pytest.approx(1_005_000_000, abs=2)
    clock.stop()
    assert model.page is None and not made.leaks()


def test_a_page_of_kvms_that_is_never_consistent() -> None:
    made = Machine(1 << 20)
    model = KvmModel(made)
    clock = KvmClock(made, model.write_msr)
    assert model.page is not None
    model.page[0] = 3
    with pytest.raises(DeviceError, match="kvmclock"):
        clock.nanoseconds(0)
    model.page[0] = 4
    model.page[24:28] = bytes(4)
    with pytest.raises(DeviceError, match="kvmclock"):
        _ = clock.hz
    clock.stop()


def test_kvm_is_told_from_its_leaves() -> None:
    assert available(kvm_leaves)
    assert not available(lambda leaf, subleaf: (0x40000001, 1, 2, 3))
    assert not available(lambda leaf, subleaf: (*((0,) * 4),))
