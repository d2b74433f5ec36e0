"""Runs under the sysroot's Python: byte-compiles many files at once, on all CPUs.

Standard input has one JSON list a line: source file, output file, file name to put into the code.
Standard output gets one such list for each file that does not compile: its name and the reason.
The interpreter's own flags decide what is in the code, `-X no_debug_ranges` for one.
"""

import json
import os
import py_compile
import sys
from collections.abc import Iterable


def compile_share(share: Iterable[list[str]]) -> bool:
    """Compiles these files; returns whether the process could do its work at all."""
    for source, output, shown in share:
        try:
            os.makedirs(os.path.dirname(output), exist_ok=True)
            py_compile.compile(
                source,
                cfile=output,
                dfile=shown,
                doraise=True,
                # Unchecked: the image's files are what they are, so nothing is ever compiled
                # again because of a time stamp.
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError as error:
            # One write, so that lines of several processes do not mix.
            os.write(1, json.dumps([shown, str(error.msg).strip()]).encode() + b"\n")
    return True


def main() -> int:
    """Divides the files among as many processes as there are CPUs."""
    units = [json.loads(line) for line in sys.stdin]
    # Below some ten files a process, starting it costs more than it saves.
    shares = max(1, min(len(os.sched_getaffinity(0)), len(units) // 10))
    children = []
    for number in range(1, shares):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = 0 if compile_share(units[number::shares]) else 1
            finally:
                os._exit(status)
        children.append(pid)
    compile_share(units[0::shares])
    return max([0, *(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)])


if __name__ == "__main__":
    sys.exit(main())
