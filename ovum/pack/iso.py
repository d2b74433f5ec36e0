"""A disc image that boots from CD and, written raw, from a USB stick or disk, under BIOS and UEFI.

One file with five ways in: El Torito entries for BIOS and for UEFI, a boot sector for a BIOS that
sees a disk, a GPT and an MBR with an EFI system partition for a UEFI that does.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ovum.cpio import BUILD_TIME_S
from ovum.pack import grub
from ovum.pack.fat import Fat
from ovum.pack.payload import PackError, Payload, copy_to

XORRISO: Final = "xorriso"
_CD_IMAGE: Final = "boot/grub/cd.img"
_EFI_TYPE: Final = "0xef"


def write_iso(payload: Payload, out: Path) -> None:
    """Writes the disc image. Raises PackError, OSError."""
    grub.check()
    if shutil.which(XORRISO) is None:
        raise PackError(
            f"{XORRISO} is missing: install the Debian package {XORRISO} "
            f"(apt-get install {XORRISO})"
        )
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
        work = Path(name)
        tree = work / "tree"
        for path, content in {**grub.files(payload), _CD_IMAGE: grub.cd_image(payload)}.items():
            file = tree / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stream:
                copy_to(stream, content)
        with (work / "efi.img").open("wb") as stream:
            efi = {grub.FALLBACK: grub.efi_image(payload)}
            Fat(efi, "OVUM", int(payload.identity[:8], 16)).write(stream)
        for node in (*tree.rglob("*"), tree):
            node.chmod(0o755 if node.is_dir() else 0o644)
            os.utime(node, (BUILD_TIME_S, BUILD_TIME_S))
        done = subprocess.run(
            _xorriso(payload, work),
            capture_output=True,
            text=True,
            # What xorriso would take from the clock (its manual, "ENVIRONMENT").
            env={**os.environ, "SOURCE_DATE_EPOCH": str(BUILD_TIME_S), "TZ": "UTC", "LC_ALL": "C"},
        )
        if done.returncode:
            raise PackError(f"{XORRISO} failed: {_complaints(done.stderr)}")
        made = work / "made.iso"
        umask = os.umask(0)
        os.umask(umask)
        made.chmod(0o666 & ~umask)
        made.replace(out)


def _xorriso(payload: Payload, work: Path) -> list[str]:
    return [
        *(XORRISO, "-no_rc", "-as", "mkisofs", "-quiet", "-r", "-V", "OVUM"),
        *("-o", str(work / "made.iso"), "--gpt_disk_guid", str(payload.guid("disk"))),
        # BIOS: from CD, and from what it takes for a disk.
        *("-b", _CD_IMAGE, "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"),
        *("--grub2-boot-info", "--grub2-mbr", str(grub.hybrid_mbr()), "--protective-msdos-label"),
        # UEFI: the same partition serves a CD and a disk.
        *("-append_partition", "2", _EFI_TYPE, str(work / "efi.img"), "-appended_part_as_gpt"),
        *("-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"),
        str(work / "tree"),
    ]


def _complaints(text: str) -> str:
    """What of its messages says why."""
    lines = [line for line in text.splitlines() if "FAILURE" in line or "FATAL" in line]
    return "; ".join(lines) or text.strip()[-500:]
