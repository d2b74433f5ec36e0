"""What Linux makes of the tests: Debian's Python, as limited as a guest. Kept in the cache."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
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
        self,
        chosen: Mapping[str, tuple[str, ...]],
        tell: Callable[[int, int, Module], None],
    ) -> dict[str, Module]:
        """The results of these modules, or of parts of them; `tell` hears of each that has to be
        run."""
        found = {}
        missing = []
        for name, only in chosen.items():
            try:
                found[name] = Module.load(json.loads(self._file(name, only).read_bytes()))
            except FileNotFoundError:
                missing.append((name, only))
        # Each module in a process of its own, as many as there are processors.
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for number, module in enumerate(pool.map(lambda one: self._run(*one), missing)):
                tell(number + 1, len(missing), module)
                found[module.name] = module
        return found

    def _run(self, name: str, only: tuple[str, ...]) -> Module:
        with tempfile.TemporaryDirectory() as home:
            interpreter = Interpreter(
                self._suite.python(INSIDE),
                {**self._suite.environ(), "HOME": home, "TMPDIR": home},
                refuse=True,
            )
            file = self._file(name, only)
            log = file.with_suffix(".log")
            log.unlink(missing_ok=True)
            (module,) = run(interpreter, [Job(name, LIMIT_S, only=only)], log)
        # In one step: a run that is interrupted leaves no half of a file.
        part = file.with_suffix(".part")
        part.write_text(json.dumps(module.dump()))
        part.rename(file)
        return module

    def _file(self, name: str, only: tuple[str, ...]) -> Path:
        part = hashlib.sha256(" ".join(only).encode()).hexdigest()[:8] if only else "all"
        return self._folder / f"{name}-{part}.json"
