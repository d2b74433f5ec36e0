"""The formats: what they are called, how their files end, what boots them, and how each is made."""

import dataclasses
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ovum.pack.payload import PackError, Payload
from ovum.progress import Progress


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """One of them."""

    suffix: str
    beside: str
    """The suffix of a second file, which comes beside the first; "" for none."""
    boots: str
    """Who boots it, for the summary."""
    start: str
    """How: a command, in which {file} and {memory} (MiB) are to be filled in."""


FORMATS: Final[Mapping[str, Format]] = {
    "iso": Format(
        *(".iso", "", "CD, USB stick or disk; BIOS and UEFI"),
        "qemu-system-x86_64 -m {memory} -cdrom {file}",
    ),
    "raw": Format(
        *(".img", "", "disk or USB stick; BIOS and UEFI"),
        "qemu-system-x86_64 -m {memory} -drive format=raw,file={file}",
    ),
    "qcow2": Format(
        *(".qcow2", "", "QEMU and what is made of it; BIOS and UEFI"),
        "qemu-system-x86_64 -m {memory} -drive format=qcow2,file={file}",
    ),
    "firecracker": Format(
        *(".json", ".elf", "Firecracker 1.12 or newer"),
        "firecracker --no-api --config-file {file}",
    ),
    "containerdisk": Format(
        *(".tar", "", "KubeVirt, from a registry"),
        "skopeo copy oci-archive:{file} docker://REGISTRY/NAME:TAG",
    ),
    "libvirt": Format(".xml", ".elf", "libvirt with KVM", "virsh create --console {file}"),
}


def format_of(out: Path) -> str:
    """The format that a file's name asks for. Raises PackError."""
    found = [name for name, known in FORMATS.items() if known.suffix == out.suffix]
    if not found:
        raise PackError(f"--format is missing, and -o {out} does not say either: {known_formats()}")
    return found[0]


def known_formats() -> str:
    """All names, for messages."""
    return ", ".join(FORMATS)


def files(formats: Sequence[str], out: Path) -> dict[str, Path]:
    """Where each format goes: to `out` if it is the only one, else beside each other, with a
    suffix added to `out`."""
    if len(formats) == 1:
        return {formats[0]: out}
    return {name: out.with_name(out.name + FORMATS[name].suffix) for name in formats}


def pack(payload: Payload, wanted: Mapping[str, Path], work: Path, progress: Progress) -> None:
    """Writes these formats to these files. `work` is a folder for scraps.

    Raises PackError for what is missing or cannot be, OSError.
    """
    disks = _Disks(payload, wanted, work, progress)
    for name, out in wanted.items():
        with progress.step(f"packing {name}"):
            _WRITERS[name](payload, out, disks)


class _Disks:
    """The disks that several formats are made of, each made once."""

    def __init__(
        self, payload: Payload, wanted: Mapping[str, Path], work: Path, progress: Progress
    ) -> None:
        self._payload = payload
        self._wanted = wanted
        self._made: dict[str, Path] = {}
        self.work = work

    def raw(self) -> Path:
        """The raw disk."""
        if "raw" not in self._made:
            from ovum.pack.disk import write_disk

            self._made["raw"] = self._wanted.get("raw", self.work / "disk.img")
            write_disk(self._payload, self._made["raw"])
        return self._made["raw"]

    def qcow2(self) -> Path:
        """The qcow2 file."""
        if "qcow2" not in self._made:
            from ovum.pack.qcow2 import write_qcow2

            raw = self.raw()
            self._made["qcow2"] = self._wanted.get("qcow2", self.work / "disk.qcow2")
            write_qcow2(raw, self._made["qcow2"])
        return self._made["qcow2"]


def _iso(payload: Payload, out: Path, _: _Disks) -> None:
    from ovum.pack.iso import write_iso

    write_iso(payload, out)


def _raw(_: Payload, __: Path, disks: _Disks) -> None:
    disks.raw()


def _qcow2(_: Payload, __: Path, disks: _Disks) -> None:
    disks.qcow2()


def _containerdisk(_: Payload, out: Path, disks: _Disks) -> None:
    from ovum.pack.containerdisk import write_containerdisk

    write_containerdisk(disks.qcow2(), out.stem, out, disks.work)


def _firecracker(payload: Payload, out: Path, _: _Disks) -> None:
    from ovum.pack.firecracker import write_firecracker

    write_firecracker(payload, out)


def _libvirt(payload: Payload, out: Path, _: _Disks) -> None:
    from ovum.pack.libvirt import write_libvirt

    write_libvirt(payload, out)


_WRITERS: Final[Mapping[str, Callable[[Payload, Path, _Disks], None]]] = {
    "iso": _iso,
    "raw": _raw,
    "qcow2": _qcow2,
    "containerdisk": _containerdisk,
    "firecracker": _firecracker,
    "libvirt": _libvirt,
}


def summary(wanted: Mapping[str, Path], memory_mib: int) -> Iterator[str]:
    """What has been made, and how each is started: a few lines."""
    for name, out in wanted.items():
        known = FORMATS[name]
        beside = out.with_suffix(known.beside) if known.beside else None
        made = [out] if beside is None else [out, beside]
        size = sum(file.stat().st_size for file in made) / (1 << 20)
        yield f"{' and '.join(map(str, made))}: {size:.1f} MiB, {known.boots}"
        yield "  " + known.start.format(file=shlex.quote(str(out)), memory=memory_mib)
