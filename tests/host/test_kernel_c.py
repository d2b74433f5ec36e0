"""The parts of the kernel that are plain C, compiled for this Linux with sanitizers.

Each C file in kernel/ is a program of checks for one area, written with kernel/check.h; what
belongs to the machine is replaced by kernel/shim. Every check is a test of its own here.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ovum.paths import REPO

KERNEL = REPO / "microkernel"
CHECKS = Path(__file__).with_name("kernel")

STAND_INS = ["shim/machine.c", "shim/heap.c", "shim/program.c"]
FILES = [*STAND_INS, "mm/pmm.c", "mm/user.c", "fs/inode.c", "fs/regular.c"]
TREE = [*FILES, "fs/directory.c", "fs/path.c"]

AREAS: dict[str, list[str]] = {
    "avl": ["core/avl.c"],
    "format": ["core/log.c"],
    "string": [],  # includes core/string.c, whose functions need other names
    "boot_info": ["core/boot_info.c"],
    "multiboot2": ["core/boot_info.c"],
    "pmm": ["shim/machine.c", "mm/pmm.c"],
    "kmalloc": ["shim/machine.c", "mm/pmm.c", "mm/kmalloc.c"],
    "vma": ["shim/heap.c", "core/avl.c", "mm/vma.c"],
    "regular": FILES,
    "regular_short": FILES,
    "directory": TREE,
    "listing": TREE,
    "path": TREE,
    "cpio": [*TREE, "fs/cpio.c"],
    "pipe": [*FILES, "fs/file.c", "fs/pipe.c", "fs/ring.c"],
    "openfile": [*FILES, "fs/file.c", "fs/pipe.c", "fs/ring.c"],
}
"""The programs, and what each is linked with."""

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FLAGS = [
    *("-std=c17", "-O1", "-g1", "-Wall", "-Wextra", "-Werror", "-Wvla", "-Wshadow"),
    *("-Wstrict-prototypes", "-Wmissing-prototypes", "-Wno-unused-parameter"),
    # What the kernel's code may rely on: as in its Makefile.
    *("-fno-strict-aliasing", "-fwrapv", "-fno-common", "-fno-tree-loop-distribute-patterns"),
    *("-fno-omit-frame-pointer", *SANITIZERS),
    *("-I", str(CHECKS / "shim"), "-I", str(KERNEL), "-I", str(CHECKS)),
]
ENVIRONMENT = {
    # Leaks are the checks' business: they count the kernel's objects and frames.
    "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:print_legend=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
SECONDS = 120
"""For one program; each of its checks has a limit of its own."""

_TEST = re.compile(r"^TEST\((\w+)\)", re.MULTILINE)
_LINE = re.compile(r"TEST (\w+) (ok|fail)(?: (.*))?")
_LAST = re.compile(r"TESTS (\d+) done")


class BuildFailedError(Exception):
    """The compiler's or the linker's messages."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one program said."""

    verdicts: dict[str, str | None]
    """What is wrong with each check, or None."""
    announced: int | None
    """The number of checks in the last line."""
    messages: dict[str, str]
    """Standard error while each check ran: what the sanitizers found."""


def parse(output: str, errors: str) -> Report:
    verdicts: dict[str, str | None] = {}
    announced = None
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            name, verdict, detail = match.groups()
            verdicts[name] = None if verdict == "ok" else detail or "no reason given"
        elif match := _LAST.fullmatch(line):
            announced = int(match[1])
    parts = [part.partition("\n") for part in errors.split("---- ")[1:]]
    return Report(verdicts, announced, {name: text for name, _, text in parts})


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BuildFailedError(done.stderr)


class Programs:
    """Builds and runs each program when the first of its tests asks for it, every file once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: dict[str, Report | BuildFailedError] = {}

    def report(self, area: str) -> Report:
        if area not in self.reports:
            try:
                self.reports[area] = self.run(self.build(area))
            except BuildFailedError as error:
                self.reports[area] = error
        report = self.reports[area]
        if isinstance(report, BuildFailedError):
            pytest.fail(f"{area} cannot be built:\n{report}", pytrace=False)
        return report

    def build(self, area: str) -> Path:
        with ThreadPoolExecutor() as pool:
            objects = list(pool.map(self.compile, [f"{area}.c", "check.c", *AREAS[area]]))
        program = self.folder / area
        # The kernel's addresses of itself are absolute.
        run("gcc", "-no-pie", *SANITIZERS, *objects, "-o", program)
        return program

    def compile(self, name: str) -> Path:
        ours = CHECKS / name
        source = ours if ours.exists() else KERNEL / name
        out = self.folder / f"{source.relative_to(REPO)}.o".replace("/", "-")
        if not out.exists():
            run("gcc", *FLAGS, "-c", source, "-o", out)
        return out

    def run(self, program: Path) -> Report:
        done = subprocess.run(
            [program],
            env={**os.environ, **ENVIRONMENT},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
        return parse(done.stdout, done.stderr)


def checks_of(area: str) -> list[str]:
    return _TEST.findall((CHECKS / f"{area}.c").read_text())


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(tmp_path_factory.mktemp("kernel"))


@pytest.mark.parametrize(
    ("area", "check"), [(area, check) for area in AREAS for check in checks_of(area)]
)
def test_kernel(programs: Programs, area: str, check: str) -> None:
    report = programs.report(area)
    if check not in report.verdicts:
        pytest.fail(f"the program said nothing of {check}", pytrace=False)
    if reason := report.verdicts[check]:
        pytest.fail(f"{reason}\n{report.messages.get(check, '')}", pytrace=False)


@pytest.mark.parametrize("area", AREAS)
def test_every_check_of_a_program_reports(programs: Programs, area: str) -> None:
    report = programs.report(area)
    assert report.announced == len(report.verdicts)
    assert list(report.verdicts) == checks_of(area)


def test_every_program_of_checks_is_run() -> None:
    written = {path.stem for path in CHECKS.glob("*.c") if _TEST.search(path.read_text())}
    assert written == set(AREAS)


def test_a_failed_check_a_crash_and_a_missing_line_are_told_apart() -> None:
    report = parse(
        "TEST good ok\nTEST bad fail x.c:1: 1 is 2\nTESTS 2 done\n",
        "---- good\n---- bad\nwhat the sanitizer says\n",
    )
    assert report.verdicts == {"good": None, "bad": "x.c:1: 1 is 2"}
    assert report.messages["bad"] == "what the sanitizer says\n"
    assert report.announced == 2
    assert parse("TEST good ok\n", "").announced is None
