"""ovum.tree: which files of a folder are a program's, and which folders are taken whole."""

import os
from pathlib import Path

import pytest

from ovum import tree
from ovum.tree import Refusal, SourceFile, program_tree, source_file, whole_tree


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(found: list[SourceFile] | Refusal) -> list[str]:
    assert not isinstance(found, Refusal), found.reason
    return [file.name for file in found]


def test_a_programs_files_are_taken_and_tools_leavings_are_not(tmp_path: Path) -> None:
    wanted = ["data/table.csv", "package/__init__.py", "prog.py"]
    make(tmp_path, *wanted)
    make(tmp_path, ".git/config", ".env", "__pycache__/prog.cpython-313.pyc", "prog.pyc")
    make(tmp_path, "node_modules/x/index.js", "package/__pycache__/x.pyc", "app.elf", "prog.py~")
    assert names(program_tree(tmp_path)) == wanted


def test_a_virtual_environment_is_left_out_whatever_its_name(tmp_path: Path) -> None:
    make(tmp_path, "prog.py", "my-env/pyvenv.cfg", "my-env/lib/x.py")
    assert names(program_tree(tmp_path)) == ["prog.py"]


def test_build_output_is_left_out_but_not_a_package_of_that_name(tmp_path: Path) -> None:
    make(tmp_path, "prog.py", "dist/prog.whl", "build/__init__.py")
    assert names(program_tree(tmp_path)) == ["build/__init__.py", "prog.py"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "app/prog.py", "data/file")
    (tmp_path / "app/data").symlink_to("../data")
    (tmp_path / "app/file").symlink_to("../data/file")
    (tmp_path / "app/self").symlink_to(".")
    (tmp_path / "app/broken").symlink_to("nowhere")
    assert names(program_tree(tmp_path / "app")) == ["data/file", "file", "prog.py"]


def test_what_is_no_regular_file_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "prog.py")
    os.mkfifo(tmp_path / "pipe")
    assert names(program_tree(tmp_path)) == ["prog.py"]


def test_a_folder_with_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_FILES", 2)
    make(tmp_path, "a", "b")
    assert names(program_tree(tmp_path)) == ["a", "b"]
    make(tmp_path, "c")
    assert program_tree(tmp_path) == Refusal("has more than 2 files")


def test_a_folder_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MAX_BYTES", 1 << 20)
    (tmp_path / "large").write_bytes(bytes((1 << 20) + 1))
    assert program_tree(tmp_path) == Refusal("has more than 1 MiB")


def test_shared_folders_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert program_tree(tmp_path) == Refusal("is a home folder")
    assert program_tree(Path("/")) == Refusal("is the root of the file system")
    everybodys = tmp_path / "everybodys"
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    assert program_tree(everybodys) == Refusal("is a folder for everybody's files")


def test_a_folder_that_the_user_names_is_taken_as_it_is(tmp_path: Path) -> None:
    make(tmp_path, ".hidden", "build/x", "node_modules/y.pyc")
    assert names(whole_tree(tmp_path)) == [".hidden", "build/x", "node_modules/y.pyc"]


def test_only_executability_of_the_permissions_is_kept(tmp_path: Path) -> None:
    make(tmp_path, "tool", "data")
    (tmp_path / "tool").chmod(0o700)
    (tmp_path / "data").chmod(0o600)
    assert source_file("tool", tmp_path / "tool").permissions() == 0o755
    assert source_file("data", tmp_path / "data").permissions() == 0o644
