"""ovum.wasm in a guest: code that is made there runs in ring 0 as it does in a process."""

import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from . import linux, machine

HERE = Path(__file__).parent
PROGRAMS = HERE.parent / "wasm"
SPEC = HERE.parent / "host/wasm/spec"
LIMIT_S = 200.0


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What the checks print on Linux and in a guest."""
    folder = tmp_path_factory.mktemp("checks")
    words = ("-m", "webassembly")
    done = subprocess.run(
        [sys.executable, *words, folder, PROGRAMS, SPEC],
        cwd=HERE, capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    guest = machine.run(
        *("--add", f"{PROGRAMS}:/programs", "--add", f"{SPEC}:/tests/spec"),
        *("--memory", "1G", "--timeout", str(LIMIT_S), *words),
        *("/python", "/programs", "/tests/spec"),
        cwd=HERE,
        limit_s=LIMIT_S + 300,
    ).expect(0)
    return list(linux.lines(done.stdout, "WASM")), list(linux.lines(guest.out, "WASM"))


@pytest.mark.timeout(900)
def test_a_guest_does_what_linux_does(lines: tuple[list[str], list[str]]) -> None:
    on_linux, in_guest = lines
    assert in_guest == on_linux
    assert len(on_linux) == 31


LOOP = """
from ovum import wasm

def ready():
    print("ready", flush=True)

module = wasm.Module('''(module (import "host" "ready" (func $ready))
  (func $forever (export "run") (call $ready) (loop (br 0))))''')
try:
    module.instantiate({"host": {"ready": ready}}).run()
except KeyboardInterrupt as error:
    print("stopped", error.__notes__)
"""


@pytest.mark.timeout(600)
def test_control_c_ends_an_endless_loop(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(LOOP)
    words = ["-m", "ovum", "run", "--timeout", "300", str(tmp_path / "prog.py")]
    with pexpect.spawn(sys.executable, words, timeout=400, encoding="utf-8") as terminal:
        terminal.expect("ready")
        terminal.sendintr()
        terminal.expect(r"stopped .*<module>!forever")
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0


@pytest.mark.timeout(600)
def test_a_command_runs_as_a_program(tmp_path: Path) -> None:
    """Arguments, environment, all files, streams, the exit status."""
    (tmp_path / "prog.wasm").write_bytes((PROGRAMS / "files.wasm").read_bytes())
    result = machine.run(
        *("-e", "HELLO=there", "--set", "timeout=100", tmp_path / "prog.wasm", "/tmp", "7"),
        stdin=b"from\nstandard input\n",
        limit_s=400,
    ).expect(7)
    lines = result.out.splitlines()
    assert lines[:3] == ["2 arguments: [/tmp] [7]", "HELLO=there", "there: line 5"]
    assert lines[-2:] == ["in: from", "in: standard input"]
    assert result.err.endswith("to stderr\n")
