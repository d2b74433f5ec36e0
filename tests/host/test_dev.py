"""./dev on machines in every state of readiness, with stand-ins for apt, sudo and Python."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ovum.paths import REPO

REAL_TOOLS = ("cat", "cmp", "cp", "dirname", "env", "mkdir", "sed", "sh", "tr")

APT = """\
echo "apt-get $*" >> "$LOG"
case $* in *install*) [ -f "$ROOM/updated" ] ;; *) : > "$ROOM/updated" ;; esac
"""
"""An apt-get whose package lists are missing, so that the first installation fails."""

PYTHON = """\
case $* in
*version_info*) [ ! -f "$ROOM/old" ] ;;
--version) echo Python 3.9.2 ;;
*-m\\ venv*)
    echo venv >> "$LOG"
    mkdir -p "$ROOM/check out/.venv/bin"
    cp "$ROOM/bin/python3" "$ROOM/check out/.venv/bin/python"
    cp "$ROOM/bin/tool" "$ROOM/check out/.venv/bin/invoke"
    cp "$ROOM/bin/tool" "$ROOM/check out/.venv/bin/ovum" ;;
*-m\\ pip*) echo pip >> "$LOG" ;;
esac
"""

TOOL = 'echo "${0##*/}"; for word; do echo "<$word>"; done'


class Machine:
    """A checkout, in a folder with a blank in its name, and the programs its machine has."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.checkout = room / "check out"
        self.log = room / "log"
        self.checkout.mkdir()
        (room / "bin").mkdir()
        for name in ("dev", "packages.txt", "pyproject.toml"):
            shutil.copy(REPO / name, self.checkout)
        for name in REAL_TOOLS:
            real = shutil.which(name)
            assert real is not None
            (room / "bin" / name).symlink_to(real)
        self.add("id", "echo 0")
        self.add("python3", PYTHON)
        self.add("tool", TOOL)
        self.add("dpkg-query", "echo installed")

    def add(self, name: str, script: str) -> None:
        path = self.room / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def dev(self, *args: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.checkout / "dev", *args],
            env={"PATH": str(self.room / "bin"), "LOG": str(self.log), "ROOM": str(self.room)},
            capture_output=True,
            text=True,
            timeout=20,
        )

    def done(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_start_makes_the_environment_and_the_second_does_nothing(
    machine: Machine,
) -> None:
    first = machine.dev("check", "--some")
    assert (first.returncode, machine.done()) == (0, ["venv", "pip"]), first.stderr
    assert first.stdout == f"invoke\n<--search-root>\n<{machine.checkout}>\n<check>\n<--some>\n"
    second = machine.dev("check", "--some")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert machine.done() == ["venv", "pip"]


def test_without_a_task_it_lists_the_tasks(machine: Machine) -> None:
    assert machine.dev().stdout.splitlines()[-1] == "<--list>"


def test_arguments_of_ovum_arrive_byte_for_byte(machine: Machine) -> None:
    args = ["run", "a  b", "", "$HOME", "*", "'\"\\", "--", "line\nbreak"]
    expected = "ovum\n" + "".join(f"<{arg}>\n" for arg in args)
    assert machine.dev("ovum", *args).stdout == expected


def test_names_of_test_modules_are_no_tasks(machine: Machine) -> None:
    done = machine.dev("regrtest", "test_os", "check")
    assert done.stdout.splitlines()[-4:] == ["<regrtest>", "<-->", "<test_os>", "<check>"]


def test_a_changed_pyproject_installs_the_project_again(machine: Machine) -> None:
    machine.dev()
    with (machine.checkout / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    machine.dev()
    assert machine.done() == ["venv", "pip", "pip"]


def test_a_moved_checkout_makes_its_environment_again(machine: Machine) -> None:
    machine.dev()
    (machine.checkout / ".venv" / "made-from" / "path").write_text("/somewhere/else\n")
    machine.dev()
    assert machine.done() == ["venv", "pip", "venv", "pip"]


def test_missing_packages_are_installed_after_an_update(machine: Machine) -> None:
    machine.add("dpkg-query", "case $* in *xorriso|*make) exit 1 ;; *) echo installed ;; esac")
    machine.add("apt-get", APT)
    done = machine.dev()
    assert done.returncode == 0, done.stderr
    install = "apt-get -qq -y --no-install-recommends install make xorriso"
    assert machine.done() == [install, "apt-get -qq update", install, "venv", "pip"]


def test_a_user_with_sudo_installs_through_it(machine: Machine) -> None:
    machine.add("dpkg-query", "exit 1")
    machine.add("apt-get", APT)
    machine.add("id", "echo 1000")
    machine.add("sudo", 'echo sudo >> "$LOG"; exec "$@"')
    assert machine.dev().returncode == 0
    assert machine.done().count("sudo") == 3


@pytest.mark.parametrize("lacking", ["apt-get", "sudo"])
def test_who_cannot_install_is_told_which_packages(machine: Machine, lacking: str) -> None:
    machine.add("dpkg-query", "case $* in *xorriso|*make) exit 1 ;; *) echo installed ;; esac")
    machine.add("id", "echo 1000")
    if lacking != "apt-get":
        machine.add("apt-get", APT)
    done = machine.dev("qemu")
    assert done.returncode == 2
    assert "install these Debian packages" in done.stderr
    assert done.stderr.splitlines()[-1].split() == ["make", "xorriso"]
    assert machine.done() == []


def test_a_machine_without_dpkg_is_told_all_packages(machine: Machine) -> None:
    (machine.room / "bin" / "dpkg-query").unlink()
    done = machine.dev("qemu")
    assert done.returncode == 2
    assert {"gcc", "make", "qemu-system-x86"} <= set(done.stderr.split())


def test_an_old_python_is_named(machine: Machine) -> None:
    (machine.room / "old").touch()
    done = machine.dev()
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed, and python3 is Python 3.9.2." in done.stderr
