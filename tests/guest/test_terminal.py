"""A terminal is a terminal exactly when the host's is, and behaves like one."""

import json
import os
import select
import subprocess
import sys
import zlib

import pexpect
import pytest

from . import machine
from .prompt import settings, started

PROBE = """\
import json, os
def size(fd):
    try:
        return list(os.get_terminal_size(fd))
    except OSError as error:
        return error.errno
print(json.dumps([[os.isatty(fd), size(fd)] for fd in (0, 1, 2)]), flush=True)
"""


def _probe(argv: list[str], terminals: str) -> list[tuple[bool, object]]:
    """What the probe says with these of the descriptors being a terminal."""
    with machine.pseudo_terminal(columns=97, rows=31) as (ours, theirs):
        descriptors = [theirs if str(fd) in terminals else subprocess.PIPE for fd in (0, 1, 2)]
        with subprocess.Popen(
            argv,
            stdin=descriptors[0], stdout=descriptors[1], stderr=descriptors[2],
            env=machine.environment(),
            start_new_session=True,
        ) as process:  # fmt: skip
            if process.stdin is not None:
                process.stdin.close()
            output = ours if process.stdout is None else process.stdout.fileno()
            text = b""
            while not text.endswith(b"\n"):
                ready, _, _ = select.select([output], [], [], machine.LIMIT_S)
                assert ready, f"nothing more after {text!r}"
                piece = os.read(output, 10_000)
                assert piece, (text, process.stderr.read() if process.stderr else b"")
                text += piece
            assert process.wait(machine.LIMIT_S) == 0
    return [(is_terminal, size) for is_terminal, size in json.loads(text)]


@pytest.mark.parametrize("terminals", ["", "0", "1", "2", "01", "02", "12", "012"])
def test_each_descriptor_is_what_it_is_on_the_host(terminals: str) -> None:
    on_the_host = _probe([sys.executable, "-c", PROBE], terminals)
    in_the_guest = _probe([*machine.OVUM, "run", "-c", PROBE], terminals)
    assert in_the_guest == on_the_host
    assert [fd for fd, (is_terminal, _) in enumerate(in_the_guest) if is_terminal] == [
        int(fd) for fd in terminals
    ]


def test_a_new_size_reaches_the_program() -> None:
    source = (
        "import os, signal\n"
        # Not print: the signal may come while the line below is still being flushed.
        "def tell(*_): os.write(1, b'now %d %d\\n' % os.get_terminal_size())\n"
        "signal.signal(signal.SIGWINCH, tell)\n"
        # Not signal.pause: the signal may come just before it.
        "reading, writing = os.pipe()\n"
        "os.set_blocking(writing, False)\n"
        "signal.set_wakeup_fd(writing)\n"
        "print('was', *os.get_terminal_size(), flush=True)\n"
        "while os.read(reading, 1): pass"
    )
    with started("--timeout", "60", "-c", source, columns=91, rows=33) as child:
        child.expect_exact("was 91 33")
        child.setwinsize(44, 132)
        child.expect_exact("now 132 44")


def test_raw_mode_gives_every_byte_as_it_comes() -> None:
    source = (
        "import os, tty, termios\n"
        "before = termios.tcgetattr(0)\n"
        "tty.setraw(0)\n"
        "print('raw', end='', flush=True)\n"
        "got = b''\n"
        "while len(got) < 256: got += os.read(0, 1)\n"
        "termios.tcsetattr(0, termios.TCSADRAIN, before)\n"
        "print(got == bytes(range(256)), flush=True)"
    )
    with started("--timeout", "60", "-c", source) as child:
        child.expect_exact("raw")
        os.write(child.child_fd, bytes(range(256)))
        child.expect_exact("True\r\n")


def test_lines_are_edited_and_echoed() -> None:
    source = (
        "import sys\nprint('go', flush=True)\nfor line in sys.stdin: print(repr(line), flush=True)"
    )
    with started("--timeout", "60", "-c", source) as child:
        child.expect_exact("go\r\n")
        child.send("abX\x7fc\r")
        child.expect_exact("abX\b \bc\r\n'abc\\n'\r\n")
        child.send("not this\x15this\r")
        child.expect_exact("'this\\n'\r\n")
        child.send("two words\x17things\r")
        child.expect_exact("'two things\\n'\r\n")
        child.send("\x16\x03\r")
        child.expect_exact("'\\x03\\n'\r\n")
        # Once for what has been typed, once more for the end of this line, and for the end of all.
        child.send("no newline\x04\x04")
        child.expect_exact("'no newline'\r\n")
        child.send("\x04")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0


def test_without_echo_nothing_is_shown() -> None:
    source = "import getpass\nprint(getpass.getpass('secret: ')[::-1], flush=True)"
    with started("--timeout", "60", "-c", source) as child:
        child.expect_exact("secret: ")
        child.send("abcdef\r")
        child.expect_exact("fedcba\r\n")
        assert "abcdef" not in str(child.before)


def test_control_c_interrupts_a_program() -> None:
    # Not one sleep: CPython looks for signals before the call, and between that look and the system
    # call lies code that the emulator still has to translate, the first time.
    source = "import time\nprint('go', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)"
    with started("--timeout", "60", "-c", source) as child:
        child.expect_exact("go\r\n")
        child.send("\x03")
        child.expect_exact("KeyboardInterrupt")
        child.wait()
        assert child.exitstatus == 130


def test_control_backslash_quits() -> None:
    source = "import time\nprint('go', flush=True)\ntime.sleep(60)"
    with started("--timeout", "60", "-c", source) as child:
        child.expect_exact("go\r\n")
        child.send("\x1c")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 131


@pytest.mark.parametrize("reader", ["sys.stdin.readline().rstrip('\\n')", "input()"])
def test_ten_kilobytes_pasted_as_lines_arrive_whole(reader: str) -> None:
    lines = [f"{n:04} the quick brown fox jumps over the lazy dog" for n in range(220)]
    text = "\n".join(lines)
    assert len(text) > 10_000
    source = (
        "import sys, zlib\n"
        "print('go', flush=True)\n"
        f"text = '\\n'.join({reader} for _ in range({len(lines)}))\n"
        "print('crc', zlib.crc32(text.encode()), flush=True)"
    )
    with started("--timeout", "100", "-c", source) as child:
        child.expect_exact("go\r\n")
        child.send(text.replace("\n", "\r") + "\r")
        child.expect_exact(f"crc {zlib.crc32(text.encode())}\r\n")


def test_the_terminal_comes_back_after_a_timeout() -> None:
    source = "print('\\x1b[?25l\\x1b[?1049hgo', flush=True)\nwhile True: pass"
    with started("--timeout", "4", "-c", source) as child:
        before = settings(child)
        child.expect_exact("go\r\n")
        assert settings(child) != before
        child.expect_exact("\x1b[?1049l")
        child.expect_exact("the time is up")
        child.wait()
        assert child.exitstatus == 124
        assert settings(child) == before
