"""Inside the machine: every file system answers as Linux does, through the system calls.

Prints a line `WRONG file-system: case: answer, and Linux answer` for each that does not, and at the
end `CONTRACT file-system cases wrong` for each file system.
"""

import os
import sys
import tempfile
from pathlib import Path

from .cases import all_cases
from .execute import Runner
from .record import recorded
from .systems import SYSTEMS


def _run(name: str, base: str, features: frozenset[str]) -> int:
    answers = recorded()
    os.chmod(base, 0o755)
    runner = Runner(os, base, features)
    runner.build()
    cases = wrong = 0
    for case, steps in all_cases().items():
        if not runner.applies(steps):
            continue
        cases += 1
        answer = runner.run(steps)
        if answer != answers[case]:
            wrong += 1
            print(f"WRONG {name}: {case}: {answer}, and Linux {answers[case]}")
    print(f"CONTRACT {name} {cases} {wrong}")
    return wrong


def main() -> int:
    """Runs all, or the file systems that the command line names."""
    from ovum.services import vfs

    from .record import EVERYTHING

    chosen = sys.argv[1:] or ["ram", *SYSTEMS]
    wrong = 0
    os.umask(0o022)
    if "ram" in chosen:
        wrong += _run("ram", tempfile.mkdtemp(), EVERYTHING)
    for name in chosen:
        if name == "ram":
            continue
        make, features = SYSTEMS[name]
        where = Path("/mnt") / name
        where.mkdir(parents=True)
        vfs.mount(str(where), make())
        (where / "tree").mkdir()
        wrong += _run(name, str(where / "tree"), features)
        vfs.umount(str(where))
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
