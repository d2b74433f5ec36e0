"""A machine for Firecracker: the configuration that `firecracker --no-api --config-file` reads, and
the image, which Firecracker 1.12 and newer starts as it is (PVH)."""

import json
from pathlib import Path

from ovum.atomic import replaced
from ovum.pack.payload import Payload, image_beside


def write_firecracker(payload: Payload, out: Path) -> None:
    """Writes the configuration, and beside it the image, `.elf`. Raises PackError, OSError."""
    image = image_beside(payload, out)
    with replaced(out) as file:
        file.write(configuration(payload, image.name).encode())


def configuration(payload: Payload, image: str) -> str:
    """The configuration; `image` is the image's path, as seen by Firecracker."""
    network = payload.network
    interfaces = []
    if network.kind == "tap":
        interfaces = [
            {"iface_id": "eth0", "guest_mac": network.mac, "host_dev_name": network.tap},
        ]
    settings = {
        "boot-source": {"kernel_image_path": image, "boot_args": payload.words},
        "drives": [],
        "machine-config": {"vcpu_count": 1, "mem_size_mib": payload.memory_mib},
        "network-interfaces": interfaces,
    }
    return json.dumps(settings, indent=2) + "\n"
