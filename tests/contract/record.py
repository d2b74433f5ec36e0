"""Asks Linux: `python -m tests.contract.record` writes answers.json anew."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .cases import all_cases
from .execute import Answers, Runner

ANSWERS = Path(__file__).with_name("answers.json")
EVERYTHING = frozenset({"symlink", "link", "node", "mode", "bytes", "unlinked"})


def ask_linux(base: str) -> dict[str, Answers]:
    """What Linux answers to every case, in an empty directory."""
    os.umask(0o022)
    os.chmod(base, 0o755)
    runner = Runner(os, base, EVERYTHING)
    runner.build()
    return {name: runner.run(steps) for name, steps in all_cases().items()}


def recorded() -> dict[str, Answers]:
    """What was written down."""
    found: dict[str, Answers] = json.loads(ANSWERS.read_text())
    return found


def main() -> None:
    """Writes the file."""
    with tempfile.TemporaryDirectory() as folder:
        answers = ask_linux(folder)
    lines = (f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(answers)} cases")


if __name__ == "__main__":
    main()
