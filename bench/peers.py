"""The peers: a folder with a Linux guest to compare with, and the programs that measure both.

It is no part of this project. `$OVUM_PEERS` names it; without that it is looked for beside the
checkout, in `../shared/peers`.
"""

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from ovum.paths import REPO, cache_dir
from ovum.progress import Progress

NETWORK: Final = ("http_asyncio", "http_threading", "net")
"""Servers, with a client on this host."""

PROGRAMS: Final = ("boot", "cpu", "syscalls", "mem", "threads", "files", "imports", *NETWORK)
"""What is run of the peers' programs."""

_IDLE_WAIT_S: Final = 5
"""How long run_all waits, before each program, for others on this host to be done."""


class PeersError(Exception):
    """There is nothing to compare with; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Something that runs the peers' programs."""

    label: str
    launcher: tuple[str, ...]
    programs: tuple[str, ...]


def find_peers() -> Path:
    """The folder of the peers. Raises PeersError."""
    named = os.environ.get("OVUM_PEERS")
    folder = Path(named) if named else REPO.parent / "shared" / "peers"
    if not (folder / "bench" / "run_all.py").is_file():
        raise PeersError(
            f"no Linux guest to compare with: {folder} has no bench/run_all.py; "
            "set OVUM_PEERS to the folder of the peers"
        )
    return folder.resolve()


def ensure_guest(peers: Path, progress: Progress) -> Path:
    """The Linux guest's image, built the first time. Raises PeersError."""
    image = cache_dir() / "linux-guest"
    if (image / "image.json").is_file():
        return image
    # Its own build removes nothing that an interrupted one left.
    shutil.rmtree(image, ignore_errors=True)
    with progress.step("building the Linux guest (once, one or two minutes)"):
        done = subprocess.run(
            [sys.executable, str(peers / "linux_guest.py"), "build", "--out", str(image)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    if done.returncode:
        shutil.rmtree(image, ignore_errors=True)
        raise PeersError(f"the Linux guest cannot be built:\n{done.stdout.strip()[-2000:]}")
    return image


def ovum_targets() -> list[Target]:
    """ovum, on both machines; the second also as the interpreter alone, on this host."""
    ours = (sys.executable, "-m", "bench.launcher")
    return [
        Target("ovum-microvm", (*ours, "ovum", "--machine", "microvm"), ("boot",)),
        Target("ovum-pc", (*ours, "ovum", "--machine", "pc"), PROGRAMS),
        Target("native-pyhost", (*ours, "pyhost"), ("cpu",)),
        Target("native-debian", (*ours, "debian"), ("cpu",)),
    ]


def linux_targets(peers: Path, image: Path) -> list[Target]:
    """The Linux guest, on both machines."""
    guest = (sys.executable, str(peers / "linux_guest.py"), "run", "--image", str(image))
    return [
        Target("linux-microvm", (*guest, "--machine", "microvm"), ("boot",)),
        Target("linux-pc", (*guest, "--machine", "pc"), PROGRAMS),
    ]


def results_file(folder: Path, target: Target, program: str) -> Path:
    """Where the values of one program on one target are kept."""
    return folder / target.label / f"{program}.json"


def measure(peers: Path, target: Target, program: str, out: Path) -> None:
    """Runs one program on one target, once, and adds its values to the file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(peers / "bench" / "run_all.py")]
    command += ["--launcher", shlex.join(target.launcher), "--label", target.label]
    command += ["--only", program, "--runs", "1", "--boots", "1", "--append", "--out", str(out)]
    command += ["--idle-wait", str(_IDLE_WAIT_S)]
    # A failure is in the file and on the terminal; the other programs still have their turn.
    subprocess.run(command, cwd=REPO, stdin=subprocess.DEVNULL)
