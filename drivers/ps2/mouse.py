"""A mouse at a PS/2 port: three buttons, a wheel, five buttons.

IBM PS/2 Hardware Interface Technical Reference, "Auxiliary Device" (mouse); Microsoft's
IntelliMouse and IntelliMouse Explorer extensions, by which a sequence of sample rates unlocks
packets of four bytes.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.input import keys
from ovum.drivers.input.events import (
    EV_KEY,
    EV_REL,
    EV_SYN,
    REL_WHEEL,
    REL_X,
    REL_Y,
    SYN_REPORT,
    Event,
)
from ovum.services.tasks import Event as Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.ps2.port import Port

SCALE_1_TO_1 = 0xE6
RESOLUTION = 0xE8
IDENTIFY = 0xF2
SAMPLE_RATE = 0xF3
ENABLE = 0xF4
RESET = 0xFF

SELF_TEST_PASSED = 0xAA
STANDARD = 0
WHEEL = 3
FIVE_BUTTONS = 4
"""What a mouse says it is."""

RESET_S = 2.0
"""A mouse may test itself for half a second; some take longer."""

PAUSE_NS = 100_000_000
"""Bytes of one packet come within 20 ms: after this pause a packet begins anew."""

_BUTTONS = (keys.BTN_LEFT, keys.BTN_RIGHT, keys.BTN_MIDDLE, keys.BTN_SIDE, keys.BTN_EXTRA)


class PacketDecoder:
    """Bytes of a mouse to events. Pure.

    The first byte of a packet has bit 3 set, and that is all there is to find it by: after a lost
    byte, bytes without it are dropped until one has it, and a pause begins a packet.
    """

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.lost = 0
        """Bytes that were dropped to be in step again."""
        self.overflows = 0
        """Packets whose movement was too large to be told."""
        self._packet = bytearray()
        self._last = 0
        self._buttons = 0

    @property
    def reset(self) -> bool:
        """What has come is what a mouse says that was just plugged in: AA 00."""
        return bytes(self._packet) == b"\xaa\x00"

    def feed(self, byte: int, time_ns: int = 0) -> list[Event]:
        """The events of the packet that is complete with this byte, with a report at their end."""
        packet = self._packet
        if packet and time_ns - self._last > PAUSE_NS:
            self.lost += len(packet)
            packet.clear()
        self._last = time_ns
        packet.append(byte)
        self._find_start()
        if len(packet) < (3 if self.kind == STANDARD else 4):
            return []
        if self.kind == FIVE_BUTTONS and packet[3] & 0xC0:
            # These bits are zero: this is no packet, but one may begin within.
            del packet[0]
            self.lost += 1
            self._find_start()
            return []
        events = self._events(time_ns)
        packet.clear()
        return events

    def _find_start(self) -> None:
        packet = self._packet
        while packet and not packet[0] & 0x08:
            del packet[0]
            self.lost += 1

    def _events(self, time_ns: int) -> list[Event]:
        first, x, y = self._packet[:3]
        events = []
        buttons = first & 7
        wheel = 0
        if self.kind == WHEEL:
            wheel = self._packet[3] - (self._packet[3] >> 7 << 8)
        elif self.kind == FIVE_BUTTONS:
            last = self._packet[3]
            buttons |= (last >> 4 & 3) << 3
            wheel = (last & 0x0F) - ((last >> 3 & 1) << 4)
        for number, button in enumerate(_BUTTONS):
            if (buttons ^ self._buttons) >> number & 1:
                events.append(Event(EV_KEY, button, buttons >> number & 1, time_ns))
        self._buttons = buttons
        if first & 0xC0:
            self.overflows += 1
        else:
            x -= (first >> 4 & 1) << 8
            y -= (first >> 5 & 1) << 8
            # A mouse counts upwards, a screen downwards; and a wheel towards the user.
            for code, value in ((REL_X, x), (REL_Y, -y)):
                if value:
                    events.append(Event(EV_REL, code, value, time_ns))
        if wheel:
            events.append(Event(EV_REL, REL_WHEEL, -wheel, time_ns))
        if events:
            events.append(Event(EV_SYN, SYN_REPORT, 0, time_ns))
        return events


class Ps2Mouse:
    """`await mouse.start()`; then publish(event) is called for what it does."""

    def __init__(self, port: Port, publish: Callable[[Event], None]) -> None:
        self.port = port
        self.kind = STANDARD
        self.decoder = PacketDecoder(STANDARD)
        self.plugged_in = Signal()
        """Another mouse has been plugged in, or this one anew: `start` it again."""
        self._publish = publish

    async def start(self) -> None:
        """Has it send packets. Raises DeviceTimeout if there is none, DeviceError."""
        port = self.port
        port.receiver = None
        self.plugged_in.clear()
        # 1. It tests itself and says that it is a mouse.
        passed, identity = await port.command(RESET, replies=2, seconds=RESET_S)
        if passed != SELF_TEST_PASSED:
            raise DeviceError(f"{port.name}: the mouse fails its self test: {passed:#04x}")
        if identity != STANDARD:
            raise DeviceError(f"{port.name}: no mouse: {identity:#04x}")
        # 2. Three sample rates ask for the wheel, three others for five buttons.
        self.kind = await self._unlock(200, 100, 80)
        if self.kind == WHEEL:
            self.kind = await self._unlock(200, 200, 80)
        if self.kind not in (STANDARD, WHEEL, FIVE_BUTTONS):
            raise DeviceError(f"{port.name}: a mouse of an unknown kind: {self.kind:#04x}")
        # 3. 100 reports a second, 8 counts a millimetre, no acceleration.
        await port.command(SAMPLE_RATE, 100)
        await port.command(RESOLUTION, 3)
        await port.command(SCALE_1_TO_1)
        # 4. Packets.
        self.decoder = PacketDecoder(self.kind)
        port.receiver = self._received
        await port.command(ENABLE)

    async def _unlock(self, *rates: int) -> int:
        for rate in rates:
            await self.port.command(SAMPLE_RATE, rate)
        return (await self.port.command(IDENTIFY, replies=1))[0]

    def _received(self, data: int, time_ns: int) -> None:
        for event in self.decoder.feed(data, time_ns):
            self._publish(event)
        if self.decoder.reset:
            self.plugged_in.set()
