"""Domains with other letters than ASCII's, as URLs have them (UTS 46, non-transitional)."""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context

_DOTS = str.maketrans({"。": ".", "．": ".", "｡": "."})
_KEPT = frozenset("ßς\u200c\u200d")
"""Deviation characters: valid as they are when processing is non-transitional."""

_JOINERS = frozenset("\u200c\u200d")
_VIRAMA = 9
"""The canonical combining class behind which a joiner may stand."""

_IGNORED = frozenset(
    "\u00ad\u034f\u180b\u180c\u180d\u180f\u200b\u2060\u2064\ufeff"
    "\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07"
    "\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f"
)
"""Characters that UTS 46 takes away."""

_BIDI = frozenset(("R", "AL", "AN"))


def _mapped(label: str) -> str:
    parts = []
    for character in label:
        if character in _IGNORED:
            continue
        parts.append(character if character in _KEPT else character.casefold())
    text = unicodedata.normalize("NFKC", "".join(parts))
    # What the compatibility decomposition has brought, in lower case as well.
    return unicodedata.normalize(
        "NFC", "".join(one if one in _KEPT else one.casefold() for one in text)
    )


def _is_valid(label: str) -> bool:
    if unicodedata.normalize("NFC", label) != label or label != _mapped(label):
        return False
    for at, character in enumerate(label):
        if character == "\ufffd":
            return False
        if character in _JOINERS and (at == 0 or unicodedata.combining(label[at - 1]) != _VIRAMA):
            # RFC 5892, appendix A; the rule for Arabic letters on both sides is left out.
            return False
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cn", "Co", "Cs", "Zs", "Zl", "Zp") and character not in _KEPT:
            return False
    return unicodedata.category(label[0])[0] != "M"


def _is_direction_valid(label: str) -> bool:
    """RFC 5893, section 2, for labels with letters written from right to left."""
    kinds = [unicodedata.bidirectional(character) for character in label]
    if not _BIDI.intersection(kinds):
        return kinds[0] == "L" or not any(kind in _BIDI for kind in kinds)
    while kinds and kinds[-1] == "NSM":
        kinds.pop()
    if kinds[0] in ("R", "AL"):
        allowed = {"R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"}
        return (
            allowed.issuperset(kinds)
            and kinds[-1] in ("R", "AL", "EN", "AN")
            and not {"EN", "AN"}.issubset(kinds)
        )
    return False


def to_ascii(domain: str) -> str | None:
    """The domain with its other letters in Punycode, or None if it cannot be one."""
    labels = []
    for label in _mapped(domain.translate(_DOTS)).translate(_DOTS).split("."):
        if label.startswith("xn--"):
            try:
                plain = label[4:].encode("ascii").decode("punycode")
                again = plain.encode("punycode").decode("ascii")
            except UnicodeError:
                return None
            if not plain or plain.isascii() or again != label[4:] or not _is_valid(plain):
                return None
            if not _is_direction_valid(plain):
                return None
        elif label and not label.isascii():
            if not _is_valid(label) or not _is_direction_valid(label):
                return None
            label = "xn--" + label.encode("punycode").decode("ascii")
        labels.append(label)
    return ".".join(labels)


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    return {"toAscii": to_ascii}
