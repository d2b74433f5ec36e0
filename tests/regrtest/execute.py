"""Runs plans to their end, whatever happens to the interpreters that work on them."""

import dataclasses
import json
import selectors
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        over: list[Module] = []

        def take(line: bytes, reader: Reader = reader, over: list[Module] = over) -> None:
            module = reader.feed(line)
            if module is not None:
                over.append(module)

        verdict, detail = _work(interpreter, todo, log, take)
        done = {module.name for module in over}
        left = [job for job in todo if job.name not in done]
        if not reader.complete:
            unfinished = reader.broken_off(verdict, detail)
            if unfinished is None:
                # Not even the first module began: nothing says that another attempt would do more.
                for job in left[:1]:
                    modules[job.name] = Module(job.name, error=f"{verdict} at the start\n{detail}")
                    over.append(modules[job.name])
                left = left[1:]
            elif unfinished.error is not None:
                over.append(unfinished)
                left = [job for job in left if job.name != unfinished.name]
            else:
                left = [_rest(job, unfinished) for job in left]
        yield from over
        todo = left


def _rest(job: Job, unfinished: Module) -> Job:
    if job.name != unfinished.name:
        return job
    return dataclasses.replace(job, skip=job.skip | unfinished.tests.keys())


def _work(
    interpreter: Interpreter, jobs: Sequence[Job], log: Path, take: Callable[[bytes], None]
) -> tuple[str, str]:
    """Has the jobs worked on; returns how it ended if not well, and the last words."""
    plan = {
        "modules": [dataclasses.asdict(job) | {"skip": sorted(job.skip)} for job in jobs],
        "refuse": interpreter.refuse,
    }
    with tempfile.TemporaryFile() as stdin, log.open("ab") as errors:
        stdin.write(json.dumps(plan).encode())
        stdin.seek(0)
        began = errors.tell()
        process = subprocess.Popen(
            interpreter.command,
            env=interpreter.environ,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            silent = _follow(process, max(job.limit_s for job in jobs) + SLACK_S, take)
    with log.open("rb") as said:
        said.seek(max(began, said.seek(0, 2) - _TAIL))
        tail = said.read().decode(errors="replace")
    if silent:
        return "hang", f"silent for too long, killed\n{tail}"
    if process.returncode == STATUS_PANIC:
        return "panic", tail
    return "hang" if "Timeout (" in tail else "crash", f"status {process.returncode}\n{tail}"


def _follow(
    process: "subprocess.Popen[bytes]", patience_s: float, take: Callable[[bytes], None]
) -> bool:
    """Hands on the lines of the output; ends a process that is silent for too long."""
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(patience_s):
                process.kill()
                return True
            # read1 would wait for more than what is there.
            chunk = process.stdout.read1(65536)  # type: ignore[attr-defined]
            if not chunk:
                return False
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                take(line)
