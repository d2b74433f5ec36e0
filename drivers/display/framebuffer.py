"""A frame buffer: pixels are drawn into a back buffer in memory, and what has changed is copied.

    pixels = np.frombuffer(fb.view, np.uint8).reshape(fb.height, fb.width, 4)
    pixels[10:20, 30:40] = (255, 0, 0, 0)          # blue, green, red, unused
    fb.commit([(30, 10, 10, 10)])

The back buffer always has 32 bits a pixel, in this order and without gaps, whatever the display
has. It is never read from the display: that would be a slow access to a device for each pixel.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Rectangle = tuple[int, int, int, int]
    """x, y, width, height in pixels."""

BYTES = 4
"""Of a pixel in the back buffer."""


class PixelFormat:
    """How the display has its pixels: `bits` of each, and (position, size) of each colour."""

    __slots__ = ("bits", "blue", "bytes", "green", "red")

    def __init__(
        self, bits: int, red: tuple[int, int], green: tuple[int, int], blue: tuple[int, int]
    ) -> None:
        if bits not in (15, 16, 24, 32):
            raise ValueError(f"{bits} bits per pixel are not supported")
        for position, size in (red, green, blue):
            if not 0 < size <= 8 or not 0 <= position <= bits - size:
                raise ValueError(f"no colour has {size} bits at {position} of {bits}")
        self.bits = bits
        self.bytes = (bits + 7) // 8
        self.red = red
        self.green = green
        self.blue = blue

    def __repr__(self) -> str:
        return f"<{self.bits} bits: red {self.red}, green {self.green}, blue {self.blue}>"

    @property
    def direct(self) -> bool:
        """Pixels are as in the back buffer."""
        return (self.bits, self.red, self.green, self.blue) == (32, (16, 8), (8, 8), (0, 8))

    def convert(self, pixels: bytes | memoryview) -> bytes:
        """The back buffer's pixels in this format.

        All at once, as one number with 32 bits for each: a loop over pixels would take a hundred
        times as long.
        """
        count = len(pixels) // BYTES
        ones = int.from_bytes(b"\1\0\0\0" * count, "little")
        whole = int.from_bytes(pixels, "little")
        result = 0
        for source, (position, size) in ((16, self.red), (8, self.green), (0, self.blue)):
            shift = source + 8 - size - position
            moved = whole >> shift if shift >= 0 else whole << -shift
            result |= moved & ones * ((1 << size) - 1 << position)
        data = result.to_bytes(BYTES * count, "little")
        if self.bytes == 2:
            return memoryview(data).cast("H")[::2].tobytes()
        if self.bytes == 3:
            packed = bytearray(3 * count)
            for byte in range(3):
                packed[byte::3] = data[byte::BYTES]
            return bytes(packed)
        return data


XRGB8888 = PixelFormat(32, (16, 8), (8, 8), (0, 8))
RGB888 = PixelFormat(24, (16, 8), (8, 8), (0, 8))
RGB565 = PixelFormat(16, (11, 5), (5, 6), (0, 5))
RGB555 = PixelFormat(15, (10, 5), (5, 5), (0, 5))
FORMATS = {form.bits: form for form in (XRGB8888, RGB888, RGB565, RGB555)}
"""What is usual for a number of bits."""


def _copy(to: memoryview, data: memoryview | bytes) -> None:
    to[: len(data)] = data


class Framebuffer:
    """`memory`: the display's own; a line of pixels begins every `pitch` bytes."""

    def __init__(
        self,
        memory: memoryview,
        width: int,
        height: int,
        pitch: int,
        pixels: PixelFormat = XRGB8888,
    ) -> None:
        if width <= 0 or height <= 0 or pitch < width * pixels.bytes:
            raise ValueError(f"no picture has {width}x{height} pixels in lines of {pitch} bytes")
        if pitch * (height - 1) + width * pixels.bytes > len(memory):
            raise ValueError(f"{width}x{height} pixels are not within {len(memory):#x} bytes")
        self._memory = memory
        self.width = width
        self.height = height
        self.pitch = pitch
        self.format = pixels
        self.copy: Callable[[memoryview, memoryview | bytes], object] = _copy
        """copy(to, data) copies to the start of `to`; in the machine `_kernel.copy` is quicker."""
        self.view = memoryview(bytearray(BYTES * width * height))
        """The back buffer: blue, green, red, unused for each pixel, line by line."""
        self._damage: list[Rectangle] = []

    def __repr__(self) -> str:
        return f"<frame buffer {self.width}x{self.height}, {self.format.bits} bits>"

    def fill(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        """Fills part of the back buffer with 0xRRGGBB, and notes it as damaged."""
        clipped = self._clip(x, y, width, height)
        if clipped is None:
            return
        x, y, width, height = clipped
        self._damage.append(clipped)
        row = colour.to_bytes(BYTES, "little") * width
        if width == self.width:
            self.view[BYTES * y * width : BYTES * (y + height) * width] = row * height
            return
        for line in range(y, y + height):
            at = BYTES * (line * self.width + x)
            self.view[at : at + len(row)] = row

    def move_up(self, top: int, bottom: int, lines: int) -> None:
        """Moves lines top..bottom up in the back buffer; the last ones stay as they were."""
        row = BYTES * self.width
        stop = bottom * row
        step = lines * row
        # In pieces that do not overlap with where they go.
        for at in range(top * row, stop - step, step):
            size = min(step, stop - step - at)
            self.copy(self.view[at : at + size], self.view[at + step : at + step + size])
        self._damage.append((0, top, self.width, bottom - top))

    def damage(self, x: int, y: int, width: int, height: int) -> None:
        """Notes that something has been drawn there, for the next commit()."""
        self._damage.append((x, y, width, height))

    def commit(self, rectangles: Iterable[Rectangle] | None = None) -> int:
        """Shows what is in these rectangles, or in what was noted as damaged: how many bytes.

        What is outside the picture is left out; no line's part is copied twice.
        """
        if rectangles is None:
            rectangles, self._damage = self._damage, []
        copied = 0
        for y, height, x, width in self._bands(rectangles):
            copied += self._show(x, y, width, height)
        return copied

    def _clip(self, x: int, y: int, width: int, height: int) -> Rectangle | None:
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, self.width), min(y + height, self.height)
        if left >= right or top >= bottom:
            return None
        return left, top, right - left, bottom - top

    def _bands(self, rectangles: Iterable[Rectangle]) -> list[tuple[int, int, int, int]]:
        """What covers the rectangles: (y, height, x, width), each line at most once."""
        spans: dict[int, tuple[int, int]] = {}
        for rectangle in rectangles:
            clipped = self._clip(*rectangle)
            if clipped is None:
                continue
            x, y, width, height = clipped
            for line in range(y, y + height):
                left, right = spans.get(line, (x, x + width))
                spans[line] = min(left, x), max(right, x + width)
        bands: list[tuple[int, int, int, int]] = []
        for line in sorted(spans):
            left, right = spans[line]
            if bands:
                y, height, x, width = bands[-1]
                if y + height == line and (x, width) == (left, right - left):
                    bands[-1] = (y, height + 1, x, width)
                    continue
            bands.append((line, 1, left, right - left))
        return bands

    def _show(self, x: int, y: int, width: int, height: int) -> int:
        size = self.format.bytes
        direct = self.format.direct
        if direct and width == self.width and self.pitch == BYTES * width:
            # Without gaps on both sides: in one go.
            start, stop = y * self.pitch, (y + height) * self.pitch
            self.copy(self._memory[start:stop], self.view[start:stop])
            return stop - start
        for line in range(y, y + height):
            at = BYTES * (line * self.width + x)
            data: memoryview | bytes = self.view[at : at + BYTES * width]
            if not direct:
                data = self.format.convert(data)
            start = line * self.pitch + x * size
            self.copy(self._memory[start : start + width * size], data)
        return width * height * size
