"""ovum.siblings: what a program imports from a shared folder, remembered while nothing changes."""

from pathlib import Path

import pytest

from ovum import siblings
from ovum.application import Program
from ovum.siblings import imported_files
from ovum.sysroot import Sysroot
from tests.host.caches import use_fresh_cache


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    use_fresh_cache(monkeypatch, tmp_path / "cache")
    folder = tmp_path / "shared"
    (folder / "package").mkdir(parents=True)
    (folder / "prog.py").write_text("import one, json\nfrom package import sub\nimport late\n")
    (folder / "one.py").write_text("")
    (folder / "other.py").write_text("")
    (folder / "package/__init__.py").write_text("")
    (folder / "package/sub.py").write_text("")
    return Program(("/app/prog.py",), folder, entry=folder / "prog.py")


def names(sysroot: Sysroot, program: Program) -> list[str]:
    return [file.name for file in imported_files(sysroot, program)]


EXPECTED = ["one.py", "package/__init__.py", "package/sub.py", "prog.py"]


def test_what_is_imported_is_taken_and_nothing_else(sysroot: Sysroot, program: Program) -> None:
    assert names(sysroot, program) == EXPECTED


def test_an_unchanged_program_is_not_analysed_again(
    sysroot: Sysroot, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(sysroot, program)
    monkeypatch.setattr(siblings, "_analyse", None)
    assert names(sysroot, program) == EXPECTED


def test_a_changed_module_is_looked_into_again(sysroot: Sysroot, program: Program) -> None:
    names(sysroot, program)
    assert program.folder is not None
    (program.folder / "one.py").write_text("import other")
    assert names(sysroot, program) == sorted([*EXPECTED, "other.py"])


def test_a_module_that_was_missing_is_found_when_it_comes(
    sysroot: Sysroot, program: Program
) -> None:
    names(sysroot, program)
    assert program.folder is not None
    (program.folder / "late.py").write_text("")
    assert names(sysroot, program) == ["late.py", *EXPECTED]


def test_a_module_that_goes_is_not_missed(sysroot: Sysroot, program: Program) -> None:
    names(sysroot, program)
    assert program.folder is not None
    (program.folder / "one.py").unlink()
    assert names(sysroot, program) == EXPECTED[1:]


def test_code_and_modules_have_no_entry(sysroot: Sysroot, program: Program) -> None:
    assert names(sysroot, Program(("-c", ""), program.folder, code="import other")) == ["other.py"]
    found = names(sysroot, Program(("-m", "package"), program.folder, module="package.sub"))
    assert found == ["package/__init__.py", "package/sub.py"]
