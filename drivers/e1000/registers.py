"""The registers (13.4, 13.5, 13.7), as far as they are used."""

from __future__ import annotations

from ovum.drivers.registers import Register, Registers


class E1000Registers(Registers):
    ctrl = Register(
        0x0000, 32, "13.4.1", full_duplex=0, master_disable=2, auto_speed=5, set_link_up=6,
        invert_loss=7, reset=26, phy_reset=31,
    )  # fmt: skip
    status = Register(0x0008, 32, "13.4.2", full_duplex=0, link_up=1, master_enable=19)
    eerd = Register(0x0014, 32, "13.4.4", start=0, data=(31, 16))
    """EEPROM read; where the address and the done bit are depends on the controller."""
    icr = Register(
        0x00C0, 32, "13.4.17", written=0, queue_empty=1, link_changed=2, sequence=3, few_buffers=4,
        overrun=6, received=7, asserted=31,
    )  # fmt: skip
    """Why it interrupts; cleared by reading."""
    itr = Register(0x00C4, 32, "13.4.18", interval=(15, 0))
    """The least time between interrupts, in units of 256 ns."""
    ims = Register(0x00D0, 32, "13.4.20")
    """Interrupts to enable: the fields of `icr`."""
    imc = Register(0x00D8, 32, "13.4.21")
    """Interrupts to disable."""
    rctl = Register(
        0x0100, 32, "13.4.22", enable=1, unicast_promiscuous=3, multicast_promiscuous=4, long=5,
        multicast_offset=(13, 12), broadcast=15, buffer_size=(17, 16), strip_crc=26,
    )  # fmt: skip
    tctl = Register(
        0x0400, 32, "13.4.33", enable=1, pad=3, collision_threshold=(11, 4),
        collision_distance=(21, 12),
    )  # fmt: skip
    tipg = Register(0x0410, 32, "13.4.34", transmit=(9, 0), receive1=(19, 10), receive2=(29, 20))
    rdbal = Register(0x2800, 32, "13.4.25")
    rdbah = Register(0x2804, 32, "13.4")
    rdlen = Register(0x2808, 32, "13.4")
    rdh = Register(0x2810, 32, "13.4")
    rdt = Register(0x2818, 32, "13.4")
    rdtr = Register(0x2820, 32, "13.4")
    tdbal = Register(0x3800, 32, "13.4")
    tdbah = Register(0x3804, 32, "13.4")
    tdlen = Register(0x3808, 32, "13.4")
    tdh = Register(0x3810, 32, "13.4")
    tdt = Register(0x3818, 32, "13.4")
    tidv = Register(0x3820, 32, "13.4")
    rxcsum = Register(0x5000, 32, "13.4", start=(7, 0), ip=8, tcp_udp=9)
    ral = Register(0x5400, 32, "13.5.2")
    """The first four bytes of our address, the first on the wire in the lowest bits."""
    rah = Register(0x5404, 32, "13.5.3", address=(15, 0), valid=31)


MULTICAST_TABLE = 0x5200
"""128 registers of 32 bits: a bit for each value of a hash (13.5.1)."""
MULTICAST_REGISTERS = 128

ADDRESSES = 0x5400
"""16 pairs like `ral` and `rah`: addresses that are received."""
ADDRESS_PAIRS = 16

STATISTICS = {
    "CRC errors": 0x4000, "alignment errors": 0x4004, "receive errors": 0x400C,
    "missed, no room in the card": 0x4010, "too short": 0x40A4, "fragments": 0x40A8,
    "too long": 0x40AC, "no buffer": 0x40A0, "late collisions": 0x4020,
    "excessive collisions": 0x4018,
}  # fmt: skip
"""Counters of what went wrong, cleared by reading (13.7)."""

LOST = ("CRC errors", "receive errors", "missed, no room in the card", "too short", "too long")
"""Those that count frames which nobody got."""
