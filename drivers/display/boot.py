"""The frame buffer that the boot loader has set up (Multiboot2 2.0, 3.6.12; UEFI's GOP)."""

from __future__ import annotations

from ovum.drivers.display.framebuffer import FORMATS, Framebuffer, PixelFormat
from ovum.drivers.errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware

DIRECT_COLOUR = 1
"""Its type; 0 is a palette, 2 is text."""

LARGEST = 16384
"""Pixels in a line, and lines: anything more is a mistake."""


def boot_framebuffer(hardware: Hardware, text: str | None) -> Framebuffer | None:
    """The frame buffer that boot_info()["framebuffer"] describes; None if it is not one of pixels.

    `text`: address (hexadecimal), width, height, pitch in bytes, bits per pixel, type, and perhaps
    the position and size of red, green and blue. Raises DeviceError for what cannot be, OSError.
    """
    if not text:
        return None
    try:
        words = text.split()
        address = int(words[0], 16)
        width, height, pitch, bits, kind, *colours = (int(word) for word in words[1:])
    except (ValueError, IndexError):
        raise DeviceError(f"the boot loader's frame buffer makes no sense: {text!r}") from None
    if kind != DIRECT_COLOUR or not address:
        return None
    if not 0 < width <= LARGEST or not 0 < height <= LARGEST or pitch > 16 * LARGEST:
        raise DeviceError(f"the boot loader's frame buffer has {width}x{height} pixels")
    try:
        if len(colours) == 6 and colours[1]:
            red, green, blue = zip(colours[::2], colours[1::2], strict=True)
            pixels = PixelFormat(bits, red, green, blue)
        elif bits in FORMATS:
            pixels = FORMATS[bits]
        else:
            raise ValueError(f"{bits} bits per pixel are not supported")
        memory = hardware.memory(address, pitch * height, True)
        return Framebuffer(memory, width, height, pitch, pixels)
    except ValueError as error:
        raise DeviceError(f"the boot loader's frame buffer: {error}") from None
