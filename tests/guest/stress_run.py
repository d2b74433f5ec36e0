"""Runs the programs of `tests.guest.stress` in a guest; by hand, too:

    .venv/bin/python -m tests.guest.stress_run fuzz SEED CALLS [THREADS]
    .venv/bin/python -m tests.guest.stress_run registers SECONDS
    .venv/bin/python -m tests.guest.stress_run wakeups SECONDS

Seed 0 is a new one, which is printed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from . import machine

PROGRAMS: Final = Path(__file__).with_name("stress")
FLAGS: Final = "-std=gnu17 -O2 -g -shared -fPIC -nostdlib -Wall -Wextra -Werror".split()
LIBRARIES: Final = {
    # Without the vector unit: other code leaves garbage in its control words here.
    "registers": ("-mgeneral-regs-only", "-fno-strict-aliasing", "registers.c"),
    "wakeups": ("wakeups.c",),
    "fuzz": ("-mgeneral-regs-only", "-mno-red-zone", "fuzz.c", "fuzz_world.c"),
}


def build(folder: Path) -> list[str]:
    """Compiles the native parts into a folder; the options that put them into a guest."""
    options = []
    for name, words in LIBRARIES.items():
        library = folder / f"{name}.so"
        sources = [str(PROGRAMS / word) if word.endswith(".c") else word for word in words]
        subprocess.run(["gcc", *FLAGS, "-o", str(library), *sources], check=True)
        options += ["--add", f"{library}:/opt/{library.name}"]
    return options


def command(options: list[str], limit_s: float, *words: object) -> list[str]:
    """The words of `ovum run` for one program and its arguments."""
    return [*options, "--timeout", str(limit_s), "-m", PROGRAMS.name, *map(str, words)]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        options = build(Path(folder))
        words = command(options, 24 * 3600, *sys.argv[1:])
        return subprocess.run([*machine.OVUM, "run", *words], cwd=PROGRAMS.parent).returncode


if __name__ == "__main__":
    sys.exit(main())
