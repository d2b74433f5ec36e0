"""The command `ovum` from outside: what it hands to QEMU, what it says, and how quickly."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum import __version__
from ovum.baselayer import ensure_base
from ovum.cli import main
from ovum.cpio import find_last, read_archive
from ovum.image import read_start
from ovum.paths import REPO
from ovum.progress import Progress
from ovum.sysroot import Sysroot
from ovum.toolchain import ensure_kernel

SECOND_RUN_LIMIT_S = 0.3

Ovum = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Where the fake QEMU leaves what it was started with."""
    folder = tmp_path / "seen"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def parts(sysroot: Sysroot, pyhost: Path) -> None:
    """What all images have is made before, so that what the command says is the test's own."""
    ensure_kernel(Progress())
    ensure_base(sysroot, pyhost, Progress())


@pytest.fixture
def ovum(parts: None, tmp_path: Path, seen: Path, monkeypatch: pytest.MonkeyPatch) -> Ovum:
    """Runs the command with a QEMU that only shows what it was given."""
    tools = tmp_path / "bin"
    tools.mkdir()
    fake = tools / "qemu-system-x86_64"
    script = REPO / "tests/host/fakes/qemu.py"
    fake.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {script} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_QEMU", "show")
    monkeypatch.setenv("FAKE_QEMU_FOLDER", str(seen))
    work = tmp_path / "work"
    work.mkdir()

    def ovum(*words: str, stdin: str = "", cwd: Path = work) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "ovum", *words],
            input=stdin,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return ovum


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def started(seen: Path) -> tuple[list[str], dict[str, str], str]:
    data = (seen / "initrd").read_bytes()
    found = find_last(data, {"ovum/argv", "ovum/environ", "ovum/cwd"})
    argv = found["ovum/argv"].decode().split("\0")[:-1]
    environ = dict(word.split("=", 1) for word in found["ovum/environ"].decode().split("\0")[:-1])
    return argv, environ, found["ovum/cwd"].decode()


def loaded(seen: Path) -> dict[str, bytes]:
    """The files that come beside the image."""
    archive = read_archive((seen / "initrd").read_bytes())
    return {entry.name: entry.content for entry, _ in archive if isinstance(entry.content, bytes)}


def word_after(seen: Path, option: str) -> str:
    argv = (seen / "argv").read_text().splitlines()
    return argv[argv.index(option) + 1]


def test_a_script_runs_with_its_arguments_in_its_folder(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "prog.py").write_text("import helper\n")
    (work / "helper.py").write_text("x = 1\n")
    done = ovum("run", "-e", "COLOUR=blue", "prog.py", "-v", "two words")
    assert (done.returncode, done.stderr) == (0, "")
    argv, environ, cwd = started(seen)
    assert argv == ["/usr/bin/python3.13", "/app/prog.py", "-v", "two words"]
    assert environ["COLOUR"] == "blue"
    assert (environ["HOME"], environ["LANG"], environ["PATH"]) == ("/root", "C.UTF-8", "/usr/bin")
    assert cwd == "/app"
    files = loaded(seen)
    assert files["app/helper.py"] == b"x = 1\n"
    assert "app/__pycache__/helper.cpython-313.pyc" in files


def test_a_changed_program_changes_no_image(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "prog.py").write_text("print(1)\n")
    ovum("run", "prog.py")
    image = word_after(seen, "-kernel")
    (work / "prog.py").write_text("print(22)\n")
    ovum("run", "prog.py", "more")
    assert word_after(seen, "-kernel") == image
    assert loaded(seen)["app/prog.py"] == b"print(22)\n"


def test_a_program_that_does_not_compile_is_the_guests_to_report(
    ovum: Ovum, work: Path, seen: Path
) -> None:
    (work / "prog.py").write_text("def (\n")
    assert ovum("run", "prog.py").returncode == 0
    assert loaded(seen)["app/prog.py"] == b"def (\n"


def test_nothing_is_the_prompt_and_dash_is_standard_input(ovum: Ovum, seen: Path) -> None:
    ovum("run")
    assert started(seen)[0] == ["/usr/bin/python3.13"]
    ovum("run", "-", "a")
    assert started(seen)[0] == ["/usr/bin/python3.13", "-", "a"]


def test_machine_options_reach_qemu(ovum: Ovum, seen: Path) -> None:
    ovum("run", "--memory", "1G", "--machine", "pc", "--cpu", "qemu64", "--accel", "tcg", "-c", "1")
    assert [word_after(seen, option) for option in ("-m", "-machine", "-cpu", "-accel")] == [
        *("1024M", "pc", "qemu64", "tcg")
    ]
    assert "ovum.log" not in word_after(seen, "-append")
    ovum("run", "-v", "-c", "1")
    assert "ovum.log=3" in word_after(seen, "-append")


def test_the_network_is_qemus_own_unless_somebody_says_otherwise(
    ovum: Ovum, work: Path, seen: Path
) -> None:
    (work / "prog.py").write_text("print(1)\n")
    assert ovum("run", "prog.py").returncode == 0
    assert word_after(seen, "-netdev") == "user,id=net"
    table = '[tool.ovum]\nnet = "user,hostname=egg"\npublish = ["0:80"]\n'
    (work / "pyproject.toml").write_text(table)
    done = ovum("run", "prog.py")
    forward = re.fullmatch(
        r"user,id=net,hostfwd=tcp:127\.0\.0\.1:(\d+)-:80", word_after(seen, "-netdev")
    )
    assert forward
    assert done.stderr == f"ovum: 127.0.0.1:{forward[1]}/tcp is port 80 of the machine\n"
    assert "ovum.net=hostname=egg" in word_after(seen, "-append").split()
    ovum("run", "--net", "none", "prog.py")
    assert "-netdev" not in (seen / "argv").read_text()
    (work / "pyproject.toml").write_text('[tool.ovum]\npublish = ["80:http"]\n')
    assert "[tool.ovum]: not a port: 'http'" in ovum("run", "prog.py").stderr
    assert ovum("run", "--net", "user", "-p", "0:1", "prog.py").returncode == 0


def test_additions_are_in_the_image(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "data").mkdir()
    (work / "data" / "table.csv").write_text("a,b\n")
    ovum("run", "--add", "data:/srv/data", "-c", "1")
    assert loaded(seen)["srv/data/table.csv"] == b"a,b\n"


def test_a_large_program_goes_into_the_image_itself(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "large").write_bytes(bytes(9 << 20))
    ovum("run", "--add", "large:/srv/large", "-c", "1")
    assert set(loaded(seen)) == {"ovum", "ovum/argv", "ovum/environ", "ovum/cwd"}
    image = Path(word_after(seen, "-kernel"))
    assert image.stat().st_size > 9 << 20
    image.unlink()


def test_an_image_starts_with_what_was_built_into_it(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "prog.py").write_text("print(1)\n")
    done = ovum("build", "-e", "A=B", "prog.py", "-o", "app.elf", "--", "--port", "80")
    assert done.returncode == 0
    assert "MiB" in done.stderr
    argv, environ, cwd = read_start(work / "app.elf")
    assert argv == ["/usr/bin/python3.13", "/app/prog.py", "--port", "80"]
    assert (environ["A"], environ["TERM"], cwd) == ("B", "xterm-256color", "/app")
    ovum("run", "-e", "C=D", "app.elf", "more")
    argv, environ, _ = started(seen)
    assert argv == ["/usr/bin/python3.13", "/app/prog.py", "--port", "80", "more"]
    assert (environ["A"], environ["C"]) == ("B", "D")
    assert word_after(seen, "-kernel") == "app.elf"


def test_a_finished_image_takes_no_more_files(ovum: Ovum, work: Path) -> None:
    (work / "prog.py").write_text("print(1)\n")
    ovum("build", "prog.py", "-o", "app.elf")
    done = ovum("run", "--add", "prog.py:/x", "app.elf")
    assert done.returncode == 2
    assert "finished image" in done.stderr


def test_the_same_program_builds_to_the_same_bytes(ovum: Ovum, work: Path) -> None:
    (work / "prog.py").write_text("print(1)\n")
    ovum("build", "prog.py", "-o", "one.elf")
    ovum("build", "prog.py", "-o", "two.elf")
    assert (work / "one.elf").read_bytes() == (work / "two.elf").read_bytes()


def test_a_second_run_is_under_way_in_no_time(ovum: Ovum, work: Path, seen: Path) -> None:
    (work / "prog.py").write_text("print(1)\n")
    taken = []
    for _ in range(4):
        ovum("run", "prog.py")
        taken.append(float((seen / "parents_seconds").read_text()))
    # Processor time: that of the clock is also what other tests take meanwhile.
    assert min(taken[1:]) < SECOND_RUN_LIMIT_S, taken


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["frob"], "no command 'frob'"),
        (["run", "missing.py"], "there is no missing.py"),
        (["run", "--memory", "lots", "x"], "not a size"),
        (["run", "-r", "missing.txt", "-c", "1"], "no requirements file missing.txt"),
        (["run", "--add", "missing:/x", "-c", "1"], "there is no missing"),
        (["run", "-p", "80:x", "-c", "1"], "not a port: 'x'"),
        (["run", "--net", "none", "-p", "80", "-c", "1"], "--publish goes with --net user"),
        (["run", "--net", "tap:no-such", "-c", "1"], "there is no TAP interface no-such"),
        (["run", "--pcap", "no/such", "-c", "1"], "no/such"),
        (["build", "x"], "required: -o"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("ovum: ") and said.count("\n") == 1
    assert message in said


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ovum {__version__}\n"
    assert main(["--help"]) == 0
    assert "ovum run prog.py" in capsys.readouterr().out
    assert main([]) == 2


@pytest.mark.parametrize("command", ["run", "build"])
def test_every_command_has_help_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said and "--strip" in said


def test_without_qemu_the_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["run", "-c", "1"]) == 2
    assert "apt-get install qemu-system-x86" in capsys.readouterr().err
