"""Imports by the services thread: never from what it serves itself.

A program may have a mounted directory on sys.path. For the services thread to look there would be
to wait for itself (EDEADLK), and the import system would remember that there is nothing.
"""

from __future__ import annotations

import sys
from _frozen_importlib_external import PathFinder
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class UnservedPathFinder:
    """Takes the place of the path finder for one thread: it leaves out what `served` says so of.

    served(path): whether looking at this entry of sys.path, or of a package's path, would ask a
    task. Relative entries are left out, too: the working directory may be anywhere.
    """

    def __init__(self, served: Callable[[str], bool]) -> None:
        self._served = served
        self._thread = get_ident()

    def install(self) -> None:
        """Goes before the path finder on sys.meta_path."""
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module, None to leave it to the path finder.

        Raises ModuleNotFoundError in the services thread when it is not where that may look.
        """
        if get_ident() != self._thread:
            return None
        entries = sys.path if path is None else path
        allowed = [entry for entry in entries if entry.startswith("/") and not self._served(entry)]
        spec = PathFinder.find_spec(name, allowed, target)
        if spec is None and len(allowed) < len(entries):
            raise ModuleNotFoundError(
                f"No module named {name!r} where services may look: they cannot import from what "
                "they serve",
                name=name,
            )
        return spec
