"""JSON as QuickJS writes it, and files, without the modules of the library that do more.

`json` and `pathlib` import `re` and `enum`, which in an emulated machine take longer than most
programs.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Options:
    """What the scanner of the library's `json` is made with."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner keeps keys there while it runs


_scan = make_scanner(_Options)  # type: ignore[arg-type]


def loads(text: str) -> Any:
    """The value of what JSON.stringify has written."""
    return _scan(text, 0)[0]


def quoted(text: str) -> str:
    """A string as JSON and JavaScript have it."""
    return encode_basestring_ascii(text)


def read_file(path: str) -> bytes:
    """All of a file. Raises OSError."""
    with open(path, "rb") as file:
        return file.read()
