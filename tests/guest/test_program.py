"""`ovum run` starts what `python3` would, and hands back what the program says."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from . import machine


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that shows how it was started."""
    path = tmp_path / "prog.py"
    path.write_text("import sys\nprint(__name__, sys.argv)\n")
    return path


def test_arguments_arrive_as_they_were_written(script: Path) -> None:
    result = machine.run(script, "a", "b c", "", "-v", "--memory", "ünïcode '\"\\", "x\ny")
    words = ["a", "b c", "", "-v", "--memory", "ünïcode '\"\\", "x\ny"]
    assert result.expect().out == f"__main__ {['/app/prog.py', *words]}\n"
    assert result.err == ""


def test_the_status_of_sys_exit_is_the_status() -> None:
    machine.code("import sys; sys.exit(7)").expect(7)


def test_the_end_of_the_program_is_status_zero() -> None:
    result = machine.code("pass").expect()
    assert (result.stdout, result.stderr) == (b"", b"")


def test_an_uncaught_exception_prints_its_traceback_and_gives_one(tmp_path: Path) -> None:
    path = tmp_path / "fails.py"
    path.write_text("def fail():\n    return 1 / 0\n\n\nfail()\n")
    result = machine.run(path).expect(1)
    assert result.out == ""
    lines = result.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert '  File "/app/fails.py", line 2, in fail' in lines
    assert "    return 1 / 0" in lines
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_text_in_system_exit_goes_to_standard_error() -> None:
    result = machine.code("raise SystemExit('that was wrong')").expect(1)
    assert (result.out, result.err) == ("", "that was wrong\n")


def test_a_syntax_error_is_reported_as_python_does(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("x = = 1\n")
    result = machine.run(path).expect(1)
    assert result.err.endswith("SyntaxError: invalid syntax\n")
    assert "/app/wrong.py" in result.err


def test_a_folder_with_a_main_module_runs(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "package").mkdir(parents=True)
    (folder / "__main__.py").write_text(
        "import sys, package.part\nprint(sys.argv[1:], package.part.NAME)\n"
    )
    (folder / "package" / "__init__.py").touch()
    (folder / "package" / "part.py").write_text("NAME = __name__\n")
    assert machine.run(folder, "x").expect().out == "['x'] package.part\n"


def test_a_module_of_this_folder_runs(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    result = machine.run("-m", "tool", "-c", "x", cwd=tmp_path).expect()
    assert result.out == "__main__ ['-c', 'x']\n"


def test_a_module_of_the_library_runs() -> None:
    result = machine.run("-m", "json.tool", "--compact", stdin=b'{"a": [1, 2]}').expect()
    assert result.out == '{"a":[1,2]}\n'


def test_code_runs_with_its_arguments() -> None:
    result = machine.run("-c", "import sys; print(sys.argv)", "a", "-m", "b").expect()
    assert result.out == "['-c', 'a', '-m', 'b']\n"


def test_a_program_comes_from_standard_input() -> None:
    assert (
        machine.run("-", "x", stdin=b"import sys; print(sys.argv)").expect().out == "['-', 'x']\n"
    )
    # Without a terminal there is no prompt, as with python3.
    assert machine.run(stdin=b"print(6 * 7)\n").expect().out == "42\n"


def test_a_program_imports_its_neighbours_and_reads_its_files(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "from pathlib import Path\nimport neighbour\n"
        "print(neighbour.NAME, Path('data.txt').read_text(), Path(__file__).parent)\n"
    )
    (tmp_path / "neighbour.py").write_text("NAME = 'neighbour'\n")
    (tmp_path / "data.txt").write_text("data")
    assert machine.run(tmp_path / "main.py").expect().out == "neighbour data /app\n"


def test_an_edited_program_is_the_one_that_runs(tmp_path: Path) -> None:
    program, imported = tmp_path / "main.py", tmp_path / "imported.py"
    program.write_text("import imported\nprint(imported.N)\n")
    for number in (1, 2):
        imported.write_text(f"N = {number}\n")
        assert machine.run(program).expect().out == f"{number}\n"


def test_variables_reach_the_program() -> None:
    result = machine.code(
        "import os; print([os.environ[k] for k in ('A', 'B', 'HOME')], 'SECRET' in os.environ)",
        *("-e", "A=1", "-e", "B=two = 2"),
    )
    assert result.expect().out == "['1', 'two = 2', '/root'] False\n"


def test_files_and_folders_are_added(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("inside")
    (tmp_path / "one").write_bytes(bytes(range(256)))
    result = machine.code(
        "from pathlib import Path\n"
        "print(Path('/srv/folder/inside').read_text())\n"
        "print(Path('/data/two').read_bytes() == bytes(range(256)))\n"
        "print(Path('three').exists())",
        *("--add", f"{tmp_path}/folder:/srv/folder", "--add", f"{tmp_path}/one:/data/two"),
        *("--add", f"{tmp_path}/one:three"),
    )
    assert result.expect().out == "inside\nTrue\nTrue\n"


def test_memory_is_what_was_asked_for() -> None:
    source = "import os; print(os.sysconf('SC_PHYS_PAGES') * 4096 >> 20)"
    # The image and the kernel's own tables are taken off.
    for size, least, most in (("128M", 80, 128), ("1G", 960, 1024)):
        assert least <= int(machine.code(source, "--memory", size).expect().out) <= most


def test_a_program_that_takes_too_long_is_ended() -> None:
    source = "import time; print('before', flush=True); time.sleep(600)"
    result = machine.code(source, "--timeout", "4")
    assert result.expect(124).out == "before\n"


def test_a_busy_program_that_takes_too_long_is_ended() -> None:
    machine.code("while True: pass", "--timeout", "3").expect(124)


def test_daemon_threads_do_not_keep_the_machine_on() -> None:
    result = machine.code(
        "import threading, time, atexit, os, queue, select, sys\n"
        "atexit.register(print, 'at exit')\n"
        "lock, reader = threading.Lock(), os.pipe()[0]\n"
        "lock.acquire()\n"
        "for target in (lambda: time.sleep(600), lambda: [0 for _ in iter(int, 1)], lock.acquire,\n"
        "               lambda: os.read(reader, 1), lambda: select.select([reader], [], []),\n"
        "               queue.Queue().get, threading.Event().wait):\n"
        "    threading.Thread(target=target, daemon=True).start()\n"
        "print('done')\n"
        "sys.exit(3)"
    )
    assert result.expect(3).out == "done\nat exit\n"
    assert result.err == ""


def test_other_threads_are_waited_for() -> None:
    result = machine.code(
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()\n"
        "print('main')"
    )
    assert result.expect().out == "main\nthread\n"


def test_os_exit_and_abort_have_their_status() -> None:
    machine.code("import os; os._exit(9)").expect(9)
    result = machine.code("import os; os.abort()").expect(134)
    assert "Aborted" in result.err


def test_a_signal_without_a_handler_ends_the_program() -> None:
    machine.code("import os; os.kill(os.getpid(), 15)").expect(143)


@pytest.mark.parametrize("name", ["pc", "q35", "microvm"])
def test_a_program_runs_on_every_machine(name: str) -> None:
    result = machine.code("print(6 * 7)", "--machine", name).expect()
    assert (result.out, result.err) == ("42\n", "")


def test_the_kernels_log_is_shown_only_when_asked_for() -> None:
    source = "import sys; print('out'); print('err', file=sys.stderr)"
    quiet = machine.code(source).expect()
    assert (quiet.out, quiet.err) == ("out\n", "err\n")
    verbose = machine.code(source, "-v").expect()
    assert verbose.out == "out\n"
    assert "err\n" in verbose.err
    for words in ("booted through pvh", "clock:", "memory:", "starting /init", machine.QEMU):
        assert words in verbose.err


def test_a_program_can_write_to_the_kernels_log() -> None:
    result = machine.code("import _kernel; _kernel.log(3, 'a word from Python')", "-v").expect()
    assert "a word from Python" in result.err
    assert result.out == ""


def test_a_module_of_the_kernel_powers_off() -> None:
    result = machine.code("import _kernel; print('x', flush=True); _kernel.poweroff(5)").expect(5)
    assert result.out == "x\n"


def test_mistakes_are_explained(tmp_path: Path) -> None:
    for words in (
        [tmp_path / "nothing.py"],
        [tmp_path],
        ["--memory", "lots", "-c", "pass"],
        ["--no-such-option"],
    ):
        result = machine.run(*words).expect(2)
        assert result.out == ""
        assert result.err.startswith("ovum: ")
        assert "Traceback" not in result.err


def test_a_stripped_program_runs(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import json\nprint(json.dumps([1]))\n")
    result = machine.run("--strip", tmp_path / "main.py").expect()
    assert result.out == "[1]\n"


def test_the_second_start_costs_less_than_300_ms_of_the_host(tmp_path: Path) -> None:
    """Until QEMU is started: a program of its name in PATH notes what its parent has taken of the
    processor by then, with its own children (proc_pid_stat(5), fields 14 to 17).

    A processor on which the interpreter alone takes more than 20 ms to start, since others use it
    too or it is an old one, has as much more time for this.
    """
    noted, program = tmp_path / "noted", tmp_path / "prog.py"
    program.write_text("pass\n")
    stand_in = tmp_path / "bin" / machine.QEMU
    stand_in.parent.mkdir()
    real = machine.require(machine.QEMU)
    stand_in.write_text(f'#!/bin/sh\ncat /proc/$PPID/stat >{noted}\nexec {real} "$@"\n')
    stand_in.chmod(0o755)
    environ = {
        "PATH": f"{stand_in.parent}:{os.environ['PATH']}",
        # The first start leaves bytecode, as it does where nobody forbids that.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"),
    }
    times = []
    for _ in range(6):
        bare = _start_of_python()
        machine.run(program, environ=environ).expect()
        ticks = noted.read_text().rpartition(")")[2].split()[11:15]
        times.append(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") / max(bare / 0.02, 1))
    assert min(times[1:]) < 0.3, times


def _start_of_python() -> float:
    """What the start of this interpreter takes of the processor, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-S", "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
