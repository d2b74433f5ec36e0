"""`python -m ovum` is the command `ovum`."""

import sys

from ovum.cli import main

sys.exit(main())
