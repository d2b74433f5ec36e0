"""ovum.toolchain: what makes a build happen, and what does not."""

import os
import time
from pathlib import Path

import pytest

from ovum import toolchain
from ovum.progress import Progress
from ovum.sysroot import Sysroot
from ovum.toolchain import BuildError, ensure_kernel, ensure_pyhost

MAKEFILE = """\
$(BUILD)/kernel.elf: main.c
\techo made >> $(BUILD)/log
\tcp main.c $@
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose kernel is a copy of its only source; every make adds a line to a log."""
    monkeypatch.setattr(toolchain, "REPO", tmp_path)
    monkeypatch.setattr(toolchain, "build_dir", lambda: tmp_path / "build")
    (tmp_path / "microkernel").mkdir()
    (tmp_path / "microkernel" / "Makefile").write_text(MAKEFILE)
    (tmp_path / "microkernel" / "main.c").write_text("int main;\n")
    return tmp_path


def build(checkout: Path) -> int:
    """Builds; returns how many times make has made the kernel so far."""
    ensure_kernel(Progress(silent=True))
    return len((checkout / "build/kernel/log").read_text().splitlines())


def make_older(path: Path) -> None:
    os.utime(path, (1, 1))


def test_an_unchanged_kernel_is_built_once(checkout: Path) -> None:
    assert build(checkout) == 1
    assert build(checkout) == 1


def test_a_changed_source_is_built_again(checkout: Path) -> None:
    build(checkout)
    source = checkout / "microkernel" / "main.c"
    later = time.time() + 10
    source.write_text("int main(void);\n")
    os.utime(source, (later, later))
    assert build(checkout) == 2
    assert (checkout / "build/kernel/kernel.elf").read_text() == "int main(void);\n"


def test_a_removed_source_starts_make(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = checkout / "microkernel" / "extra.h"
    extra.touch()
    make_older(extra)
    build(checkout)
    extra.unlink()
    started = []
    monkeypatch.setattr(toolchain, "_make", lambda *args: started.append(args))
    build(checkout)
    assert len(started) == 1


def test_other_settings_build_from_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(checkout)
    leftover = checkout / "build/kernel/old.o"
    leftover.touch()
    stamp = checkout / "build/kernel/kernel.elf.stamp"
    stamp.write_text("other" + stamp.read_text())
    assert build(checkout) == 1
    assert not leftover.exists()


def test_a_compiler_error_is_shown_whole(checkout: Path) -> None:
    (checkout / "microkernel" / "Makefile").write_text(
        "$(BUILD)/kernel.elf:\n\t@echo first line; echo second line >&2; exit 1\n"
    )
    with pytest.raises(BuildError, match=r"first line\n(.|\n)*second line"):
        ensure_kernel(Progress(silent=True))


def test_a_missing_tool_names_its_package(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match="make is missing: install the Debian package make"):
        ensure_kernel(Progress(silent=True))


def test_deciding_that_nothing_changed_is_quick(sysroot: Sysroot, pyhost: Path) -> None:
    # Processor time: that of the clock is also what other tests take meanwhile.
    started = time.process_time()
    assert ensure_pyhost(Progress(), sysroot) == pyhost
    assert time.process_time() - started < 0.05
