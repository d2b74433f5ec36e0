"""Turns what a target says into stamped lines: `[wall cpu] text`."""

import dataclasses
import re

from bench.machine import Stamp


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a target's output."""

    at: Stamp
    text: str

    def __str__(self) -> str:
        return f"[{self.at.wall:11.6f} {self.at.cpu:10.6f}] {self.text}"


class LineSplitter:
    """Cuts one stream into lines; a line has the stamp of its end."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, at: Stamp, data: bytes) -> list[Line]:
        """The lines that these bytes complete."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [Line(at, _text(line)) for line in lines]

    def finish(self, at: Stamp) -> list[Line]:
        """The last line, if the stream did not end with a newline."""
        rest, self._pending = self._pending, b""
        return [Line(at, _text(rest))] if rest else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")


class Until:
    """Knows the line after which a target is no longer needed."""

    def __init__(self, pattern: str | None) -> None:
        self._pattern = re.compile(pattern) if pattern else None

    def reached(self, line: Line) -> bool:
        """Whether this is that line."""
        return self._pattern is not None and self._pattern.search(line.text) is not None
