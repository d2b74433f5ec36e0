"""ctypes: callbacks that the C library calls, structures by value and by pointer, errno, memory."""

import ctypes
import threading
from collections.abc import Callable

libc = ctypes.CDLL(None, use_errno=True)
libm = ctypes.CDLL("libm.so.6")
order = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
calls = [0]


@order
def compare(left: "ctypes._Pointer[ctypes.c_int]", right: "ctypes._Pointer[ctypes.c_int]") -> int:
    calls[0] += 1
    return left[0] - right[0]


values = (ctypes.c_int * 500)(*(number * 7919 % 1009 for number in range(500)))
libc.qsort(values, len(values), ctypes.sizeof(ctypes.c_int), compare)
print(list(values) == sorted(values), values[0], values[499], calls[0] > 500)
key = ctypes.c_int(values[123])
libc.bsearch.restype = ctypes.c_void_p
found = libc.bsearch(ctypes.byref(key), values, len(values), 4, compare)
print((found - ctypes.addressof(values)) // 4)

libm.pow.restype = ctypes.c_double
libm.pow.argtypes = [ctypes.c_double, ctypes.c_double]
print(libm.pow(2.0, 0.5))


class Quotient(ctypes.Structure):
    """ldiv_t, which comes back in two registers."""

    _fields_ = (("quot", ctypes.c_long), ("rem", ctypes.c_long))


libc.ldiv.restype = Quotient
result = libc.ldiv(ctypes.c_long(-(10**12)), ctypes.c_long(7))
print(result.quot, result.rem)


class Big(ctypes.Structure):
    """More than fits into registers."""

    _fields_ = (("a", ctypes.c_double * 5), ("b", ctypes.c_char * 7))


@ctypes.CFUNCTYPE(ctypes.c_double, Big, ctypes.c_float, ctypes.c_byte)
def by_value(big: Big, factor: float, small: int) -> float:
    return sum(big.a) * factor + small + len(big.b)


print(by_value(Big((ctypes.c_double * 5)(1, 2, 3, 4, 5), b"seven"), 0.5, -3))

text = ctypes.create_string_buffer(200)
libc.snprintf(text, 200, b"%s %d %.3f %c %ld", b"text", 42, ctypes.c_double(2.5), ord("x"),
              ctypes.c_long(-(2**40)))  # fmt: skip
print(text.value)
print(libc.close(999), ctypes.get_errno())

# A thread that C starts enters Python through the callback.
entered: list[tuple[int, bool]] = []


@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def begin(argument: int | None) -> int:
    entered.append((argument or 0, threading.current_thread() is threading.main_thread()))
    return (argument or 0) * 2


libc.pthread_create.argtypes = [ctypes.c_void_p] * 4
libc.pthread_join.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
handles = [ctypes.c_void_p() for _ in range(4)]
for number, handle in enumerate(handles):
    libc.pthread_create(ctypes.byref(handle), None, begin, number + 1)
doubled = []
for handle in handles:
    value = ctypes.c_void_p()
    libc.pthread_join(handle, ctypes.byref(value))
    doubled.append(value.value)
print(sorted(entered), doubled)


def nested(depth: int) -> Callable[[int], int]:
    """A callback that calls the next, all the way down."""
    inner = nested(depth - 1) if depth else None
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(
        lambda value: inner(value + 1) if inner else value
    )


print(nested(50)(1))
print(bytes(ctypes.string_at(ctypes.cast(ctypes.c_char_p(b"bytes"), ctypes.c_void_p), 3)))
print(ctypes.cast((ctypes.c_ubyte * 4)(1, 2, 3, 4), ctypes.POINTER(ctypes.c_uint32))[0])
