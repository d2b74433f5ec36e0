"""`ovum new`: what it makes runs, is tested and is understood."""

import subprocess
import sys
from pathlib import Path

import pytest

from ovum.application import find_program
from ovum.cli import main
from ovum.network import Network, Port
from ovum.project import project_file, read_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "My_egg"]) == 0
    return tmp_path / "My_egg"


def test_its_program_runs(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, project, "--once"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Hello from ") and done.stderr == ""
    assert find_program("My_egg", []).folder == project


def test_its_tests_pass(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_its_settings_are_understood(project: Path) -> None:
    settings = read_project(project_file("My_egg"))
    assert settings.net is not None and Network.parse(settings.net).hostname == "my-egg"
    assert [Port.parse(text) for text in settings.publish] == [Port(8080, 8080)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "wants one name"),
        (["a", "b"], "wants one name"),
        (["two words"], "not a name"),
        (["-x"], "not a name"),
        (["x" * 61], "not a name"),
        (["My_egg"], "there is a My_egg already"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["new", *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--help"]) == 0
    assert "ovum new egg" in capsys.readouterr().out
