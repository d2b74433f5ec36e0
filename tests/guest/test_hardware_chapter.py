"""docs/hardware.md is run as it is written: every >>> line, in a guest with the device it needs."""

import re
from pathlib import Path

import pytest

from ovum.paths import REPO

from . import machine

CHAPTER = REPO / "docs" / "hardware.md"

RUNNER = """\
import doctest, sys
flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
result = doctest.testfile("/session.txt", module_relative=False, optionflags=flags)
print(result.attempted, "examples")
sys.exit(result.failed != 0)
"""

_BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def session() -> str:
    """All blocks with a prompt, one after the other; the fences are no output."""
    return "\n".join(_BLOCK.findall(CHAPTER.read_text()))


def test_no_prompt_of_the_chapter_is_left_out() -> None:
    assert session().count(">>> ") == CHAPTER.read_text().count(">>> ") > 50


@pytest.mark.parametrize("name", ["pc", "q35"])
def test_the_chapter(name: str, tmp_path: Path) -> None:
    text = tmp_path / "session.txt"
    text.write_text(session())
    result = machine.code(
        RUNNER, "--machine", name, "--qemu", "-device edu", "--add", f"{text}:/session.txt"
    )
    assert result.status == 0, result.out[-6000:] + result.err[-4000:]
    assert int(result.out.split()[0]) > 50
