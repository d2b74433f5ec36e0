"""ovum.wasm: WASI commands, the programs of tests/wasm among them, and the command line."""

import hashlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ovum import wasm

PROGRAMS = Path(__file__).parents[2] / "wasm"
EXIT = """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const %d))))"""
LOOP = '(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))'

FILES = """\
2 arguments: [{folder}] [7]
HELLO=there
there: line 5
19 bytes, a file
link: b.txt
 b.txt link (2)
rmdir: Directory not empty
fopen: {nowhere}
clock: after 2023
random: yes
in: a
in: no end"""


def run(program: str, *argv: str, **settings: object) -> tuple[int, str, str]:
    """Status, standard output and standard error of one of the programs."""
    out, err = io.BytesIO(), io.BytesIO()
    status = wasm.run(PROGRAMS / program, argv, stdout=out, stderr=err, **settings)  # type: ignore[arg-type]
    return status, out.getvalue().decode(), err.getvalue().decode()


def test_a_c_program_uses_files_and_streams(tmp_path: Path) -> None:
    status, out, err = run(
        *("files.wasm", "/data", "7"),
        env={"HELLO": "there"},
        dirs={"/data": tmp_path},
        stdin=b"a\nno end",
    )
    assert (status, out, err) == (
        7,
        FILES.format(folder="/data", nowhere=os.strerror(2)),
        "to stderr\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_there_to_read_only(tmp_path: Path) -> None:
    status, out, _ = run("files.wasm", "/data", dirs={"/data": wasm.Dir(tmp_path, writable=False)})
    assert status == 3
    assert "mkdir: Operation not permitted" in out
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "in").mkdir()
    for folder in ("/data/in/../..", "/data/out", "/etc"):
        status, out, _ = run("files.wasm", folder, dirs={"/data": tmp_path}, stdin=b"")
        assert status == 3
        assert "HELLO=(not set)" in out


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("from a file\n")
    _, out, _ = run("files.wasm", "/d", dirs={"/d": tmp_path}, stdin=tmp_path / "in.txt")
    assert out.endswith("in: from a file\n")


def test_sqlite_keeps_a_database(tmp_path: Path) -> None:
    make = (
        "create table t (n integer primary key, word text)",
        "with recursive c(x) as (select 1 union all select x + 1 from c where x < 2000) "
        "insert into t select x, 'word ' || (x % 7) from c",
        "select word, count(*), sum(n) from t group by word order by 2 desc, 1 limit 2",
    )
    status, out, err = run("sql.wasm", "/db/a.db", *make, dirs={"/db": tmp_path})
    assert (status, out, err) == (0, "word 1|286|285571\nword 2|286|285857\n", "")
    asked = b"select count(*) from t;\npragma integrity_check;\n"
    assert run("sql.wasm", "/db/a.db", dirs={"/db": tmp_path}, stdin=asked) == (0, "2000\nok\n", "")
    status, _, err = run("sql.wasm", ":memory:", "select * from missing")
    assert (status, err) == (1, "error: no such table: missing\n")


def test_a_kernel_computes_what_c_computes(tmp_path: Path) -> None:
    built = tmp_path / "kernel"
    subprocess.run(["cc", "-O1", "-o", built, PROGRAMS / "kernel.c"], check=True)
    native = subprocess.run([built, "20"], capture_output=True, text=True, check=True).stdout
    assert run("kernel.wasm", "20") == (0, native, "")


def test_an_assemblyscript_library() -> None:
    """Its text is in objects with a header of 20 bytes: size, and the address that counts."""
    library = wasm.Module(PROGRAMS / "words.wasm").instantiate(
        {"host": {"square": lambda x: x * x}, "env": {"abort": lambda *_: None}}
    )
    text = b"the cat and the dog and the bird"
    # __pin: it is ours until it is let go.
    address = library["__pin"](library["__new"](len(text), library.BYTES_ID.value))
    library.memory.write(address, text)
    found = library.count(address)
    size = int.from_bytes(library.memory.read(found - 4, 4), "little")
    assert library.memory.read(found, size) == b"the 3\nand 2\nbird 1\ncat 1\ndog 1"
    library["__unpin"](address)
    assert library.squares(100) == sum(x * x for x in range(100))
    with pytest.raises(wasm.Trap) as caught:
        library.at(3)
    assert caught.value.kind == "unreachable"


@pytest.mark.parametrize("status", [0, 1, 42, 125])
def test_a_status(status: int) -> None:
    assert wasm.run(EXIT % status) == status


def test_a_command_that_traps_or_never_ends() -> None:
    with pytest.raises(wasm.Trap) as caught:
        wasm.run(LOOP, limits=wasm.Limits(timeout=0.1))
    assert caught.value.kind == "timeout"
    with pytest.raises(wasm.Trap) as caught:
        wasm.run(LOOP, limits=wasm.Limits(fuel=1000))
    assert caught.value.kind == "out of fuel"
    with pytest.raises(wasm.LinkError, match=r"missing: <import a\.b"):
        wasm.run('(module (import "a" "b" (func)))')
    with pytest.raises(KeyError):
        wasm.run('(module (memory (export "memory") 1))')


def test_what_cannot_be_given_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        wasm.run(LOOP, dirs={"/d": tmp_path / "missing"})
    with pytest.raises(FileNotFoundError):
        wasm.run(LOOP, stdin=tmp_path / "missing")
    with pytest.raises(ValueError, match="zero byte"):
        wasm.run(LOOP, ["a\0b"])


def test_an_output_that_fails_ends_the_command(tmp_path: Path) -> None:
    class Full:
        def write(self, data: bytes) -> object:
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        wasm.run(PROGRAMS / "kernel.wasm", ["1"], stdout=Full())


def test_a_command_of_wasi_0_2() -> None:
    """The smallest one: it exports wasi:cli/run, and says that it went well, or not."""
    component = """(component
      (core module $m (func (export "run") (result i32) (i32.const %d)))
      (core instance $i (instantiate $m))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (component $c (import "f" (func $f (result (result)))) (export "run" (func $f)))
      (instance $r (instantiate $c (with "f" (func $run))))
      (export "wasi:cli/run@0.2.0" (instance $r)))"""
    assert wasm.run(component % 0) == 0
    assert wasm.run(component % 1) == 1
    with pytest.raises(wasm.WasmError, match="no command"):
        wasm.run("(component)")


def command(*words: str | Path, stdin: str = "", **variables: str) -> tuple[int, str, str]:
    """`python -m ovum.wasm` with these words."""
    done = subprocess.run(
        [sys.executable, "-m", "ovum.wasm", *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_gives_all_files(tmp_path: Path) -> None:
    status, out, err = command(
        PROGRAMS / "files.wasm", tmp_path, "7", stdin="a\nno end", HELLO="there"
    )
    # There is a folder /etc, whose parent is not there.
    expected = FILES.format(folder=tmp_path, nowhere=os.strerror(1))
    assert (status, out, err) == (7, expected, "to stderr\n")


def test_the_command_line_takes_settings(tmp_path: Path) -> None:
    program = PROGRAMS / "files.wasm"
    settings = ("--set", f"dir=/here={tmp_path}", "--set", "env=HELLO=set", "--set", "timeout=60")
    cache = ("--set", f"cache={tmp_path / 'cache'}")
    for _ in range(2):
        status, out, _ = command(*settings, *cache, program, "/here")
        assert (status, out.splitlines()[1]) == (0, "HELLO=set")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    status, out, _ = command("--set", f"dir=/here={tmp_path}:ro", program, "/here")
    assert (status, "not permitted" in out) == (3, True)
    assert command(*settings, program, tmp_path)[0] == 3


@pytest.mark.parametrize(
    ("setting", "kind"), [("fuel=1000", "out of fuel"), ("timeout=0.1", "timeout")]
)
def test_the_command_line_reports_traps(tmp_path: Path, setting: str, kind: str) -> None:
    (tmp_path / "loop.wat").write_text(LOOP)
    status, out, err = command("--set", setting, tmp_path / "loop.wat")
    assert (status, out) == (134, "")
    assert err.startswith(f"loop.wat: {kind}: ")
    assert "  0: <module>!function 0" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.wasm"], "No such file"),
        (["--set", "fuel=much", "loop.wat"], "a setting is no number"),
        (["--set", "fule=1", "loop.wat"], "there is no setting 'fule'"),
        (["--set", "env=x", "loop.wat"], "env wants KEY=VALUE"),
        (["--set", "memory=1X", "loop.wat"], "a setting is no number"),
        ([], "usage:"),
        (["--help"], "usage:"),
    ],
)
def test_mistakes_on_the_command_line_are_said(words: list[str], message: str) -> None:
    status, out, err = command(*words)
    assert (status, out) == (2, "")
    assert message in err


def test_control_c_ends_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "loop.wat").write_text(
        """(module (import "wasi_snapshot_preview1" "fd_write"
          (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00ready\\n")
          (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
            (loop (br 0))))"""
    )
    with subprocess.Popen(
        [sys.executable, "-m", "ovum.wasm", tmp_path / "loop.wat"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT


def test_programs_are_what_their_sources_say() -> None:
    """By a hash of the source, in the name of which the program was built."""
    for line in (PROGRAMS / "built.txt").read_text().splitlines():
        name, digest = line.split()
        assert hashlib.sha256((PROGRAMS / name).read_bytes()).hexdigest()[:16] == digest, name
