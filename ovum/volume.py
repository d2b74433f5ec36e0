"""Folders of the host's that a machine is given: `--volume HOST:GUEST[:ro]`."""

import dataclasses
from pathlib import Path
from urllib.parse import quote


@dataclasses.dataclass(frozen=True, slots=True)
class Volume:
    """A folder, where it is to be in the machine, and whether nothing in it may be changed."""

    host: Path
    guest: str
    readonly: bool = False

    @staticmethod
    def parse(text: str) -> "Volume":
        """Reads HOST:GUEST or HOST:GUEST:ro. Raises ValueError."""
        host, _, guest = text.removesuffix(":ro").rpartition(":")
        if not host or not guest.startswith("/") or guest.strip("/") == "":
            raise ValueError(f"not FOLDER:/PATH or FOLDER:/PATH:ro: {text!r}")
        folder = Path(host).expanduser().resolve()
        if not folder.is_dir():
            raise ValueError(f"there is no folder {host!r}")
        return Volume(folder, guest, text.endswith(":ro"))

    def kernel_word(self, number: int) -> str:
        """What tells the machine to mount it: drivers/volumes.py reads it."""
        flag = ":ro" if self.readonly else ""
        return f"ovum.volume={tag(number)}:{quote(self.guest)}{flag}"

    def qemu_words(self, number: int, bus: str) -> list[str]:
        """What has QEMU share it. bus: "device" for memory-mapped devices, or "pci"."""
        path = str(self.host).replace(",", ",,")
        backend = f"local,id={tag(number)},path={path},security_model=none,multidevs=remap"
        if self.readonly:
            backend += ",readonly=on"
        device = f"virtio-9p-{bus},fsdev={tag(number)},mount_tag={tag(number)}"
        return ["-fsdev", backend, "-device", device]


def tag(number: int) -> str:
    """By which both sides know a volume."""
    return f"volume{number}"
