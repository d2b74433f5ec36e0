"""ovum.application: what the words of a command line mean, as with python3."""

import zipfile
from pathlib import Path

import pytest

from ovum.application import Addition, Program, ProgramError, contents, find_program


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "prog.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__main__.py").write_text("")
    return tmp_path


def test_nothing_is_the_prompt() -> None:
    program = find_program(None, [])
    assert program == Program(())
    assert program.interactive
    assert contents(program).files == ()


def test_a_script_takes_its_folder_along(here: Path) -> None:
    program = find_program("prog.py", ["-v", "two words"], cwd=here)
    assert program.arguments == ("/app/prog.py", "-v", "two words")
    assert [file.name for file in contents(program).files] == [
        *("helper.py", "package/__main__.py", "prog.py")
    ]


def test_a_script_elsewhere_starts_in_its_own_folder(here: Path) -> None:
    program = find_program("package/__main__.py", [], cwd=here)
    assert program.arguments == ("/app/__main__.py",)
    assert [file.name for file in contents(program).files] == ["__main__.py"]


def test_a_folder_with_a_main_module_is_a_program(here: Path) -> None:
    program = find_program("package", ["a"], cwd=here)
    assert program.arguments == ("/app", "a")
    assert program.entry == here / "package/__main__.py"


def test_a_zip_file_is_all_of_its_program(here: Path) -> None:
    with zipfile.ZipFile(here / "tool.pyz", "w") as archive:
        archive.writestr("__main__.py", "print('hello')")
    program = find_program("tool.pyz", [], cwd=here)
    assert program.arguments == ("/app/tool.pyz",)
    assert [file.name for file in contents(program).files] == ["tool.pyz"]


@pytest.mark.parametrize(
    ("target", "message"),
    [("missing.py", "there is no missing.py"), ("empty", "folder without __main__.py")],
)
def test_what_cannot_be_run_is_said(here: Path, target: str, message: str) -> None:
    (here / "empty").mkdir()
    with pytest.raises(ProgramError, match=message):
        find_program(target, [], cwd=here)


def test_a_module_of_the_folder_takes_the_folder_along(here: Path) -> None:
    assert find_program(None, ["x"], module="package", cwd=here).folder == here
    program = find_program(None, ["x"], module="http.server", cwd=here)
    assert (program.arguments, program.folder) == (("-m", "http.server", "x"), None)


@pytest.mark.parametrize(
    ("code", "takes"),
    [
        ("import helper; print(1)", True),
        ("from package.sub import x", True),
        ("import json,helper", True),
        ("import json", False),
        ("print('helper')", False),
        ("type X = int; import helper", True),
    ],
)
def test_code_takes_the_folder_along_if_it_imports_from_it(
    here: Path, code: str, takes: bool
) -> None:
    program = find_program(None, ["a"], code=code, cwd=here)
    assert program.arguments == ("-c", code, "a")
    assert (program.folder is not None) == takes


def test_a_folder_that_is_not_taken_whole_leaves_the_entry(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    found = contents(find_program("prog.py", [], cwd=here))
    assert [file.name for file in found.files] == ["prog.py"]
    assert found.refusal is not None and "home folder" in found.refusal


def test_the_entry_is_taken_whatever_its_name(here: Path) -> None:
    (here / ".hidden.py").write_text("")
    found = contents(find_program(".hidden.py", [], cwd=here))
    assert ".hidden.py" in [file.name for file in found.files]


def test_additions_go_where_they_are_told(here: Path) -> None:
    def places(text: str) -> list[str]:
        return [file.name for file in Addition.parse(text).files()]

    assert places(f"{here}/prog.py:/srv/main.py") == ["srv/main.py"]
    assert places(f"{here}/prog.py:/srv/") == ["srv/prog.py"]
    assert places(f"{here}/prog.py:data/x") == ["app/data/x"]
    assert places(f"{here}/package:/srv/p") == ["srv/p/__main__.py"]
    assert places(f"{here}/package:/srv/../etc/p") == ["etc/p/__main__.py"]


@pytest.mark.parametrize("text", ["prog.py", ":x", "x:", "missing:/x"])
def test_additions_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ProgramError, match="--add"):
        Addition.parse(text)
