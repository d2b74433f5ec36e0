"""Runs in the guest before the program: finishes the module search path.

The part of the standard library that is kept in a zip file comes right behind the folders of the
library. Further in front, reading its list of contents would be part of every start; further back,
a package of the same name could take a library module's place.
"""

import encodings
import os
import sys

_LIBRARY = "/usr/lib/python3.13"
_ZIP = f"{_LIBRARY}/stdlib.zip"
_DROPPED = "/ovum/dropped"


class _DroppedModules:
    """Asked last: tells of a module that is missing because the image is stripped."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Finds nothing; raises where --strip is the reason."""
        with open(_DROPPED) as names:
            if name not in names.read().split("\n"):
                return
        raise ModuleNotFoundError(
            f"No module named {name!r}: this image is stripped of it; "
            f"build it with --include {name}",
            name=name,
        )


def _add_zip(path: list[str]) -> None:
    folders = (_LIBRARY, f"{_LIBRARY}/lib-dynload")
    path.insert(max(path.index(folder) + 1 for folder in folders if folder in path), _ZIP)


if _LIBRARY in sys.path and os.path.exists(_ZIP):
    _add_zip(sys.path)
    # The rarer codecs are there, too.
    encodings.__path__.append(f"{_ZIP}/encodings")
if os.path.exists(_DROPPED):
    sys.meta_path.append(_DroppedModules)
