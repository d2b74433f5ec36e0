"""Where a boot's time went, from what a machine said and when."""

import pytest

from bench.machine import Stamp
from bench.phases import PhaseError, Phases, Record, median, split
from ovum.link import FromGuest


def log(wall: float, text: str) -> Record:
    return Record(Stamp(wall, wall), FromGuest.LOG, text.encode())


def output(wall: float, text: str) -> Record:
    return Record(Stamp(wall, wall), FromGuest.STDOUT, text.encode())


BOOT = [
    log(0.050, "[    0.010000] clock: tsc 2445400 kHz"),
    log(0.051, "a line without a stamp"),
    log(0.071, "[    0.030000] starting /init"),
    output(0.345, "FIRST 300000000\n"),
]


def test_the_phases_follow_one_another() -> None:
    found = split(BOOT, gone=0.400)
    assert found.firmware == pytest.approx(0.040)
    assert found.kernel == pytest.approx(0.030)
    assert found.python == pytest.approx(0.270)
    assert found.program == pytest.approx(0.005)
    assert found.power_off == pytest.approx(0.055)
    assert found.ready == pytest.approx(0.345)


@pytest.mark.parametrize("missing", [0, 2, 3])
def test_without_one_of_the_marks_nothing_is_guessed(missing: int) -> None:
    records = [record for at, record in enumerate(BOOT) if at != missing]
    if missing == 0:
        records = records[2:]
    with pytest.raises(PhaseError):
        split(records, gone=1.0)


def test_the_median_is_taken_of_each_phase() -> None:
    runs = [Phases(1, 20, 3, 0, 5), Phases(2, 10, 3, 0, 5), Phases(3, 30, 3, 0, 5)]
    assert median(runs) == Phases(2, 20, 3, 0, 5)
