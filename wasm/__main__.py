"""`python3 -m ovum.wasm [--set KEY=VALUE] PROGRAM [ARGUMENTS …]`: runs a WASI command.

It gets the process's streams, its environment, and all files: the machine is the program's own.
docs/webassembly.md lists the settings.
"""

import _signal
import os
import sys

from ovum.wasm.command import Dir, run
from ovum.wasm.errors import Trap, WasmError
from ovum.wasm.limits import STACK, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USAGE = "usage: python3 -m ovum.wasm [--set KEY=VALUE ...] PROGRAM [ARGUMENTS ...]"
STATUS_USAGE = 2
STATUS_TRAP = 134
"""What a shell says of a program that aborted, and wasmtime's own command of a trap."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class SettingError(Exception):
    """A setting that is not understood."""


def main(words: "Sequence[str]") -> int:
    """Runs what these words say; gives the exit status."""
    settings, at = split_settings(words)
    if at >= len(words) or words[at].startswith("-"):
        print(USAGE, file=sys.stderr)
        return STATUS_USAGE
    program, arguments = words[at], words[at + 1 :]
    # A signal ends the program whatever it waits for, as it does with one that the machine runs.
    # (The module `signal` would take as long to import as everything here.)
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    name = os.path.basename(program)
    try:
        limits, cache = read_limits(settings)
        env = {**os.environ, **dict(_pair(value) for key, value in settings if key == "env")}
        dirs = read_dirs([value for key, value in settings if key == "dir"])
        return run(
            program if os.sep in program else f"./{program}",
            *(arguments, env, dirs),
            limits=limits,
            cache=cache,
        )
    except Trap as trap:
        print(f"{name}: {trap.kind}: {trap}", file=sys.stderr)
        return STATUS_TRAP
    except (WasmError, SettingError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return STATUS_USAGE


def split_settings(words: "Sequence[str]") -> tuple[list[tuple[str, str]], int]:
    """The settings that the words begin with, as names and values, and where they end."""
    settings = []
    at = 0
    while len(words) > at + 1 and words[at] == "--set":
        name, _, value = words[at + 1].partition("=")
        settings.append((name, value))
        at += 2
    return settings, at


def read_limits(settings: "Sequence[tuple[str, str]]") -> tuple[Limits, str | None]:
    """The limits that settings ask for, and the folder for compiled code. Raises SettingError."""
    given: Mapping[str, str] = dict(settings)
    for name in given:
        if name not in ("dir", "env", "fuel", "memory", "timeout", "stack", "cache"):
            raise SettingError(f"there is no setting {name!r}")
    try:
        limits = Limits(
            fuel=int(given["fuel"]) if "fuel" in given else None,
            memory=_size(given["memory"]) if "memory" in given else None,
            timeout=float(given["timeout"]) if "timeout" in given else None,
            stack=_size(given["stack"]) if "stack" in given else STACK,
            # A signal ends all of it, so only a deadline needs code that looks.
            interrupt="timeout" in given,
        )
    except ValueError as error:
        raise SettingError(f"a setting is no number: {error}") from error
    return limits, given.get("cache")


def read_dirs(texts: "Sequence[str]") -> dict[str, Dir]:
    """Folders of [NAME=]PATH[:ro]; without any, the working folder and all folders of the root.

    Not the root itself: the C library of WASI takes a path that is relative for one below `/`, and
    would find no file of the working folder.
    """
    if not texts:
        with os.scandir("/") as entries:
            folders = [entry.path for entry in entries if entry.is_dir()]
        mine = (path for path in sorted(folders) if os.access(path, os.R_OK | os.X_OK))
        return {".": Dir(os.getcwd()), **{path: Dir(path) for path in mine}}
    found = {}
    for text in texts:
        path = text.removesuffix(":ro")
        name, equals, folder = path.partition("=")
        found[name] = Dir(folder if equals else name, writable=path == text)
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SettingError(f"env wants KEY=VALUE, not {text!r}")
    return name, value


def _size(text: str) -> int:
    unit = text[-1:].upper() if text[-1:].isalpha() else ""
    if unit not in _UNITS:
        raise ValueError(text)
    return int(text.removesuffix(text[-1:]) if unit else text) * _UNITS[unit]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
