"""Mode setting on the Bochs adapter, and VGA's text mode, against models."""

from __future__ import annotations

from typing import cast

import pytest

from ovum.drivers.display import edid, vgatext
from ovum.drivers.display.bochs import BochsDisplay, attach
from ovum.drivers.display.vgatext import VgaText
from ovum.drivers.errors import DeviceError
from ovum.drivers.manager import DeviceManager
from ovum.drivers.pci.function import PciFunction
from ovum.services.tasks.testing import run

from .bochs_model import BochsModel, edid_block
from .machine import Machine, Memory, ModelWindow


def display(machine: Machine, model: BochsModel) -> BochsDisplay:
    return BochsDisplay(PciFunction(machine, ModelWindow(model.configuration), 0, 0, 2, 0))


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("bits", [15, 16, 24, 32])
def test_a_mode_is_set_and_drawn_in(modern: bool, bits: int) -> None:
    machine = Machine()
    model = BochsModel(machine, modern=modern)
    fb = display(machine, model).set_mode(640, 480, bits)
    assert model.registers[1:5] == [640, 480, bits, 0x41]
    assert (fb.width, fb.height, fb.format.bits) == (640, 480, bits)
    assert fb.pitch == 640 * ((bits + 7) // 8)
    fb.fill(0, 0, 640, 480, 0xFFFFFF)
    fb.commit()
    white = {15: b"\xff\x7f", 16: b"\xff\xff", 24: b"\xff\xff\xff", 32: b"\xff\xff\xff\0"}[bits]
    size = fb.pitch * 480
    assert model.video.data[:size] == white * (640 * 480)
    assert model.video.data[size] == 0x77


def test_the_registers_are_written_while_it_is_off() -> None:
    machine = Machine()
    model = BochsModel(machine)
    screen = display(machine, model)
    screen.set_mode(800, 600)
    screen.set_mode(1024, 768)
    assert model.registers[1:3] == [1024, 768]
    numbers = [number for number, _ in model.log]
    assert numbers[:6] == [4, 1, 2, 3, 5, 4]
    assert not model.blank


def test_a_mode_that_the_device_does_not_take_is_an_error() -> None:
    machine = Machine()
    model = BochsModel(machine)
    model.refuses = True
    with pytest.raises(DeviceError, match=r"in mode \(0, 0, 0\)"):
        display(machine, model).set_mode(800, 600)


@pytest.mark.parametrize("mode", [(801, 600, 32), (800, 600, 8), (0, 600, 32), (2560, 1600, 32)])
def test_a_mode_that_cannot_be_is_refused(mode: tuple[int, int, int]) -> None:
    machine = Machine()
    model = BochsModel(machine, memory=8 << 20)
    with pytest.raises(ValueError, match="has no mode"):
        display(machine, model).set_mode(*mode)
    assert model.log == []


def test_modes_are_those_that_there_is_memory_for() -> None:
    machine = Machine()
    modes = display(machine, BochsModel(machine, memory=4 << 20)).modes()
    assert (1024, 768) in modes
    assert all(width * height * 4 <= 4 << 20 for width, height in modes)


def test_memory_that_it_claims_beyond_its_bar_is_not_believed() -> None:
    machine = Machine()
    model = BochsModel(machine, memory=4 << 20)
    model.registers[10] = 0xFFFF
    assert display(machine, model).memory_size == 4 << 20


def test_the_monitors_preferred_mode_is_used_if_it_can_be() -> None:
    machine = Machine()
    screen = display(machine, BochsModel(machine, edid=edid_block(1280, 800, "QEMU Monitor")))
    assert screen.preferred == (1280, 800)
    assert screen.monitor == "QEMU Monitor"
    machine = Machine()
    screen = display(machine, BochsModel(machine, edid=edid_block(3840, 2160), memory=4 << 20))
    assert screen.preferred == (1024, 768)


@pytest.mark.parametrize("place", [0, 60, 127])
def test_a_spoilt_edid_is_none(place: int) -> None:
    block = bytearray(edid_block(1280, 800))
    block[place] ^= 1
    assert edid.preferred_mode(bytes(block)) is None
    assert edid.name(bytes(block)) == ""
    machine = Machine()
    screen = display(machine, BochsModel(machine, edid=bytes(block)))
    assert (screen.preferred, screen.monitor) == ((1024, 768), "")


def test_something_else_under_its_numbers_is_an_error() -> None:
    machine = Machine()
    model = BochsModel(machine)
    model.registers[0] = 0xFFFF
    with pytest.raises(DeviceError, match="it is none"):
        display(machine, model)


def test_a_device_without_video_memory_is_an_error() -> None:
    machine = Machine()
    model = BochsModel(machine)
    model.configuration._sizes[0x10] = 0
    model.configuration.put(0x10, 0)
    with pytest.raises(DeviceError, match="no video memory"):
        display(machine, model)


def test_attaching_leaves_the_picture_and_stopping_gives_it_back() -> None:
    machine = Machine()
    model = BochsModel(machine)
    published: list[tuple[str, object]] = []

    class Manager:
        def publish(self, kind: str, thing: object) -> None:
            published.append((kind, thing))

    async def main() -> None:
        function = PciFunction(machine, ModelWindow(model.configuration), 0, 0, 2, 0)
        driver = await attach(function, cast(DeviceManager, Manager()))
        assert published == [("display", driver)]
        assert model.log == []
        assert function.header.command.memory_space
        driver.set_mode(640, 480)
        assert model.enabled
        await driver.stop()
        assert not model.enabled

    run(main)


# VGA text


class VgaModel:
    """The CRT controller and graphics controller, index and data."""

    size = 2

    def __init__(self, registers: dict[int, int], keeps: bool = True) -> None:
        self.registers = registers
        self._keeps = keeps
        self._index = 0

    def read(self, offset: int, width: int) -> int:
        return self.registers.get(self._index, 0) if offset else self._index

    def write(self, offset: int, width: int, value: int) -> None:
        if not offset:
            self._index = value
        elif self._keeps:
            self.registers[self._index] = value


def vga(machine: Machine, miscellaneous: int = 0x0E) -> tuple[VgaModel, Memory]:
    crtc = VgaModel({0x0A: 0x0D, 0x0F: 9})
    memory = Memory(bytearray(4000))
    machine.add_ports(0x3D4, crtc)
    machine.add_ports(0x3CE, VgaModel({6: miscellaneous}))
    machine.add_memory(0xB8000, memory)
    return crtc, memory


def test_cells_and_the_cursor_are_where_they_belong() -> None:
    machine = Machine()
    crtc, memory = vga(machine)
    text = VgaText(machine)
    assert crtc.registers[0x0F] == 9
    text.put(24, 78, [0x0741, 0x1F42])
    assert memory.data[-4:] == b"A\x07B\x1f"
    text.cursor(24, 79, True)
    assert (crtc.registers[0x0E], crtc.registers[0x0F]) == (1999 >> 8, 1999 & 255)
    assert crtc.registers[0x0A] == 0x0D
    text.cursor(0, 0, False)
    assert crtc.registers[0x0A] == 0x2D
    for row, column in ((25, 0), (0, 79), (-1, 0), (0, -1)):
        with pytest.raises(ValueError, match="not on the screen"):
            text.put(row, column, [0, 0])


def test_no_vga_is_an_error() -> None:
    with pytest.raises(DeviceError, match="no VGA"):
        VgaText(Machine())


@pytest.mark.parametrize("miscellaneous", [0x05, 0x0F, 0x0A])
def test_vga_in_graphics_is_an_error(miscellaneous: int) -> None:
    machine = Machine()
    vga(machine, miscellaneous)
    with pytest.raises(DeviceError, match="not in its text mode"):
        VgaText(machine)


def test_the_code_page_is_pythons_cp437() -> None:
    for code in [*range(0x20, 0x7F), *range(0x80, 0x100)]:
        assert vgatext.encode(bytes([code]).decode("cp437")) == code
    assert vgatext.encode("漢") == 0xFE


def test_colours_have_their_bits_the_other_way_round() -> None:
    assert vgatext.attribute(1, 4) == 0x14
    assert vgatext.attribute(15, 8) == 0x0F
