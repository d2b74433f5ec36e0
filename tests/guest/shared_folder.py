"""Runs in a machine with a folder of the host at /share; each check prints a line at its end.

The host's side of it is test_ninep.py, which answers what is asked on standard output.
"""

import errno
import hashlib
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SHARE = Path("/share")
MIB = 1 << 20
CHECKS: list[Callable[[], None]] = []


def check(function: Callable[[], None]) -> Callable[[], None]:
    CHECKS.append(function)
    return function


def ask(what: str) -> None:
    """Has the host do something, and waits until it has."""
    print(f"ASK {what}", flush=True)
    assert sys.stdin.readline().strip() == what


@check
def both_ways() -> None:
    (SHARE / "from-guest").write_text("hello, host")
    ask("look")
    assert (SHARE / "from-host").read_text() == "hello, guest"
    with (SHARE / "from-host").open() as file:
        ask("append")
        assert file.read() == "hello, guest, again"
        ask("replace")
        assert file.read() == ""
        assert (SHARE / "from-host").read_text() == "another file"
    ask("remove")
    assert not (SHARE / "from-host").exists()


@check
def much() -> None:
    local = Path("/tmp/much")
    with local.open("wb") as file:
        for k in range(64):
            file.write(hashlib.sha256(bytes([k])).digest() * (MIB // 32))
    wanted = hashlib.sha256(local.read_bytes()).hexdigest()
    shutil.copyfile(local, SHARE / "much")
    local.unlink()
    ask(f"hash {wanted}")
    shutil.copyfile(SHARE / "much", local)
    assert hashlib.sha256(local.read_bytes()).hexdigest() == wanted
    local.unlink()
    (SHARE / "much").unlink()


@check
def many() -> None:
    folder = SHARE / "many"
    folder.mkdir()
    names = {f"file {k:04}" for k in range(2000)}
    ask("many")
    assert set(os.listdir(folder)) == names
    assert (
        sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name < "file 0100") == 100
    )
    shutil.rmtree(folder)
    assert not folder.exists()


@check
def unlinked() -> None:
    with tempfile.TemporaryFile(dir=SHARE) as file:
        file.write(b"0123456789" * 1000)
        file.flush()
        assert os.fstat(file.fileno()).st_size == 10000
        assert os.fstat(file.fileno()).st_nlink == 0
        file.truncate(5)
        file.seek(0)
        assert file.read() == b"01234"
        file.truncate(8)
        file.seek(0)
        assert file.read() == b"01234\0\0\0"


@check
def renamed_over() -> None:
    one, other = SHARE / "one", SHARE / "other"
    one.write_text("the first")
    other.write_text("the second")
    with one.open("r+") as file:
        other.rename(one)
        assert file.read() == "the first"
        assert os.fstat(file.fileno()).st_size == 9
        # By its path, QEMU would take this for a change of the second.
        os.ftruncate(file.fileno(), 3)
        os.fsync(file.fileno())
    assert one.read_text() == "the second"
    one.unlink()


@check
def permissions() -> None:
    script = SHARE / "script"
    script.write_text("#!")
    script.chmod(0o751)
    os.utime(script, ns=(1, 1_000_000_000_000_000_001))
    ask("mode")
    assert script.stat().st_mtime_ns == 1_000_000_000_000_000_001
    try:
        os.mknod(SHARE / "script")
    except FileExistsError:
        pass
    else:
        raise AssertionError
    fd = os.open(SHARE / "kept", os.O_RDWR | os.O_CREAT, 0o400)
    os.write(fd, b"what is made may be written")
    os.close(fd)
    assert (SHARE / "kept").stat().st_mode & 0o777 == 0o400


@check
def database() -> None:
    with sqlite3.connect(SHARE / "data.db") as base:
        base.execute("create table numbers (n integer)")
        base.executemany("insert into numbers values (?)", [(k,) for k in range(1000)])
    base.close()
    base = sqlite3.connect(SHARE / "data.db")
    assert base.execute("select sum(n) from numbers").fetchone() == (499500,)
    base.close()
    ask("database")


@check
def module() -> None:
    ask("module")
    sys.path.insert(0, str(SHARE))
    import from_the_host  # type: ignore[import-not-found]

    assert from_the_host.answer() == 42
    sys.path.pop(0)


@check
def readonly() -> None:
    readonly = Path("/readonly")
    assert (readonly / "there").read_text() == "to be read"
    for change in (
        lambda: (readonly / "new").write_text("x"),
        lambda: (readonly / "there").unlink(),
        lambda: (readonly / "there").open("a"),
        lambda: (readonly / "folder").mkdir(),
    ):
        try:
            change()
        except OSError as error:
            assert error.errno == errno.EROFS
        else:
            raise AssertionError


if __name__ == "__main__":
    chosen = sys.argv[1:]
    for one in CHECKS:
        if not chosen or one.__name__ in chosen:
            one()
            print(f"DONE {one.__name__}", flush=True)
