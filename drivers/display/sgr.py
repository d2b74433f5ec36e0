"""Select Graphic Rendition: how characters look (ECMA-48, 8.3.117; ISO 8613-6 colours). Pure."""

from __future__ import annotations

from ovum.drivers.display.textgrid import (
    BLINK,
    BOLD,
    DEFAULT,
    DIM,
    DIRECT,
    HIDDEN,
    ITALIC,
    REVERSE,
    STRUCK,
    UNDERLINE,
    Style,
    style,
)

_ON = {
    1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 5: BLINK, 6: BLINK, 7: REVERSE, 8: HIDDEN, 9: STRUCK,
    21: UNDERLINE,
}  # fmt: skip
_OFF = {
    22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 25: BLINK, 27: REVERSE, 28: HIDDEN, 29: STRUCK,
}  # fmt: skip


def apply(look: Style, parameters: str) -> Style:
    """The style after a sequence with these parameters."""
    foreground, background, flags = look.foreground, look.background, look.flags
    parts = parameters.split(";")
    at = 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if ":" in part:
            # With colons all of a colour is one parameter.
            words = [_number(word) for word in part.split(":")]
            if words[0] == 4:
                flags = flags & ~UNDERLINE | (UNDERLINE if words[1] else 0)
                continue
            # 38:2::r:g:b has a colour space before the numbers, which many leave out.
            if len(words) >= 6 and words[1] == 2:
                del words[2]
            colour, _ = _extended(words[1:])
            code = words[0]
        else:
            code = _number(part)
            colour = None
            if code in (38, 48, 58):
                colour, used = _extended([_number(word) for word in parts[at : at + 4]])
                at += used
        if code == 0:
            foreground, background, flags = DEFAULT, DEFAULT, 0
        elif code in _ON:
            flags |= _ON[code]
        elif code in _OFF:
            flags &= ~_OFF[code]
        elif 30 <= code <= 37:
            foreground = code - 30
        elif 90 <= code <= 97:
            foreground = code - 90 + 8
        elif 40 <= code <= 47:
            background = code - 40
        elif 100 <= code <= 107:
            background = code - 100 + 8
        elif code == 39:
            foreground = DEFAULT
        elif code == 49:
            background = DEFAULT
        elif code == 38 and colour is not None:
            foreground = colour
        elif code == 48 and colour is not None:
            background = colour
    return style(foreground, background, flags)


def _extended(numbers: list[int]) -> tuple[int | None, int]:
    """5;n of the palette, or 2;r;g;b: the colour, and how many numbers it took."""
    if len(numbers) >= 2 and numbers[0] == 5:
        return (numbers[1] if numbers[1] < 256 else None), 2
    if len(numbers) >= 4 and numbers[0] == 2:
        red, green, blue = (min(number, 255) for number in numbers[1:4])
        return DIRECT | red << 16 | green << 8 | blue, 4
    return None, len(numbers)


def _number(text: str) -> int:
    return int(text[:6]) if text.isdecimal() and text.isascii() else 0


_BASIC = (
    0x000000, 0xCD3131, 0x0DBC79, 0xE5E510, 0x2472C8, 0xBC3FBC, 0x11A8CD, 0xCCCCCC,
    0x666666, 0xF14C4C, 0x23D18B, 0xF5F543, 0x3B8EEA, 0xD670D6, 0x29B8DB, 0xFFFFFF,
)  # fmt: skip
"""The sixteen colours, which every terminal chooses by itself."""
FOREGROUND = _BASIC[7]
BACKGROUND = _BASIC[0]


def rgb(colour: int) -> int:
    """0xRRGGBB of a colour that is not DEFAULT: xterm's palette from 16 on."""
    if colour >= DIRECT:
        return colour & 0xFFFFFF
    if colour < 16:
        return _BASIC[colour]
    if colour >= 232:
        return (8 + 10 * (colour - 232)) * 0x010101
    colour -= 16
    levels = (0, 95, 135, 175, 215, 255)
    return levels[colour // 36] << 16 | levels[colour // 6 % 6] << 8 | levels[colour % 6]


def colours(look: Style) -> tuple[int, int]:
    """0xRRGGBB of foreground and background as they are to be seen."""
    foreground, background = look.foreground, look.background
    if look.flags & BOLD and 0 <= foreground < 8:
        foreground += 8
    front = FOREGROUND if foreground == DEFAULT else rgb(foreground)
    if look.flags & BOLD and foreground == DEFAULT:
        front = _BASIC[15]
    back = BACKGROUND if background == DEFAULT else rgb(background)
    if look.flags & DIM:
        front = (front & 0xFEFEFE) >> 1
    if look.flags & REVERSE:
        front, back = back, front
    if look.flags & HIDDEN:
        front = back
    return front, back


def basic(look: Style) -> tuple[int, int]:
    """Foreground and background as numbers of 0 to 15, for displays that have no others."""
    front, back = colours(look)
    return _nearest(front), _nearest(back)


def _nearest(colour: int) -> int:
    def distance(number: int) -> int:
        other = _BASIC[number]
        return sum(abs((colour >> n & 255) - (other >> n & 255)) for n in (0, 8, 16))

    return min(range(16), key=distance)
