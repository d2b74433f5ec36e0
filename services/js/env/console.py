"""Where console writes: Python's standard output and error."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from ovum.services.js.context import Context


def stream_of(descriptor: int) -> TextIO:
    """Standard output (1) or error (2), as they are now."""
    return sys.stdout if descriptor == 1 else sys.stderr


def write(descriptor: int, text: str) -> None:
    """Writes text at once."""
    stream = stream_of(descriptor)
    stream.write(text)
    stream.flush()


def write_bytes(descriptor: int, data: bytes) -> None:
    """Writes bytes at once, behind the text that was written before."""
    stream = stream_of(descriptor)
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(data.decode("utf-8", "replace"))
        stream.flush()
        return
    buffer.write(data)
    buffer.flush()


def has_colors(descriptor: int) -> bool:
    """Whether it is a terminal that should get colours (NO_COLOR, FORCE_COLOR, TERM)."""
    force = os.environ.get("FORCE_COLOR")
    if force is not None:
        return force not in ("0", "false")
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream_of(descriptor).isatty()


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    return {"write": write, "writeBytes": write_bytes, "hasColors": has_colors}
