"""The parts of the kernel that are plain C, compiled for this Linux with sanitizers.

Each C file of kernel/ is a program of checks for one area; see kernel/check.h. What belongs to the
machine is replaced by kernel/shim.
"""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ovum.paths import REPO

KERNEL = REPO / "microkernel"
CHECKS = Path(__file__).with_name("kernel")

FLAGS = [
    *("-std=c17", "-O1", "-g", "-Wall", "-Wextra", "-Werror"),
    # As the kernel's own Makefile has it: what the code may rely on.
    *("-fno-strict-aliasing", "-fwrapv", "-fno-common", "-fno-tree-loop-distribute-patterns"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
    *("-I", str(CHECKS / "shim"), "-I", str(KERNEL), "-I", str(CHECKS)),
]
ENVIRONMENT = {
    # Objects of the kernel end with the process of a check; the checks count them where it matters.
    "ASAN_OPTIONS": "detect_leaks=0:print_legend=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
SECONDS = 60

STAND_INS = ["shim/machine.c", "shim/heap.c", "shim/program.c"]
FILES = [*STAND_INS, "mm/pmm.c", "mm/user.c", "fs/inode.c", "fs/regular.c"]
AREAS: dict[str, list[str]] = {
    "avl": ["core/avl.c"],
    "format": ["core/log.c"],
    "string": [],
    "boot_info": ["core/boot_info.c"],
    "multiboot2": ["core/boot_info.c"],
    "pmm": ["shim/machine.c", "mm/pmm.c"],
    "kmalloc": ["shim/machine.c", "mm/pmm.c", "mm/kmalloc.c"],
    "vma": ["shim/heap.c", "core/avl.c", "mm/vma.c"],
    "regular": FILES,
    "regular_short": FILES,
    "directory": [*FILES, "fs/directory.c"],
    "listing": [*FILES, "fs/directory.c"],
    "path": [*FILES, "fs/directory.c", "fs/path.c"],
    "cpio": [*FILES, "fs/directory.c", "fs/path.c", "fs/cpio.c"],
    "pipe": [*FILES, "fs/file.c", "fs/pipe.c"],
    "openfile": [*FILES, "fs/file.c", "fs/pipe.c"],
}
"""The programs, and what of the kernel each is linked with."""

_TEST = re.compile(r"^TEST\((\w+)\)", re.MULTILINE)
_LINE = re.compile(r"TEST (\w+) (ok|fail)(?: (.*))?")
_LAST = re.compile(r"TESTS (\d+) done")


@dataclass
class Report:
    """What one program said."""

    verdicts: dict[str, str | None] = field(default_factory=dict)
    """What is wrong with each check, or None."""
    announced: int | None = None
    """The number of checks in the last line."""
    messages: dict[str, str] = field(default_factory=dict)
    """Standard error while each check ran: what the sanitizers found."""


def parse(output: str, errors: str) -> Report:
    report = Report()
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            name, verdict, detail = match.groups()
            report.verdicts[name] = None if verdict == "ok" else detail or "no reason given"
        elif match := _LAST.fullmatch(line):
            report.announced = int(match[1])
    for part in errors.split("---- ")[1:]:
        name, _, text = part.partition("\n")
        report.messages[name] = text
    return report


class Builder:
    """Compiles every file once, when the first program that is made of it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[Path, Path] = {}
        self.reports: dict[str, Report] = {}
        self.broken: set[str] = set()

    def compile(self, source: Path) -> Path:
        if source not in self.objects:
            out = self.folder / f"{len(self.objects)}-{source.stem}.o"
            self.run("gcc", *FLAGS, "-c", source, "-o", out)
            self.objects[source] = out
        return self.objects[source]

    def report(self, area: str) -> Report:
        if area not in self.reports:
            names = [f"{area}.c", "check.c", *AREAS[area]]
            program = self.folder / area
            objects = [self.compile(find(name)) for name in names]
            self.run("gcc", "-no-pie", "-fsanitize=address,undefined", *objects, "-o", program)
            done = subprocess.run(
                [program],
                env={**os.environ, **ENVIRONMENT},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
            )
            self.reports[area] = parse(done.stdout, done.stderr)
        return self.reports[area]

    def run(self, *command: str | Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.fail(done.stderr, pytrace=False)


def find(name: str) -> Path:
    """A file of the kernel, or a stand-in for one."""
    stand_in = CHECKS / name
    return stand_in if stand_in.exists() else KERNEL / name


def checks_of(area: str) -> list[str]:
    return _TEST.findall((CHECKS / f"{area}.c").read_text())


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("kernel"))


@pytest.mark.parametrize(
    ("area", "check"), [(area, check) for area in AREAS for check in checks_of(area)]
)
def test_kernel(builder: Builder, area: str, check: str) -> None:
    report = builder.report(area)
    if check not in report.verdicts:
        pytest.fail(f"{area} said nothing of {check}", pytrace=False)
    if reason := report.verdicts[check]:
        pytest.fail(f"{reason}\n{report.messages.get(check, '')}", pytrace=False)


@pytest.mark.parametrize("area", AREAS)
def test_every_check_of_an_area_reports(builder: Builder, area: str) -> None:
    report = builder.report(area)
    assert report.announced == len(report.verdicts)
    assert list(report.verdicts) == checks_of(area)
