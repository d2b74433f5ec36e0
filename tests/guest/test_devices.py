"""Devices that QEMU attaches come up by their drivers, whatever carries them."""

import json

import pytest

from . import machine

SOURCE = """\
import json
from ovum.drivers import manager
from ovum.services.main import call
manager.start()
read = [call(source.read) for source in manager.find("entropy") for _ in range(3)]
print(json.dumps([[device.state for device in manager.devices()], [one.hex() for one in read]]))
"""

CARRIERS = [
    ("microvm", "virtio-rng-device"),
    ("microvm,acpi=on,pit=on,rtc=on", "virtio-rng-device"),
    ("pc", "virtio-rng-pci"),
    ("pc", "virtio-rng-pci,disable-modern=on,disable-legacy=off"),
    ("pc", "virtio-rng-pci,vectors=0"),
    ("q35", "virtio-rng-pci"),
    ("q35", "virtio-rng-pci,vectors=0"),
]
"""Memory-mapped, as the command line and as ACPI names it, and PCI, modern and legacy, with
messages and over an interrupt line."""


@pytest.mark.parametrize(("kind", "device"), CARRIERS)
def test_entropy_comes_from_the_host(kind: str, device: str) -> None:
    words = ("--machine", kind, "--qemu", f"-device {device}", "--qemu", f"-device {device}")
    result = machine.code(SOURCE, "--net", "none", *words).expect()
    states, read = json.loads(result.out)
    assert states == ["up", "up"]
    assert len(set(read)) == len(read) == 6
    assert all(len(one) >= 2 for one in read)


@pytest.mark.parametrize("kind", ["microvm", "pc", "q35"])
def test_a_machine_without_devices_starts_none(kind: str) -> None:
    result = machine.code(SOURCE, "--net", "none", "--machine", kind).expect()
    assert json.loads(result.out) == [[], []]


IMPORTED = """\
import sys
from ovum.drivers import manager
manager.start()
print([device.state for device in manager.devices()])
print(*sorted(name for name in sys.modules if name.startswith("ovum.drivers.")))
"""

NOT_ON_MICROVM = (
    "display",
    "e1000",
    "input",
    "ninep",
    "pci.function",
    "pci.scan",
    "ps2",
    "virtio.pci",
)


def test_drivers_that_are_not_needed_are_not_imported() -> None:
    devices = "-device virtio-rng-device -netdev user,id=n -device virtio-net-device,netdev=n"
    states, modules = (
        machine.code(IMPORTED, "--net", "none", "--qemu", devices).expect().out.splitlines()
    )
    assert states == "['up', 'up']"
    names = [name.removeprefix("ovum.drivers.") for name in modules.split()]
    assert "virtio.net" in names
    assert not [name for name in names if name.startswith((*NOT_ON_MICROVM, "virtio.block"))]
    states, modules = machine.code(IMPORTED, "--net", "none").expect().out.splitlines()
    assert states == "[]"
    assert "virtio.queue" not in modules
