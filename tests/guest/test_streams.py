"""Standard input, output and error: the program's alone, and byte-exact."""

import subprocess
import zlib
from pathlib import Path

import pytest

from . import machine

ECHO = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
EVERY_BYTE = bytes(range(256))


def _varied(size: int) -> bytes:
    """Bytes without a short period, so that a lost or doubled piece shows."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4))


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"no newline", EVERY_BYTE, EVERY_BYTE[::-1] * 100, _varied(1 << 20)],
    ids=["nothing", "a byte", "no newline", "every byte", "all pairs", "a megabyte"],
)
def test_bytes_pass_through_unchanged(data: bytes) -> None:
    result = machine.code(ECHO, stdin=data).expect()
    assert len(result.stdout) == len(data)
    assert result.stdout == data
    assert result.stderr == b""


def test_files_are_redirected_as_for_any_program(tmp_path: Path) -> None:
    (tmp_path / "in.bin").write_bytes(_varied(300_000))
    with (tmp_path / "in.bin").open("rb") as source, (tmp_path / "out.bin").open("wb") as target:
        words = [*machine.OVUM, "run", "-c", ECHO]
        subprocess.run(words, stdin=source, stdout=target, check=True, timeout=machine.LIMIT_S)
    assert (tmp_path / "out.bin").read_bytes() == _varied(300_000)


def test_end_of_file_comes_once_the_input_is_read() -> None:
    source = "import os; print([len(os.read(0, 100)) for _ in range(4)])"
    assert machine.code(source, stdin=b"x" * 150).expect().out == "[100, 50, 0, 0]\n"


def test_input_that_nobody_reads_does_no_harm() -> None:
    result = machine.code("print('done')", stdin=b"x" * (4 << 20)).expect()
    assert result.out == "done\n"


def test_a_slow_reader_loses_nothing() -> None:
    source = (
        "import sys, time, zlib\n"
        "total = crc = 0\n"
        "while piece := sys.stdin.buffer.read1(7000):\n"
        "    total += len(piece)\n"
        "    crc = zlib.crc32(piece, crc)\n"
        "    time.sleep(0.001)\n"
        "print(total, crc)"
    )
    data = _varied(150_000)
    assert machine.code(source, stdin=data).expect().out == f"150000 {zlib.crc32(data)}\n"


def test_a_conversation_is_not_held_up() -> None:
    """A line goes in and its answer comes out before the next line goes in."""
    source = "import sys\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"
    words = [*machine.OVUM, "run", "--timeout", "60", "-c", source]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"abc", b"def", b"ghi"):
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            assert process.stdout.readline() == line[::-1] + b"\n"
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait() == 0


def test_standard_output_and_error_stay_apart() -> None:
    source = (
        "import os\n"
        "for n in range(200):\n"
        "    os.write(1, b'o' * n + b'\\n')\n"
        "    os.write(2, b'e' * n + b'\\n')"
    )
    result = machine.code(source).expect()
    assert result.stdout == b"".join(b"o" * n + b"\n" for n in range(200))
    assert result.stderr == b"".join(b"e" * n + b"\n" for n in range(200))


def test_what_looks_like_the_links_frames_is_only_data() -> None:
    data = b"\x1bovum\x01\n" + b"\x06\x01\x00\x07" * 1000 + b"\x05\x05\x00panic"
    result = machine.code(ECHO, stdin=data).expect()
    assert result.stdout == data


def test_output_is_complete_when_the_program_ends_at_once() -> None:
    source = "import os; os.write(1, b'x' * 500_000); os._exit(3)"
    assert len(machine.code(source).expect(3).stdout) == 500_000


def test_a_reader_that_goes_away_ends_the_run() -> None:
    source = "while True: print('y')"
    words = [*machine.OVUM, "run", "--timeout", "60", "-c", source]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.wait(timeout=60) == 141


def test_a_closed_standard_input_is_empty() -> None:
    words = [*machine.OVUM, "run", "-c", "import sys; print(repr(sys.stdin.read()))"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *words], capture_output=True, timeout=machine.LIMIT_S
    )
    assert (done.returncode, done.stdout) == (0, b"''\n"), done.stderr


def test_text_is_utf_8() -> None:
    source = "import sys; print(sys.stdin.read().upper())"
    assert machine.code(source, stdin="grüße ελ 🥚".encode()).expect().out == "GRÜSSE ΕΛ 🥚\n"
