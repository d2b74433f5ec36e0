"""Folders of the host's in the machine, through QEMU's own server of 9P."""

import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from . import machine

SCRIPT = Path(__file__).with_name("shared_folder.py")

CHECKS = (
    *("both_ways", "much", "many", "unlinked", "renamed_over", "permissions", "database"),
    *("module", "readonly"),
)


def _look(share: Path) -> None:
    assert (share / "from-guest").read_text() == "hello, host"
    (share / "from-host").write_text("hello, guest")


def _append(share: Path) -> None:
    with (share / "from-host").open("a") as file:
        file.write(", again")


def _replace(share: Path) -> None:
    (share / "new").write_text("another file")
    (share / "new").rename(share / "from-host")


def _many(share: Path) -> None:
    for k in range(2000):
        (share / "many" / f"file {k:04}").write_bytes(b"x")


def _mode(share: Path) -> None:
    info = (share / "script").stat()
    assert info.st_mode & 0o7777 == 0o751
    assert info.st_mtime_ns == 1_000_000_000_000_000_001
    assert info.st_uid == os.getuid()


def _database(share: Path) -> None:
    base = sqlite3.connect(share / "data.db")
    assert base.execute("select count(*) from numbers").fetchone() == (1000,)
    base.close()


def _hash(share: Path, wanted: str) -> None:
    assert hashlib.sha256((share / "much").read_bytes()).hexdigest() == wanted


ANSWERS: dict[str, Callable[..., object]] = {
    "look": _look,
    "append": _append,
    "replace": _replace,
    "remove": lambda share: (share / "from-host").unlink(),
    "hash": _hash,
    "many": _many,
    "mode": _mode,
    "database": _database,
    "module": lambda share: (share / "from_the_host.py").write_text(
        "def answer():\n    return 42\n"
    ),
}


def _run(share: Path, readonly: Path, kind: str, checks: tuple[str, ...]) -> list[str]:
    """Runs checks in one machine and does what they ask; the names of those that were done."""
    volumes = ("--volume", f"{share}:/share", "--volume", f"{readonly}:/readonly:ro")
    words = (*volumes, "--machine", kind, "--timeout", "200", str(SCRIPT), *checks)
    done = []
    with subprocess.Popen(
        [*machine.OVUM, "run", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=machine.environment(),
    ) as guest:  # fmt: skip
        assert guest.stdout is not None and guest.stdin is not None
        for line in guest.stdout:
            word, *rest = line.split()
            if word == "DONE":
                done += rest
            elif word == "ASK":
                ANSWERS[rest[0]](share, *rest[1:])
                guest.stdin.write(" ".join(rest) + "\n")
                guest.stdin.flush()
            else:
                print(line, end="")
        guest.stdin.close()
    assert guest.returncode == 0, f"status {guest.returncode} after {done}"
    return done


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    share, readonly = tmp_path / "a, share", tmp_path / "readonly"
    share.mkdir()
    readonly.mkdir()
    (readonly / "there").write_text("to be read")
    return share, readonly


@pytest.mark.parametrize("kind", ["microvm", "q35"])
def test_a_folder_of_the_host_is_in_the_machine(folders: tuple[Path, Path], kind: str) -> None:
    checks = CHECKS if kind == "microvm" else ("both_ways", "unlinked", "readonly")
    assert _run(*folders, kind, checks) == list(checks)
    assert [path.name for path in folders[1].iterdir()] == ["there"]


@pytest.mark.timeout(2000)
def test_it_answers_as_linux_does(tmp_path: Path, full: bool) -> None:
    folder = SCRIPT.parent.parent
    # A case is about two hundred requests, each a way to QEMU and back.
    every = 1 if full else 9
    words = ("--volume", f"{tmp_path}:/share", "-m", "contract", f"9p/{every}")
    result = machine.run(*words, cwd=folder, limit_s=1900)
    lines = result.out.splitlines()
    wrong = [line for line in lines if line.startswith("WRONG")]
    assert not wrong, "\n".join(wrong)
    end = [line.split() for line in lines if line.startswith("CONTRACT 9p ")]
    assert len(end) == 1, result.out[-2000:] + result.err[-2000:]
    assert int(end[0][2]) > 2000 // every


def test_a_folder_that_is_not_shared_is_an_error() -> None:
    source = "from ovum.drivers.volumes import mount_host\nmount_host('nothing', '/x')\n"
    result = machine.code(source)
    assert result.status == 1
    assert "the host shares no folder with the tag 'nothing'" in result.err
