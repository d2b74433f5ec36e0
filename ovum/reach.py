"""Which modules a program can reach: asks the sysroot's Python, and knows what it cannot see.

The sysroot's Python reads the import statements, since only it knows the grammar of the code. The
tables here hold what no import statement says: what the interpreter itself starts with, and what
C code imports.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.insysroot import run_script
from ovum.stdlib import LIBRARY, OWN

if TYPE_CHECKING:
    from ovum.sysroot import Sysroot

START_UP: Final = (
    # Imported by the interpreter before the program, and when it ends.
    *("encodings", "encodings.aliases", "encodings.ascii", "encodings.latin_1", "encodings.utf_8"),
    *("codecs", "io", "abc", "site", "os", "stat", "posixpath", "genericpath", "types"),
    *("_collections_abc", "_sitebuiltins", "warnings", "linecache", "weakref"),
    # Anything may be a relative or a lazy import, which importlib's own helpers serve.
    *("importlib", "importlib.util", "importlib.machinery"),
    # An uncaught exception is printed with these.
    *("traceback", "contextlib", "tokenize", "textwrap", "_colorize", "codeop"),
    # The services thread wakes up at the first request.
    "ovum.services.main",
)

MODULE_RUN: Final = ("runpy", "pkgutil")
"""For -m, and for folders and zip files."""

PROMPT: Final = (
    *("_pyrepl.main", "_pyrepl.simple_interact", "_pyrepl.readline", "_pyrepl.unix_console"),
    *("_pyrepl.unix_eventqueue", "_pyrepl.curses", "_pyrepl._minimal_curses", "_pyrepl.pager"),
    *("code", "rlcompleter", "readline", "pydoc", "_curses"),
)

NETWORK: Final = (*("ovum.net.service", "ovum.net.clients.configure", "ovum.net.socket.procnet"),)
"""What the services import once there is a socket."""

DRIVERS: Final = (
    *("ovum.drivers.virtio.disk", "ovum.drivers.virtio.serial", "ovum.drivers.virtio.net"),
    *("ovum.drivers.virtio.rng", "ovum.drivers.virtio.input", "ovum.drivers.virtio.ninep"),
    *("ovum.drivers.display.bochs", "ovum.drivers.e1000.card"),
)
"""What drivers/matches.py names. Which devices a machine has is its matter, not the program's."""

IMPLIED: Final = {
    "_asyncio": ["asyncio"],
    "_csv": ["csv"],
    "_ctypes": ["ctypes"],
    "_curses": ["curses"],
    "_datetime": ["datetime", "_strptime"],
    "_decimal": ["numbers", "collections"],
    "_elementtree": ["xml.etree.ElementTree", "xml.etree.ElementPath", "copy"],
    "_interpreters": ["pickle"],
    "_io": ["io", "encodings"],
    "_json": ["json.decoder"],
    "_lsprof": ["cProfile"],
    "_operator": ["operator"],
    "_pickle": ["copyreg", "_compat_pickle", "functools"],
    # Sockets are served by the network stack.
    "_socket": ["encodings.idna", *NETWORK],
    "_sqlite3": ["sqlite3.dbapi2", "sqlite3.dump"],
    "_ssl": ["socket", "ssl"],
    "_warnings": ["warnings"],
    "_zoneinfo": ["zoneinfo._common", "zoneinfo._tzpath"],
    "array": ["copyreg", "collections.abc"],
    "cProfile": ["pstats"],
    "encodings.idna": ["stringprep", "unicodedata"],
    "logging.config": ["logging.handlers"],
    "ovum.drivers.matches": [*DRIVERS],
    "multiprocessing": ["multiprocessing.pool", "multiprocessing.dummy"],
    "pyexpat": ["encodings.utf_16"],
    "readline": ["rlcompleter"],
    "time": ["_strptime"],
    "unittest": ["unittest.main"],
    "zipimport": ["zlib"],
}
"""For each module, what its C code or its tables of names import."""


IGNORED: Final = {
    # help(), and the prompt's line editor: who has them names them, or is the prompt.
    "_sitebuiltins": ["pydoc"],
    "site": [
        *("_pyrepl.main", "_pyrepl.readline", "_pyrepl.unix_console", "_pyrepl.windows_console"),
        *("readline", "rlcompleter", "usercustomize", "locale"),
    ],
    # What a finder does for the two modules that ask it for more than modules.
    "importlib._bootstrap_external": ["importlib.metadata", "importlib.readers"],
    # os.popen, which cannot work here: it starts a process.
    "os": ["subprocess"],
    # The network, which only a program that has sockets can need.
    "ovum.services.main": [*NETWORK],
    "ovum.services.proc.network": [*NETWORK],
    # -X tracemalloc, and a decorator's description of an async function.
    "warnings": ["tracemalloc", "inspect"],
    # The type of a capsule, which only a program that has sockets can need.
    "types": ["_socket"],
}
"""For each module, imports that would only be reached by a program that names the module, too."""


class ReachError(Exception):
    """The analysis itself failed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """What can be reached."""

    modules: dict[str, Path | None]
    """Every module with its file; builtin modules and namespace packages have none."""
    because: dict[str, str]
    """Every module with the first that wanted it."""
    missing: dict[str, str]
    """Names that were not found, each with a module that imports it; often an alternative."""
    strings: frozenset[str]
    """Short literals of the program, among which are the names of encodings."""


def reached(
    sysroot: "Sysroot",
    path: Sequence[Path],
    *,
    scripts: Sequence[Path] = (),
    code: Sequence[str] = (),
    modules: Sequence[str] = (),
    within: Path | None = None,
) -> Reached:
    """Follows the imports of these scripts, sources and modules along the path."""
    request = {
        "path": [str(folder) for folder in path],
        "scripts": [str(script) for script in scripts],
        "code": list(code),
        "modules": list(modules),
        "library": str(sysroot.root / LIBRARY),
        "implied": IMPLIED,
        "ignored": IGNORED,
        "within": None if within is None else str(within),
        "own": {} if within else {package: str(folder) for package, folder in OWN.items()},
    }
    done = run_script(sysroot, "imports", json.dumps(request))
    if done.returncode:
        raise ReachError(f"cannot find out what the program imports:\n{done.stderr.strip()}")
    answer = json.loads(done.stdout)
    files = {name: None if file is None else Path(file) for name, file in answer["modules"].items()}
    strings = frozenset(answer["strings"])
    return Reached(files, answer["because"], answer["missing"], strings)


def encodings_named(strings: frozenset[str]) -> list[str]:
    """The codec modules that these strings name, in whatever spelling Python accepts."""
    from encodings import normalize_encoding
    from encodings.aliases import aliases

    found = set()
    for text in strings:
        name = normalize_encoding(text).lower()
        name = aliases.get(name, name)
        if name in _CODECS:
            found.add(f"encodings.{name}")
    return sorted(found)


def _codecs() -> frozenset[str]:
    """The codecs that there are. The host's Python has the same as the sysroot's."""
    import encodings

    folder = Path(encodings.__file__).parent
    return frozenset(path.stem for path in folder.glob("*.py"))


_CODECS: Final = _codecs()
