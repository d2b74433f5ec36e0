"""Programs print the same, byte by byte, as with node: the environment is node's."""

from pathlib import Path

import pytest

from ovum.services import js

PROGRAMS = sorted((Path(__file__).parent / "node").glob("*.js"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_it_prints_what_node_prints(
    program: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    for name in ("FORCE_COLOR", "NO_COLOR", "NODE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    status = js.run(program)
    printed = capfd.readouterr()
    expected = program.with_suffix(".expected").read_text("utf-8")
    assert printed.out.splitlines() == expected.splitlines(), printed.err
    assert status == 0
