"""Programs: `js.run` and the command, statuses and what is printed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest


def program(
    tmp_path: Path, source: str, *words: str, name: str = "prog.js", stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    (tmp_path / name).write_text(source)
    return command(tmp_path, *words, name, stdin=stdin)


def command(cwd: Path, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ovum.services.js", *words],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_error_is_shown_with_its_line_and_stack(tmp_path: Path) -> None:
    done = program(
        tmp_path, "function f() {\n\tthrow new TypeError('gräßlich');\n}\nsetTimeout(f, 1);\n"
    )
    assert done.returncode == 1
    path = tmp_path / "prog.js"
    lines = done.stderr.splitlines()
    assert lines[:2] == [f"{path}:2", "\tthrow new TypeError('gräßlich');"]
    assert lines[2].startswith("\t") and lines[2].endswith("^")
    assert lines[4] == "TypeError: gräßlich"
    assert lines[5].startswith(f"    at f ({path}:2:")
    assert "ovum:" not in done.stderr


@pytest.mark.parametrize(
    ("name", "source", "status", "shown"),
    [
        ("a.js", "", 0, ""),
        ("a.js", "let a;\nlet a;", 1, "a.js:2\nlet a;\n"),
        # The first line is no different: CommonJS is wrapped on it.
        ("a.js", "f = (x) => x.y.z; f({})", 1, "f({})\n           ^\n"),
        ("a.js", "f = (x) => x.y.z; f({})", 1, "a.js:1:12)\n    at <anonymous> ("),
        ("a.js", "let x = ;", 1, "let x = ;\n        ^\n"),
        ("a.mjs", "export {x}", 1, "SyntaxError"),
        ("a.mjs", "import './b.js'", 1, "Cannot find module './b.js' imported from"),
        ("a.mjs", "await new Promise(() => {})", 13, "waits at its top"),
        ("a.mjs", "await Promise.reject(new RangeError('r'))", 1, "RangeError: r"),
        ("a.js", "Promise.reject(new RangeError('r'))", 1, "RangeError: r"),
        ("a.js", "Promise.reject(5)", 1, "nothing handles, with the reason 5"),
        ("a.js", "throw 'text'", 1, "Uncaught 'text'"),
        ("a.js", "throw undefined", 1, "Uncaught undefined"),
        ("a.js", "require('./b')", 1, "Cannot find module './b'\nRequire stack:\n- /"),
        ("a.js", "setTimeout(() => {}, 1e9).unref(); setInterval(() => {}, 1).unref()", 0, ""),
    ],
)
def test_how_programs_end(tmp_path: Path, name: str, source: str, status: int, shown: str) -> None:
    done = program(tmp_path, source, name=name)
    assert (done.returncode, done.stdout) == (status, "")
    assert shown in done.stderr if shown else not done.stderr


def test_source_from_the_command_line_and_standard_input(tmp_path: Path) -> None:
    assert command(tmp_path, "-p", "[6, 7].reduce((a, b) => a * b)").stdout == "42\n"
    assert command(tmp_path, "-e", "throw new Error('mine')").returncode == 1
    assert command(tmp_path, "-", stdin="Promise.reject(new Error('in'))").returncode == 1
    assert command(tmp_path, stdin="1").returncode == 0
    assert command(tmp_path, "nowhere.js").stderr == (
        f"Error: Cannot find module '{tmp_path}/nowhere.js'\n"
    )
    assert command(tmp_path, "-z").returncode == 2


def test_syntax_can_be_looked_at_alone(tmp_path: Path) -> None:
    (tmp_path / "good.js").write_text("throw new Error('not run')")
    (tmp_path / "bad.mjs").write_text("export default 1 2")
    assert command(tmp_path, "-c", "good.js").returncode == 0
    done = command(tmp_path, "-c", "bad.mjs")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr


def test_limits_of_a_program(tmp_path: Path) -> None:
    for limit, source, error in (
        ("time=0.2", "for (;;);", "TimeLimit"),
        ("memory=8M", "for (let a = [];;) a.push({})", "out of memory"),
        ("stack=100K", "(function f() { f() })()", "Maximum call stack size exceeded"),
    ):
        done = program(tmp_path, source, "--set", limit)
        assert done.returncode == 1
        assert error in done.stderr
    assert command(tmp_path, "--set", "speed=1", "x.js").returncode == 2


BEGUN = """
import sys
from ovum.services.js.context import Context
from ovum.services.js.runner import finish

with Context() as context:
    context.set_global("begun", lambda: print(flush=True))
    sys.exit(finish(context, lambda: context.modules.run_main(sys.argv[1])))
"""


@pytest.mark.parametrize("source", ["for (;;);", "setTimeout(() => {}, 1e9)", "await 1; for (;;);"])
def test_ctrl_c_ends_a_program(tmp_path: Path, source: str) -> None:
    (tmp_path / "begun.mjs").write_text(f"begun(); {source}")
    running = subprocess.Popen(
        [sys.executable, "-c", BEGUN, tmp_path / "begun.mjs"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"\n"
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=120)
    assert (running.returncode, errors) == (130, b"")
