"""WebAssembly beside the Linux guest: the same program over the same package, in turns."""

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from bench import figures, peers
from bench.figures import Figures, add_figures
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
        output = run_to_end(parts, setting, _TIMEOUT_S).output.decode()
        add_figures(found["ovum"], output, PROGRAM.name)
        if linux:
            done = subprocess.run(linux, capture_output=True, text=True, errors="replace")
            add_figures(found["linux"], done.stdout, PROGRAM.name)
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


def rows(found: dict[str, Figures]) -> list[tuple[str, ...]]:
    """The lines of the table: medians of all runs."""
    return figures.rows(found, GOALS, less_is_better=True, digits=1)
