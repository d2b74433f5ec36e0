"""Where the high precision event timer is (IA-PC HPET 1.0a, 3.2.4)."""

from __future__ import annotations

from ovum.drivers.acpi.table import Place, Table
from ovum.drivers.registers import Register


class HpetTable(Table):
    """The table."""

    SIZE = 56
    LEAST = 56
    block = Register(
        36, 32, "3.2.4", revision=(7, 0), last_comparator=(12, 8), wide=13, legacy_routing=15,
        vendor=(31, 16),
    )  # fmt: skip
    base = Place(40)
    number = Register(52, 8)
    least_ticks = Register(53, 16)
    """Between two interrupts of periodic mode, so that none is lost."""
    page_protection = Register(55, 8, guarantee=(3, 0), oem=(7, 4))
