"""Runs the checks named as arguments, all without one, and reports a line for each."""

import importlib
import json
import os
import sys
import threading
import time
import traceback

from .registry import CHECKS

for _theme in ("streams", "readiness", "datagrams", "options", "interfaces", "library"):
    # Importing registers the checks of a theme.
    importlib.import_module(f".{_theme}", __package__)


def _descriptors() -> set[int]:
    found = set()
    for fd in range(512):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.add(fd)
    return found


def _run(name: str) -> bool:
    before = _descriptors()
    started = time.monotonic()
    try:
        CHECKS[name]()
        left = [f"descriptor {fd} is still open" for fd in sorted(_descriptors() - before)]
        left += [f"{thread.name} still runs" for thread in threading.enumerate()[1:]]
        detail = " ".join(left)
    except BaseException:
        # Whatever ends a check must not end the others.
        detail = traceback.format_exc()
    if detail:
        print(f"TEST {name} fail {json.dumps(detail)}", flush=True)
    else:
        print(f"TEST {name} ok {time.monotonic() - started:.3f} s", flush=True)
    return not detail


def main() -> int:
    """The number of checks that failed, as far as an exit status can say it."""
    names = sys.argv[1:] or list(CHECKS)
    failed = sum(not _run(name) for name in names)
    print(f"TESTS {len(names)} done", flush=True)
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main())
