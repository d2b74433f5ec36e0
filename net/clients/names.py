"""Domain names, as they may stand in a file."""

from __future__ import annotations

_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def is_domain_name(name: str) -> bool:
    """Without a dot at its end (RFC 1123, 2.1; underscores are usual)."""
    return len(name) <= 253 and all(
        0 < len(label) <= 63 and _CHARACTERS.issuperset(label) and label[0] != "-" != label[-1]
        for label in name.split(".")
    )
