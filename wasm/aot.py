"""Compiles a program ahead of its run: `python3 -m ovum.wasm.aot FOLDER [--set K=V …] PROGRAM`.

It runs on the host, when an image is made: compiling takes an emulated processor thirty times as
long. The code is for any processor that has what every guest's has.
"""

import sys

from ovum.wasm.__main__ import SettingError, read_limits, split_settings
from ovum.wasm.binary import is_component
from ovum.wasm.engine import Engine, prepare, to_binary
from ovum.wasm.errors import WasmError

FEATURES = ("sse3", "ssse3", "sse41", "sse42", "popcnt", "cmpxchg16b")
"""Of x86-64-v2, which the kernel's emulated processor has, and any that virtualises."""


def main(words: list[str]) -> None:
    """Compiles what these words name; ends the process with a message if that fails."""
    settings, at = split_settings(words[1:])
    try:
        with open(words[at + 1], "rb") as file:
            binary = to_binary(file.read())
        if is_component(binary):
            return
        limits, _ = read_limits(settings)
        engine = Engine(limits.fuel is not None, limits.interrupt, limits.stack, FEATURES)
        prepare(engine, binary, words[0])
    except (WasmError, SettingError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
