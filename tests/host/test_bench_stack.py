"""bench stack: a request through the network stack, and the modules that are compiled for it."""

import ast
import subprocess
import sys
from pathlib import Path

from bench import stack
from bench.compiled import MODULES, sources
from ovum.paths import REPO

PROGRAM = REPO / "bench" / "inside" / "stack_requests.py"


def inherited(path: Path) -> set[str]:
    """The modules of the classes that a file's classes inherit from."""
    body = ast.parse(path.read_text()).body
    modules = {
        alias.name: node.module
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }
    return {
        modules[base.id]
        for node in body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in modules
    }


def run(*words: str) -> float:
    return float(
        subprocess.run(
            [sys.executable, str(PROGRAM), *words],
            env={"PYTHONPATH": str(REPO)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )


def test_requests_are_answered_and_the_peer_is_counted_alone() -> None:
    assert run("200") > 0
    assert run("200", "peer") > 0


def test_the_compiled_modules_are_there_each_once() -> None:
    assert [path for path in sources() if not path.is_file()] == []
    assert len(set(MODULES)) == len(MODULES)


def test_no_class_is_compiled_without_its_subclasses() -> None:
    compiled = {f"ovum.{name.replace('/', '.')}" for name in MODULES}
    done = {path.resolve() for path in sources()}
    for path in (REPO / "net").rglob("*.py"):
        if path not in done:
            wrong = inherited(path) & compiled
            assert not wrong, f"{path} has a class that would be interpreted, of {wrong}"


def test_the_table_says_what_there_is() -> None:
    found = {"interpreted us": 30.0, "compiled us": 15.0, "bytes": 966768.0}
    assert stack.rows(found) == [
        ("us", "30", "15", "2.00"),
        ("bytes of the compiled modules", "", "966,768", ""),
    ]
