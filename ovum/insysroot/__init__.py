"""Scripts that run under the sysroot's Python, and the way to run them.

They import nothing of ovum: the sysroot's Python knows only its own library.
"""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ovum.paths import cache_dir

if TYPE_CHECKING:
    from ovum.sysroot import Sysroot


def environ(sysroot: "Sysroot") -> dict[str, str]:
    """The environment for the sysroot's Python that keeps its bytecode in the cache.

    The sysroot itself is only read, and without bytecode every start compiles what it imports.
    """
    variables = sysroot.python_env()
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    # The order of a set in bytecode, for one, depends on the hash seed.
    return {
        **variables,
        "PYTHONPYCACHEPREFIX": str(cache_dir() / "pycache"),
        "PYTHONHASHSEED": "0",
    }


def run_script(
    sysroot: "Sysroot", name: str, request: str, *flags: str
) -> "subprocess.CompletedProcess[str]":
    """Runs the script of this name with the request as its standard input."""
    script = Path(__file__).parent / f"{name}.py"
    return subprocess.run(
        sysroot.python("-P", "-S", *flags, str(script)),
        env=environ(sysroot),
        input=request,
        capture_output=True,
        text=True,
    )
