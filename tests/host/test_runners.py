"""ovum.runners: programs that are not Python, and the parts of ovum that come in with them."""

import stat
from pathlib import Path

import pytest

from ovum.application import contents, find_program
from ovum.cpio import read_archive, regular, write_archive
from ovum.options import parse_build, parse_run
from ovum.progress import Progress
from ovum.runners import (
    KINDS,
    PARTS,
    PREPARED,
    Kind,
    RunnerError,
    ensure_part,
    ensure_prepared,
    imported_parts,
    kind_of,
    named_parts,
    parts_of_files,
)
from ovum.stdlib import SITE_PACKAGES
from ovum.sysroot import Sysroot
from ovum.tree import source_file

VERSIONS = Path(__file__).parents[1] / "guest/wheels/versions.txt"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_a_program_is_known_by_its_files_name(tmp_path: Path) -> None:
    (tmp_path / "prog.wasm").write_bytes(b"\0asm\1\0\0\0")
    (tmp_path / "data.txt").write_text("")
    program = find_program("prog.wasm", ["-v", "a b"], settings=["fuel=7"], cwd=tmp_path)
    assert program.arguments == (
        *("-m", "ovum.wasm", "--set", "fuel=7", "/app/prog.wasm", "-v", "a b"),
    )
    assert program.kind is kind_of("prog.wasm")
    assert [file.name for file in contents(program).files] == ["data.txt", "prog.wasm"]
    assert kind_of("prog.py") is None


@pytest.mark.parametrize("setting", ["fule=7", "fuel", "=7"])
def test_a_setting_that_the_runner_does_not_know_is_an_error(tmp_path: Path, setting: str) -> None:
    (tmp_path / "prog.wasm").write_bytes(b"")
    with pytest.raises(RunnerError, match=r"prog\.wasm knows .*fuel=INSTRUCTIONS"):
        find_program("prog.wasm", [], settings=[setting], cwd=tmp_path)


def test_settings_are_for_programs_that_are_not_python(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("")
    for target in ("prog.py", None):
        with pytest.raises(RunnerError, match="not Python"):
            find_program(target, [], settings=["fuel=7"], cwd=tmp_path)


def test_the_command_line_takes_settings() -> None:
    options = parse_run(["--set", "dir=/a", "--set=fuel=7", "prog.wasm", "--set", "x"])
    assert (options.settings, options.arguments) == (["dir=/a", "fuel=7"], ["--set", "x"])
    assert parse_build(["--set", "fuel=7", "prog.wasm", "-o", "x"]).settings == ["fuel=7"]


@pytest.mark.parametrize(
    "code",
    [
        *("import ovum.wasm", "from ovum.wasm import run", "from ovum import wasm, net"),
        *("from ovum import (wasm)", "import sys, ovum.wasm as w"),
    ],
)
def test_a_program_that_imports_a_part_is_seen(tmp_path: Path, code: str) -> None:
    assert imported_parts(code) == [PARTS["wasm"]]
    (tmp_path / "a.py").write_text(f"import os\n{code}\n")
    (tmp_path / "wasm.txt").write_text("import ovum.wasm")
    files = [source_file(name, tmp_path / name) for name in ("a.py", "wasm.txt")]
    assert parts_of_files(files) == [PARTS["wasm"]]
    assert parts_of_files(files[1:]) == []


@pytest.mark.parametrize("code", ["import wasm", "from ovum.net import wasmx", "ovum.wasmer", ""])
def test_a_program_that_imports_none_needs_none(code: str) -> None:
    assert imported_parts(code) == []


def test_with_takes_parts_by_their_names() -> None:
    assert named_parts(["numpy", "ovum.wasm"]) == ([PARTS["wasm"]], ["numpy"])
    assert named_parts(["ovum.other"]) == ([], ["ovum.other"])


def test_the_packages_of_parts_are_pinned_to_what_is_tested() -> None:
    tested = VERSIONS.read_text().split()
    for requirement in (*PARTS["wasm"].requirements, *KINDS[0].requirements):
        assert requirement in tested
        assert f'"{requirement}"' in PROJECT.read_text()


def test_a_program_is_prepared_once(
    sysroot: Sysroot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a module from the packages, which finds ovum's own beside it."""
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path / "cache"))
    code = b"""import sys
from ovum.paths import REPO
folder, *words, program = sys.argv[1:]
content = open(program, "rb").read()
if content == b"bad":
    sys.exit("no good")
open(folder + "/made", "wb").write(content + repr(words).encode())
"""
    packages = tmp_path / "packages.cpio"
    with packages.open("wb") as archive:
        write_archive(archive, [regular(f"{SITE_PACKAGES}/preparer.py", code)])
    program = tmp_path / "prog.x"
    kind = Kind((".x",), "ovum.wasm", {}, prepare="preparer")
    for content in (b"one", b"two", b"one"):
        program.write_bytes(content)
        layer = ensure_prepared(sysroot, program, kind, ["a=b"], packages, Progress(silent=True))
        (entry,) = [one for one, _ in read_archive(layer.read_bytes()) if stat.S_ISREG(one.mode)]
        assert entry.name == f"{PREPARED}/made"
        assert entry.content == content + b"['--set', 'a=b']"
    assert len(list((tmp_path / "cache/prepared").glob("*.cpio"))) == 2
    program.write_bytes(b"bad")
    with pytest.raises(RunnerError, match=r"prog\.x: no good"):
        ensure_prepared(sysroot, program, kind, [], packages, Progress(silent=True))


def test_a_part_is_a_layer_of_bytecode(sysroot: Sysroot) -> None:
    archive = ensure_part(sysroot, PARTS["wasm"])
    entries = [entry for entry, _ in read_archive(archive.read_bytes())]
    names = [entry.name for entry in entries if stat.S_ISREG(entry.mode)]
    assert "usr/lib/python3.13/ovum/wasm/__main__.pyc" in names
    assert all(name.endswith(".pyc") for name in names)
    before = archive.stat().st_ino
    assert ensure_part(sysroot, PARTS["wasm"]).stat().st_ino == before
