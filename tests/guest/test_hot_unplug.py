"""Devices that are taken out while the machine runs: each is gone alone."""

import asyncio
from pathlib import Path

import pytest

from . import machine
from .qmp import controlled

PROGRAM = """\
import errno, os, sys, time
import _kernel
from ovum.drivers import manager
from ovum.services.main import call

manager.start()
use = sys.argv[1:] or None

def read():
    if manager.find("block"):
        with open("/dev/vda", "rb", buffering=0) as disk:
            return len(disk.read(4096))
    (source,) = manager.find("entropy")
    return len(call(source.read)) > 0

print(read(), flush=True)
sys.stdin.readline()
# ACPI's part in hot-plug, as far as it is needed: eject what is in slot 5 of the first bus
# (QEMU, docs/specs/acpi_pci_hotplug).
_kernel.out32(0xAE10, 0)
_kernel.out32(0xAE08, 1 << 5)
print("ejected", flush=True)
sys.stdin.readline()
try:
    print("read", read())
except Exception as error:
    print(type(error).__name__)
(device,) = manager.devices()
while device.state == "up":
    time.sleep(0.01)
print(device.state, manager.find("block"), manager.find("entropy"))
print("vda" in os.listdir("/dev"), flush=True)
"""

DEVICES = {
    "virtio-blk-pci": ("-drive", "if=none,id=d,format=raw,file={disk}",
                       "-device", "virtio-blk-pci,drive=d,id=it,addr=5"),
    "virtio-rng-pci": ("-device", "virtio-rng-pci,id=it,addr=5"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DEVICES)
def test_a_device_that_is_taken_out_fails_alone(kind: str, tmp_path: Path) -> None:
    image = tmp_path / "program.elf"
    machine.command("build", "-c", PROGRAM, "-o", image).expect()
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    words = [word.format(disk=disk) for word in DEVICES[kind]]

    async def main() -> None:
        async with controlled(image, "-M", "pc", "-cpu", "max", "-nodefaults", *words) as guest:
            first = await guest.read_until("\n")
            assert first.split()[-1] in ("4096", "True")
            await guest.control.execute("device_del", {"id": "it"})
            await guest.write("\n")
            await guest.read_until("ejected\r\n")
            await guest.event("DEVICE_DELETED")
            await guest.write("\n")
            said = await guest.read_until("False\r\n")
            lines = said.replace("\r", "").split("\n")
            assert "gone [] []" in lines, said
            assert not any(line.startswith("read") for line in lines), said

    asyncio.run(main())
