"""What goes wrong: errors of modules, traps with a backtrace, and a command's exit."""

import ctypes
from ctypes import byref, c_uint8, c_void_p

from ovum.wasm.capi import Bytes, lib, taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

KINDS: "Final" = (
    *("stack overflow", "memory out of bounds", "misaligned memory", "table out of bounds"),
    *("indirect call to null", "indirect call mismatch", "integer overflow"),
    *("integer divide by zero", "invalid conversion to integer", "unreachable", "interrupt"),
    *("out of fuel", "atomic wait on unshared memory", "null reference", "array out of bounds"),
    *("allocation too large", "cast failure", "cannot enter component", "no async result"),
)
"""By wasmtime's trap codes, of which the last ones are not worth a name."""

_MESSAGES: "Final" = {
    "call stack exhausted": "stack overflow",
    "out of bounds memory access": "memory out of bounds",
    "unaligned atomic": "misaligned memory",
    "out of bounds table access": "table out of bounds",
    "uninitialized element": "indirect call to null",
    "indirect call type mismatch": "indirect call mismatch",
    "integer overflow": "integer overflow",
    "integer divide by zero": "integer divide by zero",
    "invalid conversion to integer": "invalid conversion to integer",
    "`unreachable` instruction executed": "unreachable",
    "all fuel consumed": "out of fuel",
    "null reference": "null reference",
    "out of bounds array access": "array out of bounds",
    "allocation size too large": "allocation too large",
    "cast failure": "cast failure",
    "cannot enter component instance": "cannot enter component",
}
"""Components report traps as errors, of which the API tells only the text."""

_NOWHERE: "Final" = (1 << 64) - 1

TIMEOUT: "Final" = "timeout"
INTERRUPT: "Final" = "interrupt"


class WasmError(Exception):
    """A module that is not valid, cannot be linked, or was used wrongly."""


class LinkError(WasmError):
    """An import is missing, or is not of the type that the module wants."""


class Exit(WasmError):  # noqa: N818
    """A WASI program asked to end; `status` is what it wants to tell."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit with status {status}")
        self.status = status


class Frame:
    """A function of a module in a backtrace."""

    __slots__ = ("function", "index", "module", "offset")

    def __init__(
        self, function: str | None, index: int, module: str | None, offset: int | None
    ) -> None:
        self.function = function
        """Its name in the module's name section, or None."""
        self.index = index
        """Its number in the module."""
        self.module = module
        """The module's own name, or None."""
        self.offset = offset
        """Where it was: bytes from the beginning of the module; None where nobody knows."""

    def __repr__(self) -> str:
        name = self.function or f"function {self.index}"
        where = "" if self.offset is None else f" at 0x{self.offset:x}"
        return f"{self.module or '<module>'}!{name}{where}"


class Trap(WasmError):  # noqa: N818
    """The code did what ends it; `kind` is one of KINDS, "timeout", or "other"."""

    def __init__(self, kind: str, message: str, frames: tuple[Frame, ...]) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.frames = frames
        """The innermost function first; of a deep stack the innermost twenty."""

    def __str__(self) -> str:
        return "\n".join((self.message, *backtrace(self.frames)))


def backtrace(frames: tuple[Frame, ...]) -> list[str]:
    """One line for each frame."""
    return [f"  {number}: {frame!r}" for number, frame in enumerate(frames)]


def text_of(vector: Bytes) -> str:
    """The text of a vector that wasmtime owns."""
    return ctypes.string_at(vector.data, vector.size).decode("utf-8", "replace")


def _frames(vector: Bytes) -> tuple[Frame, ...]:
    addresses = (c_void_p * vector.size).from_address(vector.data) if vector.size else ()
    found = tuple(_frame(address) for address in addresses)
    lib.wasm_frame_vec_delete(byref(vector))
    return found


def _frame(address: int) -> Frame:
    names = []
    for name in (lib.wasmtime_frame_func_name(address), lib.wasmtime_frame_module_name(address)):
        names.append(text_of(Bytes.from_address(name)) if name else None)
    index, offset = lib.wasm_frame_func_index(address), lib.wasm_frame_module_offset(address)
    return Frame(names[0], index, names[1], None if offset == _NOWHERE else offset)


def trap_of(address: int) -> Trap:
    """The exception for a trap, which is freed."""
    message, frames, code = Bytes(), Bytes(), c_uint8()
    lib.wasm_trap_message(address, byref(message))
    lib.wasm_trap_trace(address, byref(frames))
    known = lib.wasmtime_trap_code(address, byref(code))
    text = taken(message).rstrip(b"\0").decode("utf-8", "replace")
    # Frames belong to their trap.
    listed = _frames(frames)
    lib.wasm_trap_delete(address)
    kind = KINDS[code.value] if known and code.value < len(KINDS) else "other"
    return Trap(kind, _reason(text), listed)


def _reason(text: str) -> str:
    """wasmtime's message without the backtrace in it: the frames say the same."""
    _, found, cause = text.partition("Caused by:")
    text = cause if found else text
    lines = [line.strip() for line in text.strip().splitlines()]
    return next((line.removeprefix("0: ") for line in lines if line), "trap")


def error_of(address: int) -> WasmError:
    """The exception for an error, which is freed."""
    status = ctypes.c_int()
    if lib.wasmtime_error_exit_status(address, byref(status)):
        lib.wasmtime_error_delete(address)
        return Exit(status.value)
    message = Bytes()
    lib.wasmtime_error_message(address, byref(message))
    text = taken(message).decode("utf-8", "replace")
    frames = frames_of_error(address) if "wasm trap: " in text else ()
    lib.wasmtime_error_delete(address)
    if "wasm trap: " in text:
        kinds = (kind for part, kind in _MESSAGES.items() if part in text)
        return Trap(next(kinds, "other"), _reason(text), frames)
    if "unknown import" in text or "incompatible import" in text:
        return LinkError(text)
    return WasmError(text)


def frames_of_error(address: int) -> tuple[Frame, ...]:
    """Where the code was when the error came up."""
    frames = Bytes()
    lib.wasmtime_error_wasm_trace(address, byref(frames))
    return _frames(frames)


def check(address: int | None) -> None:
    """Raises what a call of the API returned, if that is an error."""
    if address:
        raise error_of(address)
