"""Runs the programs named as arguments, one after another, and reports a line of JSON for each.

They share one interpreter, which saves importing NumPy five times. An exception ends only the
program that raised it.
"""

import contextlib
import io
import json
import runpy
import sys
import time
import traceback


def _run(name: str) -> None:
    output = io.StringIO()
    error = None
    started = time.monotonic()
    with contextlib.redirect_stdout(output):
        try:
            runpy.run_module(f"{__package__}.{name}", run_name="__main__", alter_sys=True)
        except BaseException:
            # Whatever ends a program must not end the others.
            error = traceback.format_exc()
    seconds = round(time.monotonic() - started, 3)
    line = {"name": name, "output": output.getvalue(), "error": error, "seconds": seconds}
    print("WHEEL", json.dumps(line), flush=True)


for _name in sys.argv[1:]:
    _run(_name)
