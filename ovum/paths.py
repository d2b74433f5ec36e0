"""Where things are on the host: the checkout, its build, the cache that all checkouts share."""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent

OWN_PARTS = ("services", "drivers", "net")
"""Of our own package, what is for the machine; the rest is the host's side."""


def cache_dir() -> Path:
    """Downloads and what is made of them; deleting it costs time, nothing else."""
    named = os.environ.get("OVUM_CACHE")
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification says that a relative XDG_CACHE_HOME is to be ignored.
    if base and Path(base).is_absolute():
        return Path(base) / "ovum"
    return Path.home() / ".cache" / "ovum"


def build_dir() -> Path:
    """Everything compiled from this checkout."""
    return REPO / "build"
