"""The image for Firecracker, which starts it as it is (PVH: Firecracker 1.12 and newer), and the
configuration that `firecracker --no-api --config-file` reads."""

import json
from pathlib import Path

from ovum.atomic import replaced
from ovum.pack.payload import Payload, copy_to, whole


def write_firecracker(payload: Payload, out: Path) -> None:
    """Writes the image, and beside it the configuration, `.json`. Raises OSError."""
    with replaced(out, 0o777) as file:
        copy_to(file, whole(payload))
    with replaced(out.with_suffix(".json")) as file:
        file.write(configuration(payload, out.name).encode())


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
