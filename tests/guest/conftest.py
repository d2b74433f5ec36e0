"""What several guest tests need: images and what is compiled, made once."""

import subprocess
from pathlib import Path

import pytest

from . import machine

HELLO = "hello from ring 0"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full` is for nights and releases: every memory size, two hundred boots."""
    parser.addoption("--full", action="store_true", help="also what takes many minutes")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full", default=False))


@pytest.fixture(scope="session")
def hello_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hello") / "hello.py"
    path.write_text(f"print({HELLO!r})\n")
    return path


@pytest.fixture(scope="session")
def hello_elf(hello_program: Path) -> Path:
    """An image that prints a line and ends."""
    image = hello_program.with_suffix(".elf")
    machine.command("build", hello_program, "-o", image).expect()
    return image


@pytest.fixture(scope="session")
def small_elf(hello_program: Path) -> Path:
    """The same, stripped."""
    image = hello_program.with_name("small.elf")
    machine.command("build", "--strip", hello_program, "-o", image).expect()
    return image


@pytest.fixture(scope="session")
def native_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """native.c and what goes with it as a shared library."""
    library = tmp_path_factory.mktemp("native") / "native.so"
    sources = [Path(__file__).with_name(name) for name in ("native.c", "faults.c", "cancel.c")]
    # -O1: the optimiser would otherwise unroll the recursion that is to exhaust a stack.
    flags = ["-O1", "-shared", "-fPIC", "-nostdlib", "-mno-red-zone", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", library, *sources], check=True)
    return library
