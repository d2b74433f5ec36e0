"""ovum.runner: streams, signals, terminal and status of a run, against a QEMU of our own."""

import os
import re
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from ovum.paths import REPO

Command = Callable[..., list[str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command that runs a scenario of the fake QEMU."""
    fake = tmp_path / "qemu"
    script = REPO / "tests/host/fakes/qemu.py"
    fake.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {script} "$@"\n')
    fake.chmod(0o755)

    def command(scenario: str, *options: str) -> list[str]:
        monkeypatch.setenv("FAKE_QEMU", scenario)
        monkeypatch.setenv("PYTHONPATH", str(REPO))
        return [sys.executable, "-m", "tests.host.fakes.run", str(fake), *options]

    return command


def run(words: list[str], stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(words, input=stdin, capture_output=True, timeout=30, cwd=REPO)


def start(words: list[str]) -> "subprocess.Popen[bytes]":
    """A run whose program has said that it is ready."""
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPO
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_streams_and_status_are_the_programs(command: Command) -> None:
    done = run(command("hello"))
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")


def test_the_kernel_is_told_that_nothing_is_a_terminal(command: Command) -> None:
    assert run(command("words")).stdout == b"mux||absent|0xf4"


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 300_000])
def test_any_bytes_go_through_and_end_where_they_end(command: Command, size: int) -> None:
    data = os.urandom(size)
    done = run(command("echo"), data)
    assert (done.returncode, done.stdout) == (0, data)


def test_files_serve_as_standard_streams(command: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(bytes(range(256)) * 100)
    with source.open("rb") as stdin, target.open("wb") as stdout:
        subprocess.run(
            command("echo"), stdin=stdin, stdout=stdout, check=True, timeout=30, cwd=REPO
        )
    assert target.read_bytes() == source.read_bytes()


def test_closed_streams_are_empty_ones(command: Command) -> None:
    words = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *command("echo")]
    done = subprocess.run(words, stderr=subprocess.PIPE, timeout=30, cwd=REPO)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_forwarded(command: Command, number: signal.Signals) -> None:
    process = start(command("no_credit"))
    process.send_signal(number)
    out, _ = process.communicate(b"input that nobody gave credit for", timeout=30)
    assert out == b"4 %d\n" % number
    assert process.returncode == 128 + number


def test_interrupts_are_all_forwarded(command: Command) -> None:
    process = start(command("stubborn"))
    assert process.stdout is not None
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"4 2\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"4 15\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_lost_terminal_ends_the_machine(command: Command) -> None:
    process = start(command("stubborn"))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGHUP


def test_time_is_up(command: Command) -> None:
    done = run(command("hang", "--timeout", "0.5"))
    assert (done.returncode, done.stdout) == (124, b"before\n")
    assert b"time is up" in done.stderr


def test_a_machine_that_never_speaks_is_ended_too(command: Command) -> None:
    assert run(command("silent", "--timeout", "0.3")).returncode == 124


def test_a_machine_that_lingers_after_its_exit_does_not_matter(command: Command) -> None:
    assert run(command("linger")).returncode == 3


def test_a_reader_that_is_gone_ends_the_run_as_it_ends_other_tools(command: Command) -> None:
    words = shlex.join(command("flood"))
    script = f"{words} | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, timeout=30, text=True, cwd=REPO
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_a_slow_reader_gets_everything(command: Command) -> None:
    words = shlex.join(command("flood"))
    done = subprocess.run(["bash", "-c", f"{words} | wc -c"], capture_output=True, cwd=REPO)
    assert int(done.stdout) == 20_000 * 1024


def test_a_full_disk_is_reported(command: Command) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("hello"), stdout=full, stderr=subprocess.PIPE, timeout=30, cwd=REPO
        )
    assert done.returncode == 2
    assert b"cannot write standard output: No space left" in done.stderr


def test_a_panic_is_told_on_standard_error(command: Command) -> None:
    done = run(command("panic"))
    assert (done.returncode, done.stdout) == (70, b"")
    assert done.stderr == b"panic: page fault\n  at main.c:1\n"


def test_a_machine_that_is_gone_is_explained_in_qemus_words(command: Command) -> None:
    done = run(command("vanish"))
    assert done.returncode == 70
    assert b"QEMU: exit status 1" in done.stderr
    assert b"no luck today" in done.stderr
    assert b"Booting from ROM" in done.stderr


def test_a_machine_that_dies_halfway_keeps_what_it_said(command: Command) -> None:
    done = run(command("vanish_later"))
    assert (done.returncode, done.stdout) == (70, b"half")
    assert b"killed by signal 6" in done.stderr


def test_a_guest_that_breaks_the_protocol_is_ended(command: Command) -> None:
    done = run(command("nonsense"))
    assert done.returncode == 70
    assert b"unknown type 99" in done.stderr


def test_the_kernels_log_is_shown_on_request_only(command: Command) -> None:
    assert run(command("log")).stderr == b""
    lines = run(command("log", "-v")).stderr.decode().splitlines()
    assert lines[0].startswith("ovum: ")
    assert lines[1].startswith("[ ") and lines[1].endswith("] memory: 256 MiB")


def test_qemu_dies_with_ovum(command: Command) -> None:
    process = start(command("stubborn"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    machine = os.pidfd_open(int(children[0]))
    process.kill()
    process.communicate(timeout=30)
    # A descriptor of a process is readable when the process is gone.
    with os.fdopen(machine, "rb"):
        assert pexpect.utils.poll_ignore_interrupts([machine], 30) == [machine]


def on_terminal(words: list[str], *, size: tuple[int, int] = (30, 100)) -> "pexpect.spawn[bytes]":
    return pexpect.spawn(words[0], words[1:], timeout=30, dimensions=size, cwd=str(REPO))


def test_a_terminal_is_a_terminal_with_its_size(command: Command) -> None:
    child = on_terminal(command("terminal"))
    child.expect_exact("tty=012 size=100x30\r\n")
    child.setwinsize(40, 132)
    child.expect_exact("size 132x40\r\n")
    child.send("q")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 5


def test_what_is_typed_arrives_byte_by_byte(command: Command) -> None:
    child = on_terminal(command("terminal"))
    child.expect_exact("tty=")
    for typed, echoed in ((b"\x03", "<03>"), (b"\r", "<0d>"), (b"\x1b[A", "<1b5b41>")):
        child.send(typed)
        child.expect_exact(echoed)
    child.send("q")
    child.expect(pexpect.EOF)


def test_the_terminal_is_given_back_as_it_was(command: Command) -> None:
    script = shlex.join(command("terminal"))
    child = on_terminal(["bash", "-c", f"stty -g; {script}; stty -g"])
    before = terminal_settings(child)
    child.expect_exact("size=100x30")
    child.send("q")
    child.expect_exact(before)
    child.expect(pexpect.EOF)


def test_modes_that_a_dead_program_left_are_undone(command: Command) -> None:
    child = on_terminal(command("modes"))
    child.expect(pexpect.EOF)
    output = child.before
    assert isinstance(output, bytes)
    undone = output[output.index(b"\x1b[?1000l") + 8 :]
    for reset in (b"\x1b[?2004l", b"\x1b[?1049l", b"\x1b[?25h"):
        assert undone.count(reset) == 1
    assert b"\x1b[?1000l" not in undone


def test_terminating_a_run_gives_the_terminal_back(command: Command) -> None:
    script = shlex.join(command("silent"))
    child = on_terminal(["bash", "-c", f"stty -g; {script}; echo status $?; stty -g"])
    before = terminal_settings(child)
    # Once the terminal is raw, the shell's only child is the command.
    wait_for_raw_mode(child)
    (pid,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    os.kill(int(pid), signal.SIGTERM)
    child.expect_exact("status 143")
    child.expect_exact(before)


def terminal_settings(child: "pexpect.spawn[bytes]") -> bytes:
    """What `stty -g` prints."""
    child.expect(rb"([0-9a-f:]{20,})\r\n")
    match = child.match
    assert isinstance(match, re.Match)
    settings = match[1]
    assert isinstance(settings, bytes)
    return settings


def wait_for_raw_mode(child: "pexpect.spawn[bytes]") -> None:
    """The terminal stops echoing when the run has taken it."""
    while termios.tcgetattr(child.child_fd)[3] & termios.ECHO:
        os.sched_yield()
