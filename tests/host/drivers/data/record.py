"""Records what a machine's firmware has left in memory: run in a guest, its output is a recording.

    ./dev ovum run --machine pc tests/host/drivers/data/record.py > tests/host/drivers/data/pc.bin
    ./dev ovum run --machine q35 tests/host/drivers/data/record.py > .../q35.bin
    ./dev ovum run --machine microvm,acpi=on tests/host/drivers/data/record.py > .../microvm.bin

(QEMU 7.2.22, and `--qemu` words that are in `SMBIOS` below for pc and q35.) A recording is pieces
of physical memory, each with its address and size as 64-bit little-endian numbers before it.
"""

import struct
import sys

import _kernel

from ovum.drivers.acpi.root import find_tables, search_rsdp
from ovum.drivers.errors import DeviceError
from ovum.drivers.machine import KernelHardware

SMBIOS = "-smbios type=1,manufacturer=Nest,product=Egg,serial=42 -smbios type=2,product=Shell"

hardware = KernelHardware()


def piece(address: int, size: int) -> None:
    data = bytes(hardware.look(address, size))
    sys.stdout.buffer.write(struct.pack("<QQ", address, size) + data)


rom = bytes(hardware.look(0xE0000, 0x20000))
piece(0x40E, 2)
if search_rsdp(hardware) is not None:
    at = rom.find(b"RSD PTR ")
    while rom[at + 8 : at + 9] and at % 16:
        at = rom.find(b"RSD PTR ", at + 1)
    piece(0xE0000 + at, 36)
tables = find_tables(hardware, _kernel.boot_info())
if tables is not None:
    piece(tables.root.address, int(tables.root.length))
    for name, address in tables.places:
        try:
            piece(address, int(tables.at(name, address).length))
        except DeviceError as error:
            print(error, file=sys.stderr)
    facs, dsdt = tables.facs(), tables.dsdt()
    if facs is not None:
        piece(facs.address, 64)
    if dsdt is not None:
        piece(dsdt.address, int(dsdt.length))
at = rom.find(b"_SM_")
if at >= 0:
    piece(0xE0000 + at, 32)
    size, address = struct.unpack_from("<HI", rom, at + 0x16)
    piece(address, size)
