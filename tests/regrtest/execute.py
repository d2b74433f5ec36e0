"""Runs plans to their end, whatever happens to the interpreters that work on them."""

import dataclasses
import json
import os
import selectors
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from .records import Module, Reader

SLACK_S: Final = 90.0
"""How much longer than the time for a test an interpreter may be silent: its start is in it."""
STATUS_PANIC: Final = 70
_TAIL: Final = 6000


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One module to run."""

    name: str
    limit_s: float
    """How long one test may take."""
    skip: frozenset[str] = frozenset()
    """The tests that are not to be run."""
    only: tuple[str, ...] = ()
    """Classes or tests, if not all of the module is wanted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Interpreter:
    """How to start what works on a plan, which comes on its standard input, from a file."""

    command: Sequence[str]
    environ: Mapping[str, str] | None
    refuse: bool
    """Whether to be told to be as limited as a guest."""


def run(interpreter: Interpreter, jobs: Sequence[Job], log: Path) -> Iterator[Module]:
    """Runs the jobs, in one interpreter if it survives them; yields each module when it is over.

    After a crash or a hang another interpreter goes on behind the test that caused it. What the
    interpreters say besides is appended to `log`.
    """
    modules: dict[str, Module] = {}
    todo = list(jobs)
    while todo:
        reader = Reader(modules)
        work = Work(interpreter, todo, log)
        done = set()
        for line in work.lines():
            module = reader.feed(line)
            if module is not None:
                done.add(module.name)
                yield module
        todo = [job for job in todo if job.name not in done]
        if reader.complete or not todo:
            continue
        verdict, detail = work.ending()
        unfinished = reader.broken_off(verdict, detail)
        if unfinished is not None and unfinished.error is None:
            todo = [_rest(job, unfinished) for job in todo]
            continue
        if unfinished is None:
            # Not even a module began: nothing says that another attempt would do more.
            unfinished = Module(todo[0].name, error=f"{verdict} at the start\n{detail}")
        yield unfinished
        todo = [job for job in todo if job.name != unfinished.name]


def _rest(job: Job, unfinished: Module) -> Job:
    if job.name != unfinished.name:
        return job
    return dataclasses.replace(job, skip=job.skip | unfinished.tests.keys())


class Work:
    """One interpreter at work on jobs."""

    def __init__(self, interpreter: Interpreter, jobs: Sequence[Job], log: Path) -> None:
        self._interpreter = interpreter
        self._jobs = jobs
        self._log = log
        self._log_at = log.stat().st_size if log.exists() else 0
        self._silent = False
        self._status = 0

    def lines(self) -> Iterator[bytes]:
        """The lines of its output; an interpreter that is silent for too long is ended."""
        plan = {
            "modules": [dataclasses.asdict(job) | {"skip": sorted(job.skip)} for job in self._jobs],
            "refuse": self._interpreter.refuse,
        }
        with tempfile.TemporaryFile() as stdin, self._log.open("ab") as errors:
            stdin.write(json.dumps(plan).encode())
            stdin.seek(0)
            with subprocess.Popen(
                self._interpreter.command,
                env=self._interpreter.environ,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
            ) as process:
                yield from self._follow(process)
            self._status = process.returncode

    def _follow(self, process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
        assert process.stdout is not None
        patience_s = max(job.limit_s for job in self._jobs) + SLACK_S
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(patience_s):
                    self._silent = True
                    process.kill()
                    return
                chunk = os.read(process.stdout.fileno(), 65536)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines

    def ending(self) -> tuple[str, str]:
        """In a word what went wrong, and its last words."""
        with self._log.open("rb") as said:
            said.seek(max(self._log_at, said.seek(0, os.SEEK_END) - _TAIL))
            tail = said.read().decode(errors="replace")
        if self._silent:
            return "hang", f"silent for too long\n{tail}"
        if self._status == STATUS_PANIC:
            return "panic", tail
        return "hang" if "Timeout (" in tail else "crash", f"status {self._status}\n{tail}"
