"""Registers as data: where they are, how wide, and what their bits are called.

    class Edu(Registers):
        identification = Register(0x00, 32)
        status = Register(0x20, 32, computing=0, irq_when_done=7)
        major = ...

    edu = Edu(window)
    if edu.status.computing: ...
    edu.status = Edu.status.value(irq_when_done=1)

Reading `edu.status` is one access of its width; what it gives is an int whose fields are attributes
and whose repr names them. Assigning is one write. Fields are a bit's number or (most significant,
least significant) bit, as data sheets write [msb:lsb].
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol, overload

    Bits = int | tuple[int, int]
    Position = tuple[int, int]
    """Of a field: how far it is shifted, and its mask then."""

    class Window(Protocol):
        """A piece of a bus: a device's registers, by their offset in bytes."""

        @property
        def size(self) -> int:
            """In bytes."""

        def read8(self, offset: int, /) -> int: ...
        def read16(self, offset: int, /) -> int: ...
        def read32(self, offset: int, /) -> int: ...
        def read64(self, offset: int, /) -> int: ...
        def write8(self, offset: int, value: int, /) -> None: ...
        def write16(self, offset: int, value: int, /) -> None: ...
        def write32(self, offset: int, value: int, /) -> None: ...
        def write64(self, offset: int, value: int, /) -> None: ...


class Value(int):
    """What a register contains: an int, with the register's fields as attributes."""

    # A copy asks for other attributes before it has these.
    _name: str = ""
    _positions: Mapping[str, Position] = {}

    def __getattr__(self, name: str) -> int:
        # Only for what is no attribute of int. A class for each register, with properties, would
        # be as fast to read, but most of what it takes to import a driver.
        shift, mask = _position(self._name, self._positions, name)
        return int(self) >> shift & mask

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._positions]

    def __repr__(self) -> str:
        names = " ".join(self.names())
        return f"<{self._name} {int(self):#x}{': ' if names else ''}{names}>"

    def names(self) -> list[str]:
        """The fields that are not zero, those of several bits with their values."""
        return [
            name if self._positions[name][1] == 1 else f"{name}={field:#x}"
            for name, field in self.fields().items()
            if field
        ]

    def fields(self) -> dict[str, int]:
        """All fields by name."""
        number = int(self)
        places = self._positions.items()
        return {name: number >> shift & mask for name, (shift, mask) in places}

    def replace(self, **fields: int) -> Value:
        """The same with other values in these fields. Raises ValueError, AttributeError."""
        result = int(self)
        for name, field in fields.items():
            shift, mask = _position(self._name, self._positions, name)
            if not 0 <= field <= mask:
                raise ValueError(f"{self._name}.{name} is at most {mask:#x}, not {field:#x}")
            result = result & ~(mask << shift) | field << shift
        return _value(self._name, self._positions, result)


def _value(name: str, positions: Mapping[str, Position], number: int) -> Value:
    value = Value(number)
    value._name = name
    value._positions = positions
    return value


def _position(register: str, positions: Mapping[str, Position], name: str) -> Position:
    try:
        return positions[name]
    except KeyError:
        raise AttributeError(f"{register} has no field {name!r}") from None


class Register:
    """A register of a `Registers` class: `offset` in bytes, `width` in bits (8, 16, 32, 64).

    `section`: where its specification describes it. The rest are the fields: the number of a bit,
    or (msb, lsb).
    """

    def __init__(self, offset: int, width: int, section: str = "", /, **fields: Bits) -> None:
        if width not in (8, 16, 32, 64):
            raise ValueError(f"a register has 8, 16, 32 or 64 bits, not {width}")
        self.offset = offset
        self.width = width
        self.section = section
        self.name = ""
        self._read = f"read{width}"
        self._write = f"write{width}"
        self._positions: dict[str, Position] = {}
        for name, bits in fields.items():
            msb, lsb = bits if isinstance(bits, tuple) else (bits, bits)
            if not width > msb >= lsb >= 0:
                raise ValueError(f"field {name!r} is not within {width} bits")
            self._positions[name] = (lsb, (1 << msb - lsb + 1) - 1)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:

        @overload
        def __get__(self, block: None, owner: type) -> Register: ...
        @overload
        def __get__(self, block: Registers, owner: type) -> Value: ...

    def __get__(self, block: Registers | None, owner: type) -> Register | Value:
        if block is None:
            return self
        return _value(self.name, self._positions, getattr(block.window, self._read)(self.offset))

    def __set__(self, block: Registers, value: int) -> None:
        getattr(block.window, self._write)(self.offset, value)

    def __repr__(self) -> str:
        section = f", {self.section}" if self.section else ""
        return f"<register {self.name} at {self.offset:#x}, {self.width} bits{section}>"

    def value(self, number: int = 0, **fields: int) -> Value:
        """A value of this register, with these fields in it."""
        result = _value(self.name, self._positions, number)
        return result.replace(**fields) if fields else result

    def mask(self, *names: str) -> int:
        """The bits of these fields."""
        result = 0
        for name in names:
            shift, mask = _position(self.name, self._positions, name)
            result |= mask << shift
        return result


class Registers:
    """A block of registers in a window; subclasses have `Register`s as attributes."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def __repr__(self) -> str:
        return f"<{type(self).__name__} registers, {self.window.size:#x} bytes>"

    @classmethod
    def registers(cls) -> dict[str, Register]:
        """All of them by name, in the order of their offsets."""
        found = {
            name: thing
            for base in reversed(cls.__mro__)
            for name, thing in vars(base).items()
            if isinstance(thing, Register)
        }
        return dict(sorted(found.items(), key=lambda item: item[1].offset))

    def dump(self) -> str:
        """A line for each register with what it contains now. Reading may have side effects."""
        return "\n".join(
            f"{register.offset:#06x} {getattr(self, name)!r}"
            for name, register in self.registers().items()
        )


_FORMATS = {
    8: struct.Struct("<B"),
    16: struct.Struct("<H"),
    32: struct.Struct("<I"),
    64: struct.Struct("<Q"),
}


class BytesWindow:
    """Bytes with registers in them, not a device: a table of the firmware, a recorded dump."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = data
        self.size = len(data)

    def _get(self, width: int, offset: int) -> int:
        value: int = _FORMATS[width].unpack_from(self._data, offset)[0]
        return value

    def _put(self, width: int, offset: int, value: int) -> None:
        _FORMATS[width].pack_into(self._data, offset, value)

    def read8(self, offset: int) -> int:
        return self._get(8, offset)

    def read16(self, offset: int) -> int:
        return self._get(16, offset)

    def read32(self, offset: int) -> int:
        return self._get(32, offset)

    def read64(self, offset: int) -> int:
        return self._get(64, offset)

    def write8(self, offset: int, value: int) -> None:
        self._put(8, offset, value)

    def write16(self, offset: int, value: int) -> None:
        self._put(16, offset, value)

    def write32(self, offset: int, value: int) -> None:
        self._put(32, offset, value)

    def write64(self, offset: int, value: int) -> None:
        self._put(64, offset, value)
