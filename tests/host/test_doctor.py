"""`ovum doctor`: what is looked at, what is said, and the exit status."""

import sys
from pathlib import Path

import pytest

from ovum import doctor
from ovum.cli import main
from ovum.doctor import EXTRAS, GOOD, MISSING, NOTE, OPTIONAL, TOOLS, Finding, examine, tell
from ovum.paths import REPO


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the programs are: every one that is looked for, QEMU included."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, _, _ in TOOLS:
        (folder / name).symlink_to("/bin/true")
    qemu = folder / "qemu-system-x86_64"
    qemu.write_text("#!/bin/sh\necho 'QEMU emulator version 8.2.1 (x)'\necho 'Copyright'\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path / "cache"))
    return folder


def found(root: Path = Path("/")) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(root)}


def test_a_host_with_everything(tools: Path, tmp_path: Path) -> None:
    for _, path, _, _ in EXTRAS:
        file = tmp_path / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_bytes(bytes(3 << 20))
    findings = found(tmp_path)
    assert {finding.state for finding in findings.values()} <= {GOOD, NOTE}
    assert all(finding.package is None for finding in findings.values())
    assert findings["QEMU"].says.startswith("8.2.1 (x), ")
    assert findings["cache"].says.startswith("3 MiB in ")
    assert sys.executable in findings["Python"].says


def test_what_is_missing_is_said_with_its_package(
    tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tools / "gcc").unlink()
    (tools / "qemu-system-x86_64").unlink()
    findings = found(tmp_path)
    assert findings["gcc"].state == findings["QEMU"].state == MISSING
    assert findings["xorriso"].state == OPTIONAL
    assert findings["cache"].state == NOTE
    assert tell(list(findings.values())) == 1
    said = capsys.readouterr().out
    packages = "qemu-system-x86 gcc grub-common grub-pc-bin grub-efi-amd64-bin xorriso ovmf"
    assert said.endswith(f"  apt-get install {packages}\n")


def test_a_qemu_that_does_not_start(tools: Path) -> None:
    (tools / "qemu-system-x86_64").write_text("#!/bin/sh\necho 'no libfoo' >&2\nexit 127\n")
    finding = found()["QEMU"]
    assert finding.state == MISSING and "does not start: no libfoo" in finding.says


def test_little_room(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1 << 60)
    finding = found()["room"]
    assert finding.state == NOTE and "OVUM_CACHE moves it" in finding.says


def test_every_package_is_one_that_the_project_installs() -> None:
    listed = (REPO / "packages.txt").read_text().split()
    named = {*(row[1] for row in TOOLS), *(row[2] for row in EXTRAS)} - {"apt"}
    assert named <= set(listed)


def test_the_command(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "ok        QEMU" in said and "KVM" in said
    assert main(["doctor", "--help"]) == 0
    assert "usage: ovum doctor" in capsys.readouterr().out
    assert main(["doctor", "--fix"]) == 2
    assert "takes no '--fix'" in capsys.readouterr().err
