"""Asks Linux: `python -m tests.contract.record` writes its answers anew.

`answers.json` are those with everything that a file system can have, `answers-plain.json` those to
whom looks at names and contents only: no links, permissions and times.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .cases import all_cases
from .execute import Answers, Runner

EVERYTHING = frozenset({"symlink", "link", "node", "mode", "bytes"})
PLAIN: frozenset[str] = frozenset()
_FILES = {EVERYTHING: "answers.json", PLAIN: "answers-plain.json"}


def ask_linux(base: str, features: frozenset[str]) -> dict[str, Answers]:
    """What Linux answers to every case that applies, in an empty directory."""
    os.umask(0o022)
    os.chmod(base, 0o755)
    runner = Runner(os, base, features)
    runner.build()
    cases = all_cases().items()
    return {name: runner.run(steps) for name, steps in cases if runner.applies(steps)}


def recorded(features: frozenset[str]) -> dict[str, Answers]:
    """What was written down."""
    file = Path(__file__).with_name(_FILES[features])
    found: dict[str, Answers] = json.loads(file.read_text())
    return found


def main() -> None:
    """Writes the files."""
    for features, file in _FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            answers = ask_linux(folder, features)
        lines = (f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
        Path(__file__).with_name(file).write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(f"{file}: {len(answers)} cases")


if __name__ == "__main__":
    main()
