"""The firmware's tables (ACPI 6.4, 5.2) as objects with named fields.

`find_tables(hardware)` gives what there is; a table is read, and its checksum verified, when it is
asked for: `tables.madt()`, `tables.table("HPET")`. The kernel has a reader of its own for what it
needs to route interrupts and to power off (`microkernel/dev/acpi.c`).
"""
