"""`python -m ovum.net.tools ping 10.0.2.2`."""

from __future__ import annotations

import sys

from ovum.net.tools.commands import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
