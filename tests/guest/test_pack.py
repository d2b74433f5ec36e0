"""What `ovum pack` makes boots, from every medium that the firmware of a PC boots from.

The machines have no exit port: that QEMU ends says that the machine has powered itself off.
"""

import asyncio
import json
import struct
import tarfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.host.drivers.pictures import read_ppm, read_text

from . import machine
from .qmp import controlled

SAID = "booted through {} with {}"

PROGRAM = """\
import _kernel
info = _kernel.boot_info()
print('booted through', info['door'], 'with', info['command_line'], flush=True)
if info.get('framebuffer', '0 0 0 0 0 0').split()[5] == '1':
    print('typed:', input('on screen '))
"""

WORDS = "from=pack ovum.keyboard=de"
FORMATS = "iso,raw,qcow2,containerdisk,firecracker,libvirt"

FIRMWARE = Path("/usr/share/OVMF")
BIOS: tuple[str, ...] = ()
UEFI = (
    *("-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd"),
    *("-drive", f"if=pflash,format=raw,snapshot=on,file={FIRMWARE}/OVMF_VARS_4M.fd"),
)
PLAIN = ("-cpu", "max", "-nic", "none")
HEADLESS = (*PLAIN, "-vga", "none")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All formats of one program, as `app` and their suffix."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "prog.py").write_text(PROGRAM)
    machine.command(
        *("pack", "--strip", "prog.py", "--format", FORMATS, "-o", "app", "--append", WORDS),
        *("--memory", "192M", "--net", "none"),
        cwd=folder,
    ).expect()
    return folder


def stick(image: Path, folder: Path) -> Path:
    """A stick that the image was written to, which is larger."""
    device = folder / "stick"
    device.write_bytes(image.read_bytes())
    with device.open("r+b") as file:
        file.truncate(image.stat().st_size + (5 << 20))
    return device


def boots(*words: str | Path) -> str:
    """What a machine without a screen prints until it has powered itself off."""
    return machine.qemu(*HEADLESS, "-m", "192", *words, limit_s=machine.LIMIT_S).expect().out


def drive(file: Path, device: str, form: str = "raw") -> tuple[str, ...]:
    """Words that make a disk of a file."""
    return (
        *("-drive", f"if=none,id=disk,format={form},snapshot=on,file={file}"),
        *("-device", f"{device},drive=disk"),
    )


USB = ("-device", "qemu-xhci")


@pytest.mark.parametrize(("name", "firmware"), [("pc", BIOS), ("q35", UEFI)], ids=["bios", "uefi"])
def test_the_disc_boots_as_a_disc(name: str, firmware: tuple[str, ...], packed: Path) -> None:
    out = boots("-M", name, *firmware, "-cdrom", packed / "app.iso")
    assert SAID.format("multiboot2", WORDS) in out


def test_the_disc_boots_as_a_disk(packed: Path) -> None:
    out = boots("-M", "pc", *drive(packed / "app.iso", "virtio-blk-pci"))
    assert SAID.format("multiboot2", WORDS) in out


def test_the_disc_boots_from_a_stick_under_uefi_with_screen_and_serial_port(
    packed: Path, tmp_path: Path
) -> None:
    medium = stick(packed / "app.iso", tmp_path)

    async def main() -> None:
        words = ("-M", "q35", *PLAIN, "-vga", "std", *UEFI, *USB, *drive(medium, "usb-storage"))
        async with controlled(None, *words) as guest:
            text = await guest.read_until("on screen ")
            assert SAID.format("multiboot2", WORDS) in text
            picture = tmp_path / "screen.ppm"
            seen = ""
            # There is no event for what QEMU shows: the machine draws when it has printed.
            async with asyncio.timeout(machine.LIMIT_S):
                while "on screen" not in seen:
                    await asyncio.sleep(0.1)
                    await guest.control.execute("screendump", {"filename": str(picture)})
                    seen = read_text(*read_ppm(picture.read_bytes()))
            assert SAID.format("multiboot2", WORDS) in seen
            await guest.write("egg\r")
            assert "typed: egg" in await guest.read_until("typed: egg")
            await guest.event("SHUTDOWN")
            assert await guest.end() == 0

    asyncio.run(main())


def test_the_disk_boots_from_a_stick(packed: Path, tmp_path: Path) -> None:
    out = boots("-M", "q35", *USB, *drive(stick(packed / "app.img", tmp_path), "usb-storage"))
    assert SAID.format("multiboot2", WORDS) in out


def test_the_disk_boots_under_uefi(packed: Path) -> None:
    out = boots("-M", "q35", *UEFI, *drive(packed / "app.img", "virtio-blk-pci"))
    assert SAID.format("multiboot2", WORDS) in out


def test_the_disk_of_a_container_image_boots(packed: Path, tmp_path: Path) -> None:
    """KubeVirt starts its qcow2 on QEMU's q35 with a disk of virtio's."""
    with tarfile.open(packed / "app.tar") as archive:
        # The layer is the only member that is large.
        layer = archive.extractfile(max(archive.getmembers(), key=lambda member: member.size))
        assert layer is not None
        with tarfile.open(fileobj=layer, mode="r:gz") as files:
            disk = files.extractfile("disk/app.qcow2")
            assert disk is not None
            (tmp_path / "disk.qcow2").write_bytes(disk.read())
    assert (tmp_path / "disk.qcow2").read_bytes() == (packed / "app.qcow2").read_bytes()
    out = boots("-M", "q35", *drive(tmp_path / "disk.qcow2", "virtio-blk-pci", "qcow2"))
    assert SAID.format("multiboot2", WORDS) in out


TABLES = 0xE0000
"""Where the firmware's tables may be (ACPI 6.4, 5.2.5.1), and nothing else is in a microvm."""


def firecrackers_tables() -> bytes:
    """ACPI as Firecracker has it: of reduced hardware, no register to power off, no _S5."""

    def table(signature: bytes, body: bytes) -> bytes:
        size = 36 + len(body)
        data = bytearray(struct.pack("<4sIBB26s", signature, size, 6, 0, bytes(26)) + body)
        data[9] = -sum(data) & 0xFF
        return bytes(data)

    fadt = bytearray(276 - 36)
    struct.pack_into("<I", fadt, 112 - 36, 1 << 20)
    struct.pack_into("<Q", fadt, 140 - 36, TABLES + 0x400)
    rsdp = bytearray(struct.pack("<8sB6sBIIQ4x", b"RSD PTR ", 0, b"", 2, 0, 36, TABLES + 0x100))
    rsdp[8] = -sum(rsdp[:20]) & 0xFF
    rsdp[32] = -sum(rsdp) & 0xFF
    found = bytes(rsdp).ljust(0x100, b"\0")
    found += table(b"XSDT", struct.pack("<Q", TABLES + 0x200)).ljust(0x100, b"\0")
    found += table(b"FACP", bytes(fadt)).ljust(0x200, b"\0")
    return found + table(b"DSDT", b"")


def test_firecrackers_machine_boots_and_ends(packed: Path, tmp_path: Path) -> None:
    """A microvm of QEMU's, with Firecracker's tables: a reset is the end of both."""
    settings = json.loads((packed / "app.json").read_text())
    tables = tmp_path / "acpi"
    tables.write_bytes(firecrackers_tables())
    start, size = settings["boot-source"], settings["machine-config"]["mem_size_mib"]
    result = machine.qemu(
        *("-M", "microvm,acpi=off", "-nodefaults", *PLAIN[:2], "-m", str(size), "-no-reboot"),
        *("-device", f"loader,file={tables},addr={TABLES:#x},force-raw=on"),
        *("-kernel", packed / start["kernel_image_path"]),
        *("-append", f"{start['boot_args']} ovum.log=3"),
        limit_s=machine.LIMIT_S,
    ).expect()
    assert size == 192
    assert SAID.format("pvh", WORDS) in result.out
    assert "S5 unknown" in result.out, "the machine has not found its tables"


def test_libvirts_machine_boots(packed: Path) -> None:
    root = ElementTree.parse(packed / "app.xml").getroot()

    def text(path: str) -> str:
        found = root.findtext(path)
        assert found is not None
        return found

    kind = root.find("os/type")
    assert kind is not None and root.findtext("memory") == "192"
    result = machine.qemu(
        *("-M", str(kind.get("machine")), "-nodefaults", *PLAIN[:2], "-m", text("memory")),
        *("-kernel", text("os/kernel"), "-append", text("os/cmdline")),
        *("-device", "virtio-rng-pci"),
        limit_s=machine.LIMIT_S,
    ).expect()
    assert SAID.format("pvh", WORDS) in result.out
