"""`python bench` and `python -m bench` are the same."""

import sys
from pathlib import Path

if not __package__:
    # Started by the folder's name: Python then looks in this folder, not for it.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.main import main

sys.exit(main())
