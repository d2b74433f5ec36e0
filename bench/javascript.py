"""JavaScript beside the Linux guest's: the same wheel runs the same programs, in turns."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench import figures, peers
from bench.figures import Figures, add_figures
from bench.machine import Setting, program_parts, run_to_end, started
from ovum.link import FromGuest
from ovum.progress import Progress
from ovum.runners import JAVASCRIPT, PARTS

PROGRAM: Final = Path(__file__).parent / "inside" / "javascript.py"
FIRST: Final = Path(__file__).parent / "inside" / "first.js"
HEAD: Final = ("JavaScript", "Linux", "ovum", "Linux / ovum", "goal", "met")
GOAL: Final = 1.0

_TIMEOUT_S: Final = 300.0


def measure(runs: int) -> dict[str, Figures]:
    """All values by target and figure; ovum's alone without a Linux guest."""
    linux: tuple[str, ...] = ()
    engine = importlib.util.find_spec("_quickjs")
    try:
        home = peers.find_peers()
        image = peers.ensure_guest(home, Progress())
        assert engine is not None and engine.origin is not None
        linux = (
            *(sys.executable, str(home / "linux_guest.py"), "run", "--image", str(image)),
            *("--app", str(PROGRAM), "--timeout", str(_TIMEOUT_S)),
            *("--file", f"_quickjs.abi3.so={engine.origin}"),
        )
    except peers.PeersError as error:
        print(f"bench: {error}\nbench: measuring ovum alone", file=sys.stderr)
    part = PARTS[JAVASCRIPT.part or ""]
    parts = program_parts("--with", part.requirements[0], str(PROGRAM))
    first = program_parts(str(FIRST))
    found: dict[str, Figures] = {"ovum": {}, **({"linux": {}} if linux else {})}
    for _ in range(runs):
        outcome = run_to_end(parts, Setting(), _TIMEOUT_S)
        add_figures(found["ovum"], outcome.output.decode(), PROGRAM.name)
        with started(first, Setting(machine="microvm")) as machine:
            for stamp, frame in machine.frames(_TIMEOUT_S):
                if frame.type is FromGuest.STDOUT:
                    found["ovum"].setdefault("first line of a program ms", []).append(
                        stamp.wall * 1000
                    )
                    break
        if linux:
            done = subprocess.run(linux, capture_output=True, text=True, errors="replace")
            add_figures(found["linux"], done.stdout, PROGRAM.name)
    return found


def rows(found: dict[str, Figures]) -> list[tuple[str, ...]]:
    """The lines of the table: medians of all runs; less is better."""
    goals = dict.fromkeys(found.get("linux", ()), GOAL)
    return figures.rows(found, goals, less_is_better=True, digits=1)
