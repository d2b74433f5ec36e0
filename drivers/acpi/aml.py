"""Sleep types from AML, without an interpreter of it (ACPI 6.4, 7.4.2, 20.2).

What to write to power off is the value of an object named `_S5`. On every machine seen it is

    Name (\\_S5, Package () {type a, type b, ...})

with constants, which is found by how it is encoded: NameOp, perhaps a root prefix, "_S5_",
PackageOp, the package's length, the number of elements, and constants. Not understood are: a method
or alias of that name; elements that are computed; a package that is defined twice, of which one is
chosen when the machine runs (the first is taken, as the kernel does); and the name inside of
another one's path. Then there is None, and the machine cannot be powered off through ACPI.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME_OP = 0x08
_PACKAGE_OP = 0x12
_CONSTANTS = {0x0A: 1, 0x0B: 2, 0x0C: 4, 0x0E: 8}
"""BytePrefix, WordPrefix, DWordPrefix, QWordPrefix, and how many bytes follow (20.2.3)."""
_ZERO_OP, _ONE_OP, _ONES_OP = 0x00, 0x01, 0xFF

_TYPE_MASK = 7
"""SLP_TYP has three bits (4.8.3.2.1)."""


def sleep_types(blocks: Iterable[bytes], state: int = 5) -> tuple[int, int] | None:
    """What SLP_TYPa and SLP_TYPb are for a sleep state; None if that is not found.

    `blocks`: AML of the definition blocks, DSDT first.
    """
    name = b"_S%d_" % state
    for aml in blocks:
        at = aml.find(name)
        while at >= 0:
            before = aml[at - 2 : at] if at >= 2 else aml[:at]
            if before[-1:] == bytes([_NAME_OP]) or before == bytes([_NAME_OP, 0x5C]):
                values = _package(aml, at + 4)
                if values:
                    a = values[0]
                    b = values[1] if len(values) > 1 else a >> 8
                    # Some firmware packs both types into one number (type b in the second byte).
                    return a & _TYPE_MASK, b & _TYPE_MASK
            at = aml.find(name, at + 1)
    return None


def _package(aml: bytes, at: int) -> list[int]:
    """The constants at the beginning of a package; none if this is no package of such."""
    if aml[at : at + 1] != bytes([_PACKAGE_OP]) or at + 1 >= len(aml):
        return []
    at, end = package_length(aml, at + 1)
    if end > len(aml) or at >= end:
        return []
    count = aml[at]
    at += 1
    values: list[int] = []
    while len(values) < count and at < end:
        operation = aml[at]
        size = _CONSTANTS.get(operation, 0)
        if size:
            if at + 1 + size > end:
                break
            values.append(int.from_bytes(aml[at + 1 : at + 1 + size], "little"))
        elif operation in (_ZERO_OP, _ONE_OP):
            values.append(operation)
        elif operation == _ONES_OP:
            values.append(0xFFFFFFFF)
        else:
            break
        at += 1 + size
    return values


def package_length(aml: bytes, at: int) -> tuple[int, int]:
    """PkgLength (20.2.4): where what it is the length of begins, and where that ends."""
    # The upper two bits of the first byte say how many bytes follow.
    lead = aml[at]
    more = lead >> 6
    length = lead & 0x3F
    if more:
        length = lead & 0x0F
        for k, byte in enumerate(aml[at + 1 : at + 1 + more]):
            length |= byte << 4 + 8 * k
    return at + 1 + more, at + length
