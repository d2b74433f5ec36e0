"""What input devices tell: events as Linux has them, and a keyboard's state made of them.

Types and codes are those of input-event-codes.h, so a virtio keyboard (which sends these very
numbers), a PS/2 one and any other give the same events.
"""

from __future__ import annotations

from ovum.drivers.input import keys

EV_SYN = 0x00
"""Code SYN_REPORT: what came before belongs together."""
EV_KEY = 0x01
"""A key or button: RELEASED, PRESSED or REPEATED."""
EV_REL = 0x02
EV_ABS = 0x03
EV_LED = 0x11

SYN_REPORT = 0

RELEASED = 0
PRESSED = 1
REPEATED = 2

REL_X = 0x00
REL_Y = 0x01
"""To the right and downwards."""
REL_HWHEEL = 0x06
REL_WHEEL = 0x08
"""Away from the user is positive."""

ABS_X = 0x00
ABS_Y = 0x01

LED_NUM_LOCK = 0
LED_CAPS_LOCK = 1
LED_SCROLL_LOCK = 2


class Event:
    """Something that was done at an input device."""

    __slots__ = ("code", "time_ns", "type", "value")

    def __init__(self, type: int, code: int, value: int, time_ns: int = 0) -> None:  # noqa: A002
        self.type = type
        self.code = code
        self.value = value
        self.time_ns = time_ns
        """When, in ns of the monotonic clock; no part of what makes two events equal."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return (self.type, self.code, self.value) == (other.type, other.code, other.value)

    def __hash__(self) -> int:
        return hash((self.type, self.code, self.value))

    def __repr__(self) -> str:
        if self.type == EV_KEY:
            what = {RELEASED: "released", PRESSED: "pressed", REPEATED: "repeated"}
            name = keys.NAMES.get(self.code, f"key {self.code}")
            return f"<{name} {what.get(self.value, self.value)}>"
        return f"<event type {self.type:#x} code {self.code:#x} value {self.value}>"


class Keyboard:
    """Which keys are down, and which locks are on."""

    def __init__(self, num_lock: bool = True) -> None:
        self.pressed: set[int] = set()
        self.caps_lock = False
        self.num_lock = num_lock
        self.scroll_lock = False

    def feed(self, event: Event) -> bool:
        """Takes an event into account; whether the locks, and so the lamps, have changed."""
        if event.type != EV_KEY:
            return False
        if event.value == RELEASED:
            self.pressed.discard(event.code)
            return False
        new = event.code not in self.pressed
        self.pressed.add(event.code)
        if not new or event.value != PRESSED:
            return False
        if event.code == keys.KEY_CAPSLOCK:
            self.caps_lock = not self.caps_lock
        elif event.code == keys.KEY_NUMLOCK:
            self.num_lock = not self.num_lock
        elif event.code == keys.KEY_SCROLLLOCK:
            self.scroll_lock = not self.scroll_lock
        else:
            return False
        return True

    def release_all(self) -> None:
        """For a keyboard that has been taken away or has lost events."""
        self.pressed.clear()

    def down(self, *codes: int) -> bool:
        """Is one of these keys down?"""
        return not self.pressed.isdisjoint(codes)

    @property
    def shift(self) -> bool:
        return self.down(keys.KEY_LEFTSHIFT, keys.KEY_RIGHTSHIFT)

    @property
    def control(self) -> bool:
        return self.down(keys.KEY_LEFTCTRL, keys.KEY_RIGHTCTRL)

    @property
    def leds(self) -> int:
        """Bits by the numbers LED_*."""
        return (
            self.num_lock << LED_NUM_LOCK
            | self.caps_lock << LED_CAPS_LOCK
            | self.scroll_lock << LED_SCROLL_LOCK
        )
