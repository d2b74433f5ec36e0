"""The font of text on a frame buffer: 8x16 pixels; ASCII, Latin-1, Latin Extended-A, boxes."""

from __future__ import annotations

from ovum.drivers.display.fontdata import BITS, RANGES

WIDTH = 8
HEIGHT = 16

REPLACEMENT = "\ufffd"
"""What is shown for a character that the font does not have."""


def _index() -> dict[str, int]:
    places = {}
    at = 0
    for first, last in RANGES:
        for code in range(first, last + 1):
            places[chr(code)] = at
            at += HEIGHT
    return places


_places = _index()


def has(character: str) -> bool:
    """Does the font have it?"""
    return character in _places


def glyph(character: str) -> bytes:
    """A character's 16 rows from top to bottom; the left pixel is bit 7."""
    at = _places.get(character)
    if at is None:
        at = _places[REPLACEMENT]
    return BITS[at : at + HEIGHT]
