"""Runs the checks named as arguments, all without one, and reports a line for each."""

import importlib
import json
import sys
import threading
import time
import traceback

from .registry import CHECKS, open_descriptors

_THEMES = """
    clocks devices faults files limits local_sockets mapping memory_edges mounts pointers
    priority proc processes request_edges requests sealing served_sockets services signal_edges
    signal_queues signals stdlib thread_ends threads waiting
"""
for _theme in _THEMES.split():
    # Importing registers the checks of a theme.
    importlib.import_module(f".{_theme}", __package__)


def _leftovers(before: set[int]) -> str:
    """What a check should have cleaned up."""
    descriptors = sorted(open_descriptors() - before)
    extra = [thread.name for thread in threading.enumerate()[1:]]
    return " ".join(
        [f"descriptor {fd} is still open" for fd in descriptors]
        + [f"{name} still runs" for name in extra]
    )


def _run(name: str) -> bool:
    before = open_descriptors()
    started = time.monotonic()
    try:
        CHECKS[name]()
        detail = _leftovers(before)
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
