"""`python3 -m ovum.services.js`: JavaScript from the command line, with node's words."""

from __future__ import annotations

import os
import sys

USAGE = """\
usage: python3 -m ovum.services.js [-e SOURCE | -p SOURCE | -c FILE | FILE | FOLDER | -] [ARGUMENTS]

  -e SOURCE    run this
  -p SOURCE    run this and print the value of its last statement
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
