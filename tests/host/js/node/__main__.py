"""Writes what node prints for the programs here: `python -m tests.host.js.node`.

The tests compare with that, so that they need no node. It was version 20.
"""

import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Runs all of them."""
    for program in sorted(HERE.glob("*.js")):
        done = subprocess.run(
            ["node", program], cwd="/", capture_output=True, check=True, timeout=60
        )
        program.with_suffix(".expected").write_bytes(done.stdout)


if __name__ == "__main__":
    main()
