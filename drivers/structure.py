"""Bytes with named fields: what firmware leaves in memory.

class Entry(Structure):
    SIZE = 12
    apic_id = Register(2, 8)
    name = Text(4, 8)

Entry(data).apic_id
"""

from __future__ import annotations

from ovum.drivers.registers import BytesWindow, Register, Registers, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, overload


class Field:
    """What is a field of a structure besides its registers."""


class Text(Field):
    """Characters at a place as an attribute that is a str, without blanks and zeros at the end."""

    def __init__(self, offset: int, size: int) -> None:
        self._offset = offset
        self._end = offset + size

    if TYPE_CHECKING:

        @overload
        def __get__(self, block: None, owner: type) -> Text: ...
        @overload
        def __get__(self, block: Structure, owner: type) -> str: ...

    def __get__(self, block: Structure | None, owner: type) -> Text | str:
        if block is None:
            return self
        return block.data[self._offset : self._end].decode("latin-1").rstrip("\0 ")


class Structure(Registers):
    """Named fields over bytes.

    A field beyond the end of the bytes, which an older revision lacks, is 0.
    """

    SIZE: ClassVar[int] = 0
    """Bytes that the newest revision has."""

    def __init__(self, data: bytes) -> None:
        self.length_found = len(data)
        """Bytes that there are."""
        self.data = data.ljust(self.SIZE, b"\0")
        super().__init__(BytesWindow(self.data))

    def values(self) -> dict[str, object]:
        """All fields by name."""
        return {
            name: getattr(self, name)
            for base in reversed(type(self).__mro__)
            for name, field in vars(base).items()
            if isinstance(field, Register | Field)
        }

    def __repr__(self) -> str:
        parts = [f"{name}={shown(value)}" for name, value in self.values().items()]
        return f"<{type(self).__name__} {', '.join(parts)}>"

    def print(self) -> None:
        """Prints a line for each field."""
        for name, value in self.values().items():
            print(f"{name:<26} {shown(value)}")


def shown(value: object) -> str:
    """A field for people: hexadecimal, with the names of what is in it."""
    if isinstance(value, Value):
        names = value.names()
        return f"{int(value):#x}" + (f" ({' '.join(names)})" if names else "")
    return str(value)
