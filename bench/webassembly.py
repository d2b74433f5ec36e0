"""WebAssembly beside the Linux guest: the same program over the same package, in turns."""

import json
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from bench import peers
from bench.machine import Setting, program_parts, run_to_end
from ovum.cpio import read_archive
from ovum.paths import REPO
from ovum.progress import Progress
from ovum.runners import PARTS
from ovum.stdlib import SITE_PACKAGES
from ovum.sysroot import ensure_sysroot
from ovum.wheels import ensure_packages

PROGRAM: Final = Path(__file__).parent / "inside" / "webassembly.py"
HEAD: Final = ("WebAssembly, ms", "Linux", "ovum", "times better", "goal", "met")
GOALS: Final = {
    "CPU kernel": 1.0,
    "memory kernel": 1.0,
    "100,000 host calls": 1.0,
    "100 instances": 1.0,
}

_MEMORY_MIB: Final = 512
_TIMEOUT_S: Final = 240.0
_MARK: Final = "FIGURES "

Figures = dict[str, list[float]]


class WebAssemblyError(Exception):
    """The program has failed in a machine."""


def measure(folder: Path, runs: int) -> dict[str, Figures]:
    """All values by target and figure; ovum's alone without a Linux guest."""
    linux: tuple[str, ...] = ()
    try:
        home = peers.find_peers()
        image = peers.ensure_guest(home, Progress())
        archive = folder / "site.zip"
        _write_packages(archive)
        linux = (
            *(sys.executable, str(home / "linux_guest.py"), "run", "--image", str(image)),
            *("--app", str(PROGRAM), "--mem", str(_MEMORY_MIB), "--timeout", str(_TIMEOUT_S)),
            *("--file", f"site.zip={archive}"),
        )
    except peers.PeersError as error:
        print(f"bench: {error}\nbench: measuring ovum alone", file=sys.stderr)
    parts = program_parts(str(PROGRAM))
    setting = Setting(memory_mib=_MEMORY_MIB)
    found: dict[str, Figures] = {"ovum": {}, **({"linux": {}} if linux else {})}
    for _ in range(runs):
        _add(found["ovum"], run_to_end(parts, setting, _TIMEOUT_S).output.decode())
        if linux:
            done = subprocess.run(linux, capture_output=True, text=True, errors="replace")
            _add(found["linux"], done.stdout)
    return found


def _write_packages(path: Path) -> None:
    """What the program imports: the package of an image, and ovum.wasm."""
    part = PARTS["wasm"]
    layer = ensure_packages(ensure_sysroot(Progress()), [], part.requirements, Progress())
    with zipfile.ZipFile(path, "w") as archive:
        for entry, _ in read_archive(layer.read_bytes()):
            name = entry.name.removeprefix(f"{SITE_PACKAGES}/")
            if name != entry.name and isinstance(entry.content, bytes) and entry.content:
                archive.writestr(name, entry.content)
        archive.write(REPO / "ovum" / "__init__.py", "ovum/__init__.py")
        for source in (REPO / part.folder).glob("*.py"):
            archive.write(source, f"ovum/wasm/{source.name}")


def _add(figures: Figures, output: str) -> None:
    at = output.find(_MARK)
    if at < 0:
        raise WebAssemblyError(f"{PROGRAM.name} has failed:\n{output[-2000:]}")
    values: dict[str, float] = json.loads(output[at + len(_MARK) :].splitlines()[0])
    for name, value in values.items():
        figures.setdefault(name, []).append(value)


def rows(found: dict[str, Figures]) -> list[tuple[str, ...]]:
    """The lines of the table: medians of all runs."""
    lines: list[tuple[str, ...]] = []
    for name, values in found["ovum"].items():
        ours = statistics.median(values)
        theirs = statistics.median(found["linux"][name]) if "linux" in found else None
        goal = GOALS.get(name)
        ratio = "" if theirs is None else f"{theirs / ours:.2f}"
        met = "" if goal is None or theirs is None else "yes" if theirs >= goal * ours else "no"
        lines.append(
            (
                *(name, "" if theirs is None else f"{theirs:.1f}", f"{ours:.1f}", ratio),
                *("" if goal is None else f"{goal:g}", met),
            )
        )
    return lines
