"""Tables for the prompt: a sequence whose repr is a table that people read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


class Listing:
    """Things, and what is shown of each.

    At the prompt it shows as a table; in a program it is a sequence of the things: `len`, indexes,
    `for`. `notes` are lines below the table.
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        things: Sequence[Any] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.columns = tuple(columns)
        self.rows = [tuple(map(_text, row)) for row in rows]
        self._things = list(rows if things is None else things)
        self.notes = list(notes)

    def __len__(self) -> int:
        return len(self._things)

    def __getitem__(self, index: int) -> Any:
        return self._things[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._things)

    def __repr__(self) -> str:
        if not self.rows:
            return "\n".join([f"no {self.columns[0]}", *self.notes])
        lines = [self.columns, *self.rows]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.columns))]
        # Numbers stand to the right, below the head of their column.
        right = [all(_is_number(row[k]) for row in self.rows) for k in range(len(self.columns))]
        shown = []
        for line in lines:
            cells = [
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(line, widths, right, strict=True)
            ]
            shown.append("  ".join(cells).rstrip())
        return "\n".join([*shown, *self.notes])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).lstrip("+-").isdigit() or text == ""


class Hex(int):
    """An int that shows in hexadecimal."""

    def __repr__(self) -> str:
        return f"{int(self):#x}"


_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size_text(size: int) -> str:
    """A number of bytes for people."""
    unit = 0
    number: float = size
    while number >= 1024 and unit < len(_UNITS) - 1:
        number /= 1024
        unit += 1
    return f"{number:.4g} {_UNITS[unit]}"


def dump_lines(data: bytes | memoryview, address: int = 0) -> Iterator[str]:
    """Lines of a hexadecimal dump: address, 16 bytes, and which of them are ASCII characters."""
    digits = max(4, len(f"{address + max(len(data) - 1, 0):x}"))
    for at in range(0, len(data), 16):
        row = bytes(data[at : at + 16])
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{address + at:0{digits}x}  {left:<23}  {right:<23}  {letters}"
