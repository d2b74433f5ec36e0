"""Domain names in DNS messages (RFC 1035, 3.1 and 4.1.4)."""

from __future__ import annotations

from ovum.net.wire.errors import WireError

NAME_MOST, LABEL_MOST = 255, 63
"""Bytes, with the lengths of the labels."""

POINTERS_MOST = 127
"""In a name: as many as it has labels at most."""


def parse_name(data: bytes, at: int) -> tuple[str, int]:
    """A name of a message, and where it ends.

    A pointer goes to an earlier place than all before it, so that there is an end.
    """
    labels: list[str] = []
    size = len(data)
    behind = 0
    limit = at
    total = 1
    pointers = 0
    while True:
        if at >= size:
            raise WireError("dns_short")
        length = data[at]
        at += 1
        if not length:
            return ".".join(labels), behind or at
        if length >= 0xC0:
            if at >= size:
                raise WireError("dns_short")
            target = (length & 0x3F) << 8 | data[at]
            if not behind:
                behind = at + 1
            pointers += 1
            if target >= limit or pointers > POINTERS_MOST:
                raise WireError("dns_pointer_bad")
            at = limit = target
            continue
        if length > LABEL_MOST:
            raise WireError("dns_label_bad")
        if at + length > size:
            raise WireError("dns_short")
        total += length + 1
        if total > NAME_MOST:
            raise WireError("dns_name_long")
        labels.append(quoted(data[at : at + length], 46))
        at += length


def quoted(data: bytes, special: int) -> str:
    """Text for bytes: what is not printable as \\DDD; a backslash before itself and `special`."""
    if data.isalnum():
        return data.decode("ascii")
    return "".join(
        f"\\{byte:03}"
        if not 33 <= byte <= 126 and not (byte == 32 and special == 34)
        else f"\\{chr(byte)}"
        if byte in (special, 92)
        else chr(byte)
        for byte in data
    )


def emit_name(name: str) -> bytes:
    """A name's bytes, not compressed. A dot at its end changes nothing.

    Raises ValueError for what is none; letters beyond ASCII are to be encoded before (RFC 5890).
    """
    data = bytearray()
    for label in _labels(name):
        if not 1 <= len(label) <= LABEL_MOST:
            raise ValueError(f"{name!r} is not a domain name")
        data.append(len(label))
        data += label
    if len(data) >= NAME_MOST:
        raise ValueError(f"{name!r} is too long for a domain name")
    data.append(0)
    return bytes(data)


def _labels(name: str) -> list[bytes]:
    if not name.isascii():
        raise ValueError(f"{name!r} has letters beyond ASCII")
    labels = []
    label = bytearray()
    at = 0
    while at < len(name):
        letter = name[at]
        at += 1
        if letter == ".":
            labels.append(bytes(label))
            label = bytearray()
            if at == len(name):
                # The dot of the root; alone it is the root.
                return labels if name != "." else []
            continue
        if letter == "\\":
            digits = name[at : at + 3]
            if len(digits) == 3 and digits.isdigit() and int(digits) < 256:
                label.append(int(digits))
                at += 3
                continue
            letter = name[at : at + 1]
            at += 1
            if not letter or letter.isdigit():
                raise ValueError(f"{name!r} is not a domain name")
        label += letter.encode("ascii")
    if label:
        labels.append(bytes(label))
    return labels
