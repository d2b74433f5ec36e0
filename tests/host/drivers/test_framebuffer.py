"""Frame buffers: formats, damage, what the boot loader says."""

from __future__ import annotations

import random

import pytest

from ovum.drivers.display.boot import boot_framebuffer
from ovum.drivers.display.framebuffer import (
    FORMATS,
    RGB555,
    RGB565,
    RGB888,
    XRGB8888,
    Framebuffer,
    PixelFormat,
)
from ovum.drivers.errors import DeviceError

from .machine import Machine, Memory

BGRX = PixelFormat(32, (8, 8), (16, 8), (24, 8))


def make(
    width: int, height: int, pixels: PixelFormat = XRGB8888, pitch: int = 0
) -> tuple[Framebuffer, bytearray]:
    pitch = pitch or width * pixels.bytes
    memory = bytearray(b"\xee" * (pitch * height))
    return Framebuffer(memoryview(memory), width, height, pitch, pixels), memory


def test_nothing_is_shown_before_it_is_committed() -> None:
    fb, memory = make(4, 2)
    fb.fill(0, 0, 4, 2, 0x123456)
    assert memory == b"\xee" * 32
    assert fb.commit() == 32
    assert memory == bytes.fromhex("56341200") * 8
    assert fb.commit() == 0


def test_only_damaged_pixels_are_copied_and_gaps_between_lines_are_left() -> None:
    fb, memory = make(4, 3, pitch=20)
    fb.view[:] = bytes(range(48))
    assert fb.commit([(1, 1, 2, 2)]) == 16
    expected = bytearray(b"\xee" * 60)
    for line in (1, 2):
        expected[20 * line + 4 : 20 * line + 12] = fb.view[16 * line + 4 : 16 * line + 12]
    assert memory == expected


@pytest.mark.parametrize(
    "rectangle",
    [(-5, -5, 100, 100), (0, 0, 0, 5), (3, 1, -1, 1), (4, 0, 1, 1), (0, 3, 1, 1), (-9, 0, 9, 9),
     (1 << 40, 0, 1 << 40, 1), (2, 1, 1 << 40, 1 << 40)],
)  # fmt: skip
def test_what_is_outside_is_left_out(rectangle: tuple[int, int, int, int]) -> None:
    fb, memory = make(4, 3)
    fb.view[:] = bytes(48)
    x, y, width, height = rectangle
    copied = fb.commit([rectangle])
    inside = sum(
        x <= column < x + width and y <= line < y + height
        for column in range(4)
        for line in range(3)
    )
    assert copied == 4 * inside
    assert memory.count(0) == copied


def test_overlapping_damage_is_copied_once() -> None:
    fb, _ = make(100, 100)
    fb.damage(0, 0, 100, 60)
    fb.damage(0, 40, 100, 60)
    fb.damage(10, 10, 5, 5)
    assert fb.commit() == 4 * 100 * 100


@pytest.mark.parametrize("seed", range(5))
def test_any_damage_shows_what_was_drawn(seed: int) -> None:
    source = random.Random(seed)
    fb, memory = make(23, 17, pitch=4 * 23 + source.randrange(2) * 12)
    fb.view[:] = bytes(len(fb.view))
    fb.commit([(0, 0, 23, 17)])
    for _ in range(200):
        for _ in range(source.randrange(4)):
            x, y, width, height = (source.randrange(-3, 25) for _ in range(4))
            fb.fill(x, y, width, height, source.randrange(1 << 24))
        if source.randrange(5) == 0:
            fb.move_up(0, 17, source.randrange(1, 17))
        fb.commit()
        for line in range(17):
            at = fb.pitch * line
            assert memory[at : at + 92] == fb.view[92 * line : 92 * line + 92]


@pytest.mark.parametrize("lines", [1, 3, 5, 9, 10])
def test_moving_up_moves_every_line(lines: int) -> None:
    fb, _ = make(1, 12)
    for line in range(12):
        fb.fill(0, line, 1, 1, line)
    fb.move_up(1, 11, lines)
    got = [fb.view[4 * line] for line in range(12)]
    moved = list(range(1 + lines, 11))
    assert got == [0, *moved, *range(1, 12)[len(moved) :]]


@pytest.mark.parametrize("pixels", [*FORMATS.values(), BGRX])
def test_colours_arrive_in_every_format(pixels: PixelFormat) -> None:
    fb, memory = make(3, 1, pixels)
    colours = (0xFF8040, 0x0000FF, 0xA5F00F)
    for x, colour in enumerate(colours):
        fb.fill(x, 0, 1, 1, colour)
    fb.commit()
    for x, colour in enumerate(colours):
        got = int.from_bytes(memory[x * pixels.bytes : (x + 1) * pixels.bytes], "little")
        for shift, (position, size) in ((16, pixels.red), (8, pixels.green), (0, pixels.blue)):
            assert got >> position & (1 << size) - 1 == (colour >> shift & 0xFF) >> 8 - size


def test_known_pixels() -> None:
    pixel = bytes([0x40, 0x80, 0xFF, 0x99])
    assert RGB565.convert(pixel) == (0xFC08).to_bytes(2, "little")
    assert RGB555.convert(pixel) == (0x7E08).to_bytes(2, "little")
    assert RGB888.convert(pixel) == pixel[:3]
    assert BGRX.convert(pixel) == bytes([0, 0xFF, 0x80, 0x40])


@pytest.mark.parametrize(
    ("width", "height", "pitch", "size"),
    [(0, 1, 4, 64), (1, 0, 4, 64), (4, 4, 15, 64), (4, 4, 16, 63), (4, 4, 24, 87)],
)
def test_what_is_no_picture_is_refused(width: int, height: int, pitch: int, size: int) -> None:
    with pytest.raises(ValueError, match="pixels"):
        Framebuffer(memoryview(bytearray(size)), width, height, pitch)


# The boot loader's

ADDRESS = 0xFD00_0000


def boot(text: str | None, size: int = 4096) -> Framebuffer | None:
    machine = Machine()
    machine.add_memory(ADDRESS, Memory(bytearray(size)))
    return boot_framebuffer(machine, text)


@pytest.mark.parametrize(
    ("words", "pixels"),
    [("32 1", XRGB8888), ("24 1", RGB888), ("16 1", RGB565), ("32 1 0 0 0 0 0 0", XRGB8888)],
)
def test_a_usual_frame_buffer_needs_no_masks(words: str, pixels: PixelFormat) -> None:
    fb = boot(f"fd000000 16 8 {16 * pixels.bytes} {words}")
    assert fb is not None
    assert (fb.width, fb.height, fb.format) == (16, 8, pixels)


def test_masks_are_what_the_boot_loader_says() -> None:
    fb = boot("fd000000 16 8 64 32 1 0 8 8 8 16 8")
    assert fb is not None
    assert (fb.format.red, fb.format.blue) == ((0, 8), (16, 8))


@pytest.mark.parametrize("text", [None, "", "b8000 80 25 160 16 2", "fd000000 16 8 16 8 0"])
def test_text_and_palettes_are_no_frame_buffer(text: str | None) -> None:
    assert boot(text) is None


@pytest.mark.parametrize(
    "text",
    ["nonsense", "fd000000", "fd000000 16 8 64 32", "fd000000 99999 8 400000 32 1",
     "fd000000 16 8 63 32 1", "fd000000 16 0 64 32 1", "fd000000 16 8 64 8 1",
     "fd000000 16 8 64 30 1", "fd000000 16 8 64 32 1 30 8 8 8 0 8",
     "fd000000 16 8 64 32 1 16 9 8 8 0 8", "fd000000 16 -8 64 32 1"],
)  # fmt: skip
def test_what_makes_no_sense_is_an_error(text: str) -> None:
    with pytest.raises(DeviceError, match="frame buffer"):
        boot(text)
