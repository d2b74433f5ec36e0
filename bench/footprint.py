"""What hello world takes: memory to run in, and room on a disk."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.machine import MachineTimeoutError, Setting, program_parts, run_to_end
from ovum.image import compose
from ovum.qemu import DEFAULT_MACHINE

TEXT: Final = "Hello, world"
VARIANTS: Final = {"default": (), "strip": ("--strip",)}
"""The kinds of image, and the words of `ovum run` that ask for them."""

MEMORY_BUDGET_MIB: Final = {"default": 40, "strip": 24}
IMAGE_BUDGET_MIB: Final = {"default": 30, "strip": 14}

_LARGEST_MIB: Final = 256
_TIMEOUT_S: Final = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Footprint:
    """The size of one kind of image, and the least memory that it runs in."""

    image_bytes: int
    memory_mib: int


def smallest(works: Callable[[int], bool], low: int, high: int) -> int:
    """The least number from `low` to `high` that works, where all above one that works do.

    `high` is taken to work.
    """
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return high


def measure(variant: str, folder: Path) -> Footprint:
    """Builds one kind of image, in this folder, and looks for the least memory."""
    script = folder / "hello" / "hello.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    if not script.exists():
        script.write_text(f"print({TEXT!r})\n")
    parts = program_parts(*VARIANTS[variant], str(script))
    size = compose(parts.kernel, [*parts.layers, parts.start()], folder / f"hello-{variant}.elf")

    def works(memory_mib: int) -> bool:
        setting = Setting(machine=DEFAULT_MACHINE, memory_mib=memory_mib)
        try:
            outcome = run_to_end(parts, setting, _TIMEOUT_S)
        except MachineTimeoutError:
            return False
        return outcome.status == 0 and outcome.output == TEXT.encode() + b"\n"

    return Footprint(size, smallest(works, 4, _LARGEST_MIB))
