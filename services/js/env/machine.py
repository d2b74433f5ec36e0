"""`sys` for JavaScript: ports, registers, memory, processor and buses of the machine itself."""

from __future__ import annotations

from ovum.services.js.errors import BigInt, JSThrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ovum.services.js.context import Context

WIDTHS = (8, 16, 32, 64)


def machine() -> ModuleType:
    """`ovum.drivers.prompt`. Raises JavaScript's error ERR_NO_MACHINE where there is none."""
    try:
        from ovum.drivers import prompt
    except ModuleNotFoundError as error:
        if error.name != "_kernel":
            raise
        raise JSThrow(
            "Error",
            "sys reaches the hardware, which only a program in an ovum machine can: "
            "this is a process of another system",
            code="ERR_NO_MACHINE",
        ) from error
    return prompt


def _whole(value: int | float, bits: int) -> int:
    """A number that has so many bits. Raises RangeError."""
    if not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise JSThrow("RangeError", f"{value} is no number of {bits} bits", code="ERR_OUT_OF_RANGE")
    return value


class Windows:
    """Registers in memory, by the numbers that JavaScript has for them."""

    def __init__(self) -> None:
        self._windows: list[Any] = []

    def open(self, address: int, size: int) -> int:
        """A window's number. Raises JavaScript's error EPERM for memory of the kernel's."""
        self._windows.append(machine().mmio(address, size))
        return len(self._windows) - 1

    def read(self, number: int, bits: int, offset: int) -> int:
        """One access of that width; 64 bits come as a bigint."""
        window = self._checked(number, bits, offset)
        value: int = getattr(window, f"read{bits}")(offset)
        return BigInt(value) if bits == 64 else value

    def write(self, number: int, bits: int, offset: int, value: int) -> None:
        """The same for writing."""
        window = self._checked(number, bits, offset)
        getattr(window, f"write{bits}")(offset, _whole(value, bits))

    def _checked(self, number: int, bits: int, offset: int) -> Any:
        window = self._windows[number]
        if (
            not isinstance(offset, int)
            or offset % (bits // 8)
            or not (0 <= offset <= window.size - bits // 8)
        ):
            raise JSThrow(
                "RangeError",
                f"offset {offset} is none of an access of {bits} bits to {window.size} bytes",
                code="ERR_OUT_OF_RANGE",
            )
        return window


def _in(bits: int) -> Callable[[int], int]:
    def read(port: int) -> int:
        value: int = getattr(machine(), f"in{bits}")(_whole(port, 16))
        return value

    return read


def _out(bits: int) -> Callable[[int, int], None]:
    def write(port: int, value: int) -> None:
        getattr(machine(), f"out{bits}")(_whole(port, 16), _whole(value, bits))

    return write


def memory(address: int, size: int) -> bytes:
    """A copy of physical memory."""
    return bytes(machine().memory(address, size))


def leaf(number: int, subleaf: int) -> dict[str, int]:
    """The registers that CPUID gives for a leaf."""
    found = machine().cpuid(_whole(number, 32), _whole(subleaf, 32))
    return {name: getattr(found, name) for name in ("eax", "ebx", "ecx", "edx")}


def processor() -> dict[str, Any]:
    """CPUID, decoded."""
    found = machine().cpuid()
    names = ("vendor", "brand", "family", "model", "stepping", "features", "hypervisor")
    return {name: getattr(found, name) for name in names}


def pci() -> list[dict[str, Any]]:
    """All PCI functions."""
    from ovum.drivers.pci.names import class_name, device_name

    return [
        {
            "address": function.address,
            "vendorId": function.vendor_id,
            "deviceId": function.device_id,
            "classCode": function.class_code,
            "className": class_name(function.class_code),
            "name": device_name(function),
        }
        for function in machine().pci()
    ]


def memory_map() -> list[dict[str, Any]]:
    """Physical memory as the loader has described it; `end` is behind the last byte."""
    return [
        {"start": start, "end": end, "kind": kind} for start, end, kind in machine().memory_map()
    ]


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    windows = Windows()
    functions: dict[str, Callable[..., Any]] = {
        "leaf": leaf,
        "memory": memory,
        "memoryMap": memory_map,
        "msr": lambda number: BigInt(machine().msr(number)),
        "open": windows.open,
        "pci": pci,
        "processor": processor,
        "read": windows.read,
        "setMsr": lambda number, value: machine().set_msr(number, _whole(value, 64)),
        "write": windows.write,
    }
    for bits in (8, 16, 32):
        functions[f"in{bits}"] = _in(bits)
        functions[f"out{bits}"] = _out(bits)
    return functions
