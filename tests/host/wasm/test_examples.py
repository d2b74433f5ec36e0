"""The examples of docs/webassembly.md do what the page says."""

import subprocess
import sys
from pathlib import Path

from ovum.paths import REPO

EXAMPLES = REPO / "examples"


def run(*words: str | Path, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)], input=stdin, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_command() -> None:
    text = "a line\n" * 12_345
    words = ("-m", "ovum.wasm", EXAMPLES / "words.wat")
    assert run(*words, "one", "two three", stdin=text) == "one\ntwo three\n12345 lines\n"
    assert run(*words) == "0 lines\n"


def test_a_library() -> None:
    rows = run(EXAMPLES / "mandelbrot.py").splitlines()
    assert len(rows) == 24
    assert {len(row) for row in rows} == {76}
    assert "@@@@@@@" in rows[12]
    # It is symmetric, but for the row at the edge.
    assert rows[1:12] == rows[:12:-1]
