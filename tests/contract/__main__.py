"""Inside the machine: every file system answers as Linux does, through the system calls.

Prints a line `WRONG file-system: case: answer, and Linux answer` for each that does not, and at the
end `CONTRACT file-system cases wrong` for each file system.
"""

import os
import sys
import tempfile

from ovum.services import vfs

from .cases import all_cases
from .execute import Runner
from .record import EVERYTHING, recorded
from .systems import OF_A_MACHINE, SYSTEMS, runner_on


def _run(name: str, runner: Runner, every: int = 1) -> int:
    runner.build()
    cases = {
        case: steps
        for number, (case, steps) in enumerate(all_cases().items())
        if number % every == 0 and runner.applies(steps)
    }
    wrong = runner.judge(cases, recorded(runner.features))
    for line in wrong:
        print(f"WRONG {name}: {line}")
    print(f"CONTRACT {name} {len(cases)} {len(wrong)}")
    return len(wrong)


def main() -> int:
    """Runs all, or the file systems that the command line names: `9p/4` with every fourth case."""
    chosen = sys.argv[1:] or ["ram", *SYSTEMS]
    wrong = 0
    os.umask(0o022)
    if "ram" in chosen:
        base = tempfile.mkdtemp()
        os.chmod(base, 0o755)
        wrong += _run("ram", Runner(os, base, EVERYTHING))
    for word in chosen:
        name, _, every = word.partition("/")
        if name != "ram":
            where = f"/mnt/{name}"
            os.makedirs(where)
            system = {**SYSTEMS, **OF_A_MACHINE}[name]
            wrong += _run(
                name, runner_on(system, os, vfs.mount, vfs.umount, where), int(every or 1)
            )
            vfs.umount(where)
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
