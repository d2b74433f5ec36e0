"""`ovum completion`: bash completes what the parsers know; the others say the same."""

import shlex
import subprocess

import pytest

from ovum import cli
from ovum.cli import main
from ovum.completion import options_by_command, script


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    source = script("bash") + (
        f"COMP_WORDS=({shlex.join(words)})\n"
        f"COMP_CWORD={len(words) - 1}\n_ovum\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_and_options() -> None:
    assert completed("ovum", "pa") == ["pack"]
    assert set(completed("ovum", "")) == set(options_by_command())
    assert completed("ovum", "pack", "--form") == ["--format"]
    assert {"--publish", "--pcap"} <= set(completed("ovum", "run", "--p"))
    assert "--publish" not in completed("ovum", "pack", "--p")
    # Files are the shell's own matter.
    assert completed("ovum", "run", "prog") == []


def test_every_command_is_there() -> None:
    assert set(options_by_command()) == set(cli._COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_option_is_there(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    for options in options_by_command().values():
        for option in options:
            name = option if shell != "fish" else f" {option.lstrip('-')} -d "
            assert name in said


def test_mistakes_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == 2
    assert "wants bash, zsh or fish" in capsys.readouterr().err
    assert main(["completion", "--help"]) == 0
    assert "source <(ovum completion bash)" in capsys.readouterr().out
