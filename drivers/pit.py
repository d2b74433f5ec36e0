"""The programmable interval timer, an Intel 8254 (its data sheet): channel 2, as a counter.

Channel 2 has no interrupt: it is the loudspeaker's, and port 0x61 gates it. Its counter has 16 bits
and wraps after 55 ms.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware

HZ = 1193182
"""A third of a twelfth of 14.31818 MHz: 105/88 MHz."""


class PitRegisters(Registers):
    """Ports 0x40 to 0x43."""

    channel2 = Register(2, 8)
    control = Register(3, 8, "Control Word Format", bcd=0, mode=(3, 1), access=(5, 4),
                       channel=(7, 6))  # fmt: skip


class GateRegisters(Registers):
    """Port 0x61 (Intel ICH, "NMI Status and Control")."""

    gate = Register(0, 8, gate=0, speaker=1, output=5)


_LATCH = 0
_LOW_THEN_HIGH = 3
_RATE_GENERATOR = 2

TRIES = 10_000
"""Readings within which a counter at this rate has changed on any machine."""


class Pit:
    """The counter. Raises DeviceError if there is none, or it stands still."""

    name = "PIT"
    hz = float(HZ)
    bits = 16

    def __init__(self, hardware: Hardware) -> None:
        self._registers = PitRegisters(hardware.ports(0x40, 4))
        self._gate = GateRegisters(hardware.ports(0x61, 1))
        self._before = self._gate.gate
        self.start()
        first = self.read()
        if not any(self.read() != first for _ in range(TRIES)):
            self.stop()
            raise DeviceError("PIT: channel 2 does not count")

    def __repr__(self) -> str:
        return f"<PIT channel 2: {HZ / 1e6:g} MHz, 16 bits>"

    def start(self) -> None:
        """Has it count from 65,535 down, over and over, with the loudspeaker silent."""
        self._gate.gate = self._gate.gate.replace(gate=1, speaker=0)
        self._registers.control = PitRegisters.control.value(
            channel=2, access=_LOW_THEN_HIGH, mode=_RATE_GENERATOR
        )
        # 0 is 65,536.
        self._registers.channel2 = 0
        self._registers.channel2 = 0

    def stop(self) -> None:
        """Closes the gate if it was closed."""
        self._gate.gate = self._before

    def read(self) -> int:
        """Ticks since the start, of which there are 65,536: the counter itself goes down."""
        self._registers.control = PitRegisters.control.value(channel=2, access=_LATCH)
        low = self._registers.channel2
        return -(int(low) | int(self._registers.channel2) << 8) & 0xFFFF
