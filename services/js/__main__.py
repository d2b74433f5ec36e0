"""`python3 -m ovum.services.js`: JavaScript from the command line, with node's words."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USAGE = """\
usage: python3 -m ovum.services.js [--set LIMIT] [-e CODE | -p CODE | -c FILE | FILE | -] [WORDS]

  --set time=SECONDS, memory=SIZE, stack=SIZE     limits; sizes as in 64M
  -e CODE      run this
  -p CODE      run this and print the value of its last statement
  -c FILE      look for syntax errors only
  -            the program is standard input
Without any, the prompt; or the program from standard input, if that is no terminal.
"""


def main(words: list[str]) -> int:
    """Does what the words say; the exit status."""
    from ovum.services.js import runner

    if words and words[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    while len(words) > 1 and words[0] == "--set":
        if not _set(runner.LIMITS, words[1]):
            print(f"--set {words[1]} is none of the limits\n{USAGE}", end="", file=sys.stderr)
            return 2
        words = words[2:]
    if not words and os.isatty(0) and os.isatty(1):
        from ovum.services.js.prompt import run_prompt

        return run_prompt()
    if not words or words[0] == "-":
        return runner.run_source(sys.stdin.read(), words[1:])
    if words[0] in ("-e", "-p", "-c"):
        if len(words) < 2:
            print(USAGE, end="", file=sys.stderr)
            return 2
        if words[0] == "-c":
            return _check(words[1])
        return runner.run_source(words[1], words[2:], show=words[0] == "-p")
    if words[0].startswith("-"):
        print(f"there is no option {words[0]}\n{USAGE}", end="", file=sys.stderr)
        return 2
    return runner.run(words[0], words[1:])


def _set(limits: dict[str, Any], setting: str) -> bool:
    name, _, value = setting.partition("=")
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    scale = units.get(value[-1:].upper(), 1) if name != "time" else 1
    try:
        number = float(value if scale == 1 else value[:-1])
    except ValueError:
        return False
    if name not in ("time", "memory", "stack") or not number > 0:
        return False
    limits[f"{name}_limit"] = number if name == "time" else int(number * scale)
    return True


def _check(path: str) -> int:
    from ovum.services.js.context import Context
    from ovum.services.js.errors import JSError
    from ovum.services.js.runner import report

    with Context() as context:
        try:
            context.modules.check(os.path.abspath(path))
        except JSError as error:
            print(report(context, error), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    try:
        status = main(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
