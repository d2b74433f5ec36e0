"""What Linux makes of the tests: Debian's Python, as limited as a guest. Kept in the cache."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from .execute import Interpreter, Job, run
from .records import Module
from .suite import Suite

INSIDE: Final = Path(__file__).with_name("inside")
LIMIT_S: Final = 60.0
"""The time for a test; those that Debian's buildbots need longer for ask for a resource."""


class Reference:
    """The results of one suite; each module is run when it is asked for first."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        state = hashlib.sha256()
        for file in sorted(INSIDE.glob("*.py")):
            state.update(file.read_bytes())
        self._folder = suite.folder / f"linux-{state.hexdigest()[:12]}"
        self._folder.mkdir(exist_ok=True)

    def results(
        self, names: Sequence[str], tell: Callable[[int, int, Module], None]
    ) -> dict[str, Module]:
        """The results of these modules; `tell` hears of each that has to be run."""
        found = {}
        missing = []
        for name in names:
            try:
                found[name] = Module.load(json.loads(self._file(name).read_bytes()))
            except FileNotFoundError:
                missing.append(name)
        # Each module in a process of its own, as many as there are processors.
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for number, module in enumerate(pool.map(self._run, missing)):
                tell(number + 1, len(missing), module)
                found[module.name] = module
        return found

    def _run(self, name: str) -> Module:
        with tempfile.TemporaryDirectory() as home:
            interpreter = Interpreter(
                self._suite.python(INSIDE),
                {**self._suite.environ(), "HOME": home, "TMPDIR": home},
                refuse=True,
            )
            log = self._folder / f"{name}.log"
            log.unlink(missing_ok=True)
            (module,) = run(interpreter, [Job(name, LIMIT_S)], log)
        # In one step: a run that is interrupted leaves no half of a file.
        part = self._folder / f"{name}.part"
        part.write_text(json.dumps(module.dump()))
        part.rename(self._file(name))
        return module

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
