"""The file systems that are held to the contract."""

from __future__ import annotations

from collections.abc import Callable

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.node import FileSystem

from .record import EVERYTHING

SYSTEMS: dict[str, tuple[Callable[[], FileSystem], frozenset[str]]] = {
    "memory": (MemoryFileSystem, EVERYTHING),
}
"""How each is made, empty, and which features of `Runner` it has."""
