"""`python -m tests.host.wasm.spec [--write] [FILE …]`: runs the tests and tells what fails.

`--write` makes what fails now what is expected to fail: expected.json.
"""

import json
import sys
from typing import Final

from .runner import EXPECTED, Script, load

WRITE: Final = "--write"


def main(words: list[str]) -> None:
    """Runs the named files, or all."""
    files = load()
    names = [word for word in words if word != WRITE] or list(files)
    failing, commands = {}, 0
    for name in names:
        failures = Script().failures(files[name])
        commands += len(files[name])
        for number, wrong in failures.items():
            print(f"{name} {number}: {wrong.splitlines()[0]}")
        if failures:
            failing[name] = list(failures)
    passed = commands - sum(map(len, failing.values()))
    print(f"{passed} of {commands} pass")
    if WRITE in words and len(names) == len(files):
        lines = (f"{json.dumps(name)}: {numbers}" for name, numbers in failing.items())
        EXPECTED.write_text(f'{{"passes": {passed},\n' + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
