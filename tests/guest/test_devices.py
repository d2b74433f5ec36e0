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
    ("pc", "virtio-rng-pci"),
    ("pc", "virtio-rng-pci,disable-modern=on,disable-legacy=off"),
    ("pc", "virtio-rng-pci,vectors=0"),
    ("q35", "virtio-rng-pci"),
    ("q35", "virtio-rng-pci,vectors=0"),
]
"""Memory-mapped and PCI, modern and legacy, with messages and over an interrupt line."""


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
