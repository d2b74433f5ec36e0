"""`ovum run` of JavaScript: what becomes of the words, and which files go along."""

from pathlib import Path

import pytest

from ovum.application import ProgramError, contents, find_program
from ovum.jsfiles import named_files
from ovum.options import parse_run
from ovum.runners import JAVASCRIPT, RunnerError

MODULE = ("-m", "ovum.services.js")


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")


@pytest.mark.parametrize("name", ["prog.js", "prog.mjs", "prog.cjs"])
def test_a_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "lib/x.js", "node_modules/dep/index.js", ".git/config")
    program = find_program(name, ["-v", "a b"], settings=["memory=64M"], cwd=tmp_path)
    assert program.arguments == (*MODULE, "--set", "memory=64M", f"/app/{name}", "-v", "a b")
    assert program.kind is JAVASCRIPT
    names = {file.name for file in contents(program).files}
    assert names == {name, "lib/x.js", "node_modules/dep/index.js"}


@pytest.mark.parametrize("entry", ["package.json", "index.js"])
def test_a_folder(tmp_path: Path, entry: str) -> None:
    write(tmp_path, f"app/{entry}", "app/lib/main.js")
    program = find_program("app", ["x"], settings=["time=2"], cwd=tmp_path)
    assert program.arguments == (*MODULE, "--set", "time=2", "/app", "x")
    assert {file.name for file in contents(program).files} == {entry, "lib/main.js"}


def test_a_folder_of_pythons_is_pythons(tmp_path: Path) -> None:
    write(tmp_path, "app/__main__.py", "app/package.json")
    assert find_program("app", [], cwd=tmp_path).kind is None
    assert find_program("app", [], javascript=True, cwd=tmp_path).kind is JAVASCRIPT
    write(tmp_path, "other/readme")
    with pytest.raises(ProgramError, match=r"without __main__\.py or package\.json"):
        find_program("other", [], cwd=tmp_path)


def test_the_prompt_and_standard_input(tmp_path: Path) -> None:
    assert find_program(None, [], javascript=True, cwd=tmp_path).arguments == MODULE
    limited = find_program(None, [], settings=["time=2"], javascript=True, cwd=tmp_path)
    assert limited.arguments == (*MODULE, "--set", "time=2")
    given = find_program("-", ["a"], javascript=True, cwd=tmp_path)
    assert given.arguments == (*MODULE, "-", "a")
    write(tmp_path, "prog.txt")
    assert find_program("prog.txt", [], javascript=True, cwd=tmp_path).arguments == (
        *(*MODULE, "/app/prog.txt"),
    )


def test_a_setting_that_there_is_not(tmp_path: Path) -> None:
    write(tmp_path, "prog.js")
    with pytest.raises(RunnerError, match=r"prog\.js knows memory=SIZE"):
        find_program("prog.js", [], settings=["speed=1"], cwd=tmp_path)


def test_the_option() -> None:
    options = parse_run(["--js", "-e", "A=1", "prog.txt", "--js"])
    assert (options.javascript, options.target, options.arguments) == (True, "prog.txt", ["--js"])


def test_the_files_that_a_program_names(tmp_path: Path) -> None:
    write(tmp_path, "data.json", "unused.js", "lib/index.js", "node_modules/dep/package.json",
          "node_modules/dep/index.js", "lib/deep.mjs", "package.json")  # fmt: skip
    for name in ("package.json", "node_modules/dep/package.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "lib/index.js").write_text('import("./deep.mjs"); require("../prog")')
    (tmp_path / "prog.js").write_text(
        "const a = require('./lib'), fs = require('fs'), none = require('./none');\n"
        'import x from "dep"; export {y} from "./data.json";\n'
    )
    names = [file.name for file in named_files(tmp_path / "prog.js")]
    assert names == [
        *("data.json", "lib/deep.mjs", "lib/index.js", "node_modules/dep/index.js"),
        *("node_modules/dep/package.json", "package.json", "prog.js"),
    ]
