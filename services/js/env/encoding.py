"""Text as bytes and back, for TextEncoder, TextDecoder and Buffer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context


def encode(text: str) -> bytes:
    """UTF-8 of a string without lone surrogates."""
    return text.encode("utf-8")


def decode(encoding: str, data: bytes, fatal: bool, stream: bool = False) -> str:
    """The text of bytes; what is not valid becomes U+FFFD, or with `fatal` UnicodeDecodeError.

    Both as the WHATWG's standard says, which for UTF-8 is what Python does (Unicode 3.9, U+FFFD
    substitution of maximal subparts).
    """
    return data.decode(encoding, "strict" if fatal else "replace")


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    return {"decode": decode, "encode": encode}
