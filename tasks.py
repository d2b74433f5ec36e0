"""The project's tasks. Each is one call into the package; `./dev` prepares the machine first."""

import shlex
import shutil
import sys
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from ovum import development
from ovum.paths import build_dir, cache_dir
from ovum.progress import Progress
from ovum.sysroot import SysrootError, ensure_sysroot
from ovum.toolchain import BuildError, ensure_kernel, ensure_pyhost


@task(help={"arguments": "more arguments for `ovum run`, as one word"})
def qemu(_: Context, arguments: str = "") -> None:
    """Boot to the Python prompt in this terminal."""
    # Only this task needs the command line and all it imports.
    from ovum import cli

    sys.exit(cli.main(["run", *shlex.split(arguments)]))


@task(help={"refresh": "make it again from today's Debian packages"})
def sysroot(_: Context, refresh: bool = False) -> None:
    """Fetch the Debian packages that the interpreter comes from."""
    try:
        made = ensure_sysroot(Progress(), refresh=refresh)
    except SysrootError as error:
        sys.exit(f"ovum: {error}")
    print(f"{made.root}: Python {made.python_version}, {len(made.packages)} packages")


@task
def build(_: Context) -> None:
    """Build the kernel and the interpreter."""
    progress = Progress()
    try:
        print(ensure_kernel(progress))
        print(ensure_pyhost(progress, ensure_sysroot(progress)))
    except (BuildError, SysrootError) as error:
        sys.exit(f"ovum: {error}")


@task
def check(_: Context) -> None:
    """Lint, check types and run the tests that need no QEMU."""
    development.lint()
    development.types()
    development.tests("host")


@task(pre=[check], help={"pytest": "more arguments for pytest, as one word"})
def test(_: Context, pytest: str = "") -> None:
    """Run all checks and tests, QEMU's last."""
    development.tests("guest", shlex.split(pytest))


@task
def regrtest(context: Context) -> None:
    """Run CPython's own tests on Linux and in the guest: `./dev regrtest [NAMES]`."""
    development.python("-m", "tests.regrtest", *shlex.split(context.remainder))


@task(help={"arguments": "arguments for the benchmarks, as one word"})
def bench(_: Context, arguments: str = "") -> None:
    """Measure, and print a table."""
    development.python("bench", *shlex.split(arguments))


@task(help={"cache": "also the downloads and the sysroot, which all checkouts share"})
def clean(_: Context, cache: bool = False) -> None:
    """Remove what was built."""
    folders: list[Path] = [build_dir(), *([cache_dir()] if cache else [])]
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
