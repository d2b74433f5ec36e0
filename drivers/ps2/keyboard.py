"""A keyboard at a PS/2 port (IBM PS/2 Hardware Interface Technical Reference, "Keyboards")."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.input.events import (
    EV_SYN,
    LED_CAPS_LOCK,
    LED_NUM_LOCK,
    LED_SCROLL_LOCK,
    SYN_REPORT,
    Event,
)
from ovum.drivers.ps2.scancode import Decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.ps2.port import Port

SET_LEDS = 0xED
SCAN_CODE_SET = 0xF0
IDENTIFY = 0xF2
TYPEMATIC = 0xF3
ENABLE = 0xF4
DISABLE = 0xF5
"""Commands. DISABLE also sets everything to its default."""

_LEDS = ((LED_SCROLL_LOCK, 0), (LED_NUM_LOCK, 1), (LED_CAPS_LOCK, 2))
"""Bits of the lamps: Linux's number, the keyboard's."""

DELAYS_MS = (250, 500, 750, 1000)
"""Before a key repeats, by the number of the delay."""


def typematic(delay_ms: int, rate_hz: float) -> int:
    """The byte for a delay and a rate: the nearest there are.

    Of the rate's five bits, the upper two are an exponent B and the lower three A: a key repeats
    every (8 + A) * 2**B / 240 s.
    """
    delay = min(range(4), key=lambda n: abs(DELAYS_MS[n] - delay_ms))
    rates = [240 / ((8 + (n & 7)) << (n >> 3)) for n in range(32)]
    return delay << 5 | min(range(32), key=lambda n: abs(rates[n] - rate_hz))


class Ps2Keyboard:
    """`await keyboard.start()`; then publish(event) is called for what is typed."""

    def __init__(self, port: Port, publish: Callable[[Event], None]) -> None:
        self.port = port
        self.identity = b""
        """What it says it is: AB 83 is a usual one, nothing an AT keyboard."""
        self.decoder = Decoder(port.translated)
        self._publish = publish

    async def start(self) -> None:
        """Has it send keys. Raises DeviceTimeout if there is none, DeviceError."""
        port = self.port
        # 1. It must not send keys between the answers.
        await port.command(DISABLE)
        # 2. What is it? Old ones acknowledge and say nothing.
        try:
            self.identity = await port.command(IDENTIFY, replies=2)
        except DeviceTimeout:
            self.identity = b""
        # Untranslated AB; a mouse says 00, and would need another driver.
        if self.identity and self.identity[0] not in (0xAB, 0xAC, 0x2B, 0x5D, 0x60, 0x47):
            raise DeviceError(f"{port.name}: no keyboard: {self.identity.hex(' ')}")
        # 3. Scan code set 2: the only one that controllers translate.
        await port.command(SCAN_CODE_SET, 2)
        # 4. Keys.
        port.receiver = self._received
        await port.command(ENABLE)

    def _received(self, data: int, time_ns: int) -> None:
        events = self.decoder.feed(data, time_ns)
        for event in events:
            self._publish(event)
        if events:
            self._publish(Event(EV_SYN, SYN_REPORT, 0, time_ns))

    async def set_leds(self, leds: int) -> None:
        """Turns lamps on and off: bits by the numbers LED_*. Raises DeviceError."""
        bits = 0
        for linux, ours in _LEDS:
            bits |= (leds >> linux & 1) << ours
        await self.port.command(SET_LEDS, bits)

    async def set_typematic(self, delay_ms: int, rate_hz: float) -> None:
        """When a key that is held repeats, and how often. Raises DeviceError."""
        await self.port.command(TYPEMATIC, typematic(delay_ms, rate_hz))
