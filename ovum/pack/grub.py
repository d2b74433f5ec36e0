"""GRUB as we need it: its images, made by grub-mkimage, and the configuration that starts a kernel.

GRUB's manual, "Images", says which image does what; where boot.img and diskboot.img have their
fields is in its include/grub/i386/pc/boot.h and include/grub/offsets.h.
"""

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ovum.pack.payload import Content, PackError, Payload

MKIMAGE: Final = "grub-mkimage"
FOLDERS: Final = (Path("/usr/lib/grub"), Path("/usr/share/grub"))
BIOS: Final = "i386-pc"
UEFI: Final = "x86_64-efi"
PACKAGES: Final = {BIOS: "grub-pc-bin", UEFI: "grub-efi-amd64-bin"}

KERNEL: Final = "boot/ovum.elf"
ARCHIVES: Final = "boot/ovum.cpi"
CONFIGURATION: Final = "boot/grub/grub.cfg"
FALLBACK: Final = "EFI/BOOT/BOOTX64.EFI"
"""What UEFI's firmware starts from a medium that it knows nothing of (UEFI 2.10, 3.5.1.1)."""

_COMMON: Final = (
    *("part_gpt", "part_msdos", "fat", "iso9660", "search", "search_fs_file", "configfile"),
    *("normal", "multiboot2", "all_video", "serial", "terminal", "test", "echo", "read", "boot"),
    *("ls", "cat", "reboot", "halt"),
)
_MODULES: Final = {
    BIOS: ("biosdisk", "vbe", "vga", *_COMMON),
    UEFI: ("efi_gop", "efi_uga", *_COMMON),
}

_SECTOR: Final = 512
_BOOT_CODE: Final = 440
"""Bytes of boot.img before the disk's number and its partition table."""
_KERNEL_SECTOR: Final = 0x5C
_DRIVE_CHECK: Final = 0x66
_BLOCK_LIST: Final = _SECTOR - 12
"""The first entry of diskboot.img's list: u64 sector, u16 count, u16 segment."""


def _folder(platform: str) -> Path:
    for base in FOLDERS:
        if (base / platform / "kernel.img").exists():
            return base / platform
    raise PackError(
        f"GRUB's modules for {platform} are missing: install the Debian package "
        f"{PACKAGES[platform]} (apt-get install grub-common {PACKAGES[platform]})"
    )


def check() -> None:
    """Raises PackError for what is missing on this machine."""
    if shutil.which(MKIMAGE) is None:
        raise PackError(
            f"{MKIMAGE} is missing: install the Debian packages grub-common, "
            f"{PACKAGES[BIOS]} and {PACKAGES[UEFI]} (apt-get install grub-common "
            f"{PACKAGES[BIOS]} {PACKAGES[UEFI]})"
        )
    for platform in PACKAGES:
        _folder(platform)


def marker(payload: Payload) -> str:
    """The path of the file by which GRUB finds the medium that it is to boot from."""
    return f"boot/{payload.identity[:8]}.{payload.identity[8:11]}"


def files(payload: Payload) -> dict[str, Content]:
    """What is on the medium, but for GRUB itself."""
    return {
        marker(payload): b"ovum\n",
        CONFIGURATION: configuration(payload).encode(),
        KERNEL: payload.kernel,
        ARCHIVES: payload.archives,
    }


def configuration(payload: Payload) -> str:
    """grub.cfg. Words are quoted: some mean something to GRUB."""
    words = "".join(f" '{word}'" for word in payload.words.split())
    return f"""\
# The kernel's words may be changed here; docs/boot-protocol.md of ovum lists them.
if serial --unit=0 --speed=115200; then
  terminal_output --append serial
fi
set gfxpayload=1280x800x32,1024x768x32,1280x1024x32,800x600x32,auto
if multiboot2 /{KERNEL}{words}; then
  if module2 /{ARCHIVES}; then
    boot
  fi
fi
echo "ovum: not started. Is there enough memory? Enter leads to GRUB's prompt."
read line
"""


def _image(payload: Payload, platform: str, form: str) -> bytes:
    """An image of GRUB's that finds the medium with the marker and reads its configuration."""
    early = f"search --no-floppy --file --set=root /{marker(payload)}\n"
    early += f"configfile ($root)/{CONFIGURATION}\n"
    with tempfile.TemporaryDirectory(prefix="ovum-grub-") as name:
        folder = Path(name)
        (folder / "early.cfg").write_text(early)
        done = subprocess.run(
            [
                *(MKIMAGE, "-O", form, "-d", str(_folder(platform)), "-p", "/boot/grub"),
                *("-c", "early.cfg", "-o", "image", *_MODULES[platform]),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise PackError(f"{MKIMAGE} failed: {done.stderr.strip()}")
        return (folder / "image").read_bytes()


def efi_image(payload: Payload) -> bytes:
    """A UEFI application."""
    return _image(payload, UEFI, UEFI)


def cd_image(payload: Payload) -> bytes:
    """What a BIOS loads from a CD (El Torito, without emulation)."""
    return _image(payload, BIOS, f"{BIOS}-eltorito")


def hybrid_mbr() -> Path:
    """What a BIOS loads from the same bytes on a disk."""
    return _folder(BIOS) / "boot_hybrid.img"


def disk_images(payload: Payload, sector: int) -> tuple[bytes, bytes]:
    """The boot code for sector 0 and the image for the sectors from `sector` on, as
    grub-bios-setup would have written them."""
    boot = bytearray((_folder(BIOS) / "boot.img").read_bytes()[:_BOOT_CODE])
    struct.pack_into("<Q", boot, _KERNEL_SECTOR, sector)
    # Two NOPs for the jump that doubts the drive's number: right for all but floppy disks.
    boot[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    core = bytearray(_image(payload, BIOS, BIOS))
    core += bytes(-len(core) % _SECTOR)
    _, count, segment = struct.unpack_from("<QHH", core, _BLOCK_LIST)
    if count != len(core) // _SECTOR - 1 or segment != 0x820:
        raise PackError(f"{MKIMAGE} made an image with a list of {count} blocks at {segment:#x}")
    struct.pack_into("<Q", core, _BLOCK_LIST, sector + 1)
    return bytes(boot), bytes(core)
