"""The hot modules of the network stack as one extension module of the sysroot's Python, by mypyc.

From the very sources: what is interpreted elsewhere is compiled here. Nothing but the benchmark
uses it; docs/network.md says what it gives, and what is missing.
"""

import hashlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import mypyc
from mypy.version import __version__ as mypy_version

from ovum.paths import REPO, build_dir
from ovum.sysroot import Sysroot

GROUP: Final = "ovumnet"
MODULES: Final = (
    "net/counters", "net/ip", "net/stack", "net/wire/checksum",
    *(f"net/iface/{name}" for name in (
        "configuration", "core", "delivery", "input", "interface", "output", "routing", "timers",
    )),
    *(f"net/tcp/{name}" for name in (
        "cc/base", "cc/cubic", "cc/reno", "child", "connection", "host", "listen", "rack", "rtt",
        "rx_ack", "rx_data", "scoreboard", "seq", "settings", "states", "tcb", "timers",
        "timewait", "tx", "wakes",
    )),
)  # fmt: skip
"""What most packets run through, and with a class all that it inherits from or that inherits from
it: a compiled class has no interpreted subclasses."""

_GENERATE: Final = """
import sys
from mypyc.build import mypycify
folder, group, config, *sources = sys.argv[1:]
mypycify([config, *sources], target_dir=folder, group_name=group)
"""
_CONFIG: Final = f"""
[mypy]
python_version = 3.13
mypy_path = {REPO / "pyhost" / "stubs"}
follow_imports = silent
"""
_FLAGS: Final = (
    *("-Os", "-g0", "-fPIC", "-shared", "-w", "-fvisibility=hidden", "-fno-semantic-interposition"),
    *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,-s"),
    *("-fno-asynchronous-unwind-tables", "-Wl,-z,pack-relative-relocs"),
)


class CompileError(Exception):
    """mypyc or the compiler has failed; the message is theirs."""


def sources() -> list[Path]:
    """The modules' files, below the package's folder."""
    return [REPO / "ovum" / f"{name}.py" for name in MODULES]


def ensure_compiled(sysroot: Sysroot) -> tuple[Path, float]:
    """The extension module, and the seconds that it took to make; 0.0: it was there.

    Raises CompileError.
    """
    state = hashlib.sha256(repr((_FLAGS, _CONFIG, mypy_version, sysroot.digest)).encode())
    for path in sources():
        state.update(path.read_bytes())
    out = build_dir() / "bench" / f"compiled-{state.hexdigest()[:24]}.so"
    if out.exists():
        return out, 0.0
    begun = time.monotonic()
    work = build_dir() / "bench" / "compiled"
    work.mkdir(parents=True, exist_ok=True)
    (work / "mypy.ini").write_text(_CONFIG)
    names = [str(path.relative_to(REPO)) for path in sources()]
    config = f"--config-file={work / 'mypy.ini'}"
    _run(sys.executable, "-c", _GENERATE, str(work), GROUP, config, *names)
    headers = sysroot.root / "usr" / "include"
    runtime = Path(mypyc.__file__).parent / "lib-rt"
    # The sysroot's own headers of the C library come last: the compiler's belong before them.
    folders = ("-I", headers / "python3.13", "-idirafter", headers, "-I", runtime, "-I", work)
    new = out.with_suffix(".new")
    _run("gcc", *_FLAGS, *map(str, folders), "-o", str(new), str(work / f"__native_{GROUP}.c"))
    new.rename(out)
    return out, time.monotonic() - begun


def _run(*words: str) -> None:
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(f"{done.stdout}{done.stderr}".strip())
