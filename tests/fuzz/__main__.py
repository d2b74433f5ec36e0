"""`python -m tests.fuzz wire --runs N`: any bytes into what reads bytes from a network.

With atheris (`pip install .[fuzz]`) it is guided by coverage; without, samples are changed by a
seeded generator. An input that raises what it should not, or takes more than HANG_S, is printed.
Five million runs is what a night is for.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
import time
from collections.abc import Sequence
from random import Random
from types import FrameType, ModuleType

from tests.fuzz.mutate import mutated

TARGETS = ("wire", "stack")
"""Modules of this folder, each with `run(data)` and `SEEDS`."""

HANG_S = 5.0
"""Of the processor's time: others may have it meanwhile."""


class HangError(Exception):
    """An input takes too long."""


def on_alarm(number: int, frame: FrameType | None) -> None:
    """The handler of the timer."""
    raise HangError(f"an input takes more than {HANG_S} s")


def fuzz(target: ModuleType, runs: int, seed: int) -> None:
    """Runs a target with mutated samples. Raises what it raises, with the input as a note."""
    rng = Random(seed)
    old = signal.signal(signal.SIGVTALRM, on_alarm)
    data = b""
    try:
        for turn in range(runs):
            # One timer for a thousand inputs: setting it costs more than most of these.
            if turn % 1000 == 0:
                signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            data = mutated(rng, target.SEEDS)
            target.run(data)
    except BaseException as error:
        error.add_note(f"seed {seed}, input bytes.fromhex({data.hex()!r})")
        raise
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


def fuzz_with_atheris(name: str, runs: int, seed: int) -> None:
    """The same, guided by coverage. Does not return: it ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["ovum.net"]):
        target = importlib.import_module(f"tests.fuzz.{name}")
    arguments = [sys.argv[0], f"-runs={runs}", f"-seed={seed or 1}", f"-timeout={HANG_S:.0f}"]
    samples = iter(target.SEEDS * 20)

    def one(data: bytes) -> None:
        # The samples first, over and over at the beginning, instead of a folder of files.
        target.run(next(samples, data))

    atheris.Setup(arguments, one)
    atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plain", action="store_true", help="without atheris, even if it is there")
    options = parser.parse_args(arguments)
    if not options.plain and importlib.util.find_spec("atheris") is not None:
        fuzz_with_atheris(options.target, options.runs, options.seed)
        return 0
    target = importlib.import_module(f"tests.fuzz.{options.target}")
    started = time.monotonic()
    fuzz(target, options.runs, options.seed)
    took = time.monotonic() - started
    print(f"{options.target}: {options.runs} inputs in {took:.1f} s, seed {options.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
