"""Disks beside the Linux guest's: the same program reads and writes one raw, in turns."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from bench import figures, peers
from bench.figures import Figures, add_figures
from bench.machine import Setting, program_parts, run_to_end
from ovum.progress import Progress

PROGRAM: Final = Path(__file__).parent / "inside" / "blocks.py"
HEAD: Final = ("disk", "Linux", "ovum", "ovum / Linux", "goal", "met")
GOALS: Final = {"read MiB/s": 0.9, "write MiB/s": 0.9}

_DISK_MIB: Final = 64
_MEMORY_MIB: Final = 256
_TIMEOUT_S: Final = 120.0


def measure(folder: Path, runs: int) -> dict[str, Figures]:
    """All values by target and figure; ovum's alone without a Linux guest."""
    disk = folder / "disk.img"
    disk.write_bytes(b"a block device  " * (_DISK_MIB << 16))
    words = (
        *("-drive", f"if=none,id=bench,format=raw,file={disk}"),
        *("-device", "virtio-blk-pci,drive=bench"),
    )
    linux: tuple[str, ...] = ()
    try:
        home = peers.find_peers()
        image = peers.ensure_guest(home, Progress())
        linux = (
            *(sys.executable, str(home / "linux_guest.py"), "run", "--image", str(image)),
            *("--app", str(PROGRAM), "--mem", str(_MEMORY_MIB), "--timeout", str(_TIMEOUT_S)),
            *(f"--qemu-arg={word}" for word in words),
        )
    except peers.PeersError as error:
        print(f"bench: {error}\nbench: measuring ovum alone", file=sys.stderr)
    parts = program_parts(str(PROGRAM))
    setting = Setting(memory_mib=_MEMORY_MIB, more=words)
    found: dict[str, Figures] = {"ovum": {}, **({"linux": {}} if linux else {})}
    try:
        for _ in range(runs):
            output = run_to_end(parts, setting, _TIMEOUT_S).output.decode()
            add_figures(found["ovum"], output, PROGRAM.name)
            if linux:
                done = subprocess.run(linux, capture_output=True, text=True, errors="replace")
                add_figures(found["linux"], done.stdout, PROGRAM.name)
    finally:
        disk.unlink()
    return found


def rows(found: dict[str, Figures]) -> list[tuple[str, ...]]:
    """The lines of the table: medians of all runs."""
    return figures.rows(found, GOALS, less_is_better=False, digits=0)
