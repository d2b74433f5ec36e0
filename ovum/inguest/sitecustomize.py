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


def _add_zip(path: list[str]) -> None:
    folders = (_LIBRARY, f"{_LIBRARY}/lib-dynload")
    path.insert(max(path.index(folder) + 1 for folder in folders if folder in path), _ZIP)


if _LIBRARY in sys.path and os.path.exists(_ZIP):
    _add_zip(sys.path)
    # The rarer codecs are there, too.
    encodings.__path__.append(f"{_ZIP}/encodings")
