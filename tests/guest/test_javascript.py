"""JavaScript in a guest: a program with modules, contexts in Python, the prompt."""

import subprocess
import sys
from pathlib import Path

import pexpect

from . import machine
from .prompt import CONTROL_C, spawn

FOLDER = Path(__file__).parent / "javascript"


def test_a_program_prints_what_it_prints_on_linux() -> None:
    app = FOLDER / "app"
    linux = subprocess.run(
        [sys.executable, "-m", "ovum.services.js", app], capture_output=True, text=True, timeout=120
    )
    guest = machine.run(app).expect(1)
    assert linux.returncode == 1
    assert guest.out == linux.stdout
    assert "84 true\nticks 3\n" in guest.out
    # Where it was thrown, and the stack.
    assert "/app/lib/main.js:27\n" in guest.err
    assert "RangeError: the end\n    at failing (/app/lib/main.js:27:" in guest.err
    assert guest.err.replace("/app/lib", str(app / "lib")) == linux.stderr


def test_contexts_in_a_python_program() -> None:
    done = machine.run(FOLDER / "embedding.py").expect()
    assert done.out.splitlines() == [
        "[42, 'ää', [1, {'a': 1180591620717411303424}, 1, {'a': 1180591620717411303424}]]",
        r"b'\x01\x80\xff'",
        "ValueError from Python True from Python",
        *("TimeLimit 42", "MemoryLimit 42", "StackLimit 42", "left: True"),
    ]


def test_the_prompt() -> None:
    child = spawn("--js")

    def typed(text: str, *expected: str) -> None:
        child.send(text)
        for each in expected:
            child.expect(each)

    typed("", "> ")
    typed("[6 * 7, {a: 'b'}]\r", "42", "'b'", "> ")
    typed("Math.ma\t(1, 9)\r", r"2004l\S*9\S*\r\n", "> ")
    typed("for (;;);\r", "2004l")
    typed(CONTROL_C, "ended by Ctrl-C", "> ")
    typed("let a b\r", "Uncaught SyntaxError", "> ")
    typed("\x1b[A\x1b[A\x1b[A\r", r"2004l\S*9\S*\r\n", "> ")
    typed("await new Promise((done) => setTimeout(done, 1, 'la' + 'ter'))\r", "later", "> ")
    child.send(".exit\r")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
