"""A raw disk that boots under BIOS and UEFI: GRUB, and one partition with everything."""

from pathlib import Path
from typing import Final

from ovum.atomic import replaced
from ovum.pack import grub
from ovum.pack.fat import Fat
from ovum.pack.gpt import (
    BIOS_BOOT,
    EFI_SYSTEM,
    FIRST_USABLE,
    SECTOR,
    Partition,
    disk_sectors,
    tables,
)
from ovum.pack.payload import PackError, Payload

_CORE_SECTORS: Final = 2048
"""The BIOS boot partition: 1 MiB."""


def write_disk(payload: Payload, out: Path) -> None:
    """Writes the disk. Raises PackError, OSError."""
    grub.check()
    boot, core = grub.disk_images(payload, FIRST_USABLE)
    if len(core) > _CORE_SECTORS * SECTOR:
        raise PackError(f"GRUB's image of {len(core)} bytes does not fit its partition of 1 MiB")
    files = {grub.FALLBACK: grub.efi_image(payload), **grub.files(payload)}
    fat = Fat(files, "OVUM", int(payload.identity[:8], 16))
    efi = FIRST_USABLE + _CORE_SECTORS
    partitions = [
        Partition(BIOS_BOOT, payload.guid("bios"), "grub", FIRST_USABLE, _CORE_SECTORS),
        Partition(EFI_SYSTEM, payload.guid("efi"), "ovum", efi, fat.sectors),
    ]
    front, back = tables(partitions, payload.guid("disk"), boot)
    with replaced(out) as file:
        file.write(front)
        file.seek(FIRST_USABLE * SECTOR)
        file.write(core)
        file.seek(efi * SECTOR)
        fat.write(file)
        file.seek(disk_sectors(partitions) * SECTOR - len(back))
        file.write(back)
