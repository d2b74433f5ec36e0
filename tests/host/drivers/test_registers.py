"""Registers as data."""

import copy

import pytest

from ovum.drivers.registers import BytesWindow, Register, Registers


class Sample(Registers):
    status = Register(0x00, 8, "2.1", busy=0, code=(6, 4))
    control = Register(0x04, 32, "2.2", enable=31, speed=(15, 8))


def test_fields_are_read_by_name() -> None:
    sample = Sample(BytesWindow(bytes([0x51, 0, 0, 0, 0, 0x12, 0, 0x80])))
    assert sample.status == 0x51
    assert (sample.status.busy, sample.status.code) == (1, 5)
    assert sample.control.speed == 0x12
    assert repr(sample.status) == "<status 0x51: busy code=0x5>"
    assert sample.control.fields() == {"enable": 1, "speed": 0x12}


def test_a_write_is_one_access_of_the_registers_width() -> None:
    data = bytearray(8)
    sample = Sample(BytesWindow(data))
    sample.control = Sample.control.value(enable=1, speed=3)
    assert data.hex() == "0000000000030080"
    sample.control = sample.control.replace(speed=0xFF)
    assert data.hex() == "0000000000ff0080"
    assert Sample.control.mask("enable", "speed") == 0x8000FF00


def test_a_value_is_copied_with_its_fields() -> None:
    value = copy.deepcopy(Sample.control.value(enable=1))
    assert (value.enable, repr(value)) == (1, "<control 0x80000000: enable>")
    assert {"enable", "speed", "bit_length"} <= set(dir(value))
    assert not hasattr(value, "busy")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"status\.code is at most 0x7"):
        Sample.status.value(code=8)
    with pytest.raises(AttributeError, match="status has no field 'speed'"):
        Sample.status.value(speed=1)
    with pytest.raises(ValueError, match="not within 8 bits"):
        Register(0, 8, field=(8, 0))
    with pytest.raises(ValueError, match="not 12"):
        Register(0, 12)


def test_registers_are_listed_by_offset() -> None:
    assert list(Sample.registers()) == ["status", "control"]
    dump = Sample(BytesWindow(bytes(8))).dump()
    assert dump.splitlines() == ["0x0000 <status 0x0>", "0x0004 <control 0x0>"]
    assert repr(Sample.control) == "<register control at 0x4, 32 bits, 2.2>"
