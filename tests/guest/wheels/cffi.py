"""cffi: calls and callbacks by declarations of C, without a compiler."""

import cffi

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct { int quot; int rem; } div_t;
    typedef struct node { struct node *next; double value; uint8_t tag[3]; } node;
    div_t div(int, int);
    double hypot(double, double);
    int snprintf(char *, size_t, const char *, ...);
    void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
    void *malloc(size_t);
    void free(void *);
    int close(int);
    typedef unsigned long pthread_t;
    int pthread_create(pthread_t *, void *, void *(*)(void *), void *);
    int pthread_join(pthread_t, void **);
""")
lib = ffi.dlopen(None)
libm = ffi.dlopen("libm.so.6")
result = lib.div(-17, 5)
print(result.quot, result.rem, libm.hypot(3, 4))
text = ffi.new("char[]", 100)
print(lib.snprintf(text, 100, b"%d %s %.2f", ffi.cast("int", 7), ffi.new("char[]", b"x"),
                   ffi.cast("double", 1.5)), ffi.string(text))  # fmt: skip

calls = [0]


@ffi.callback("int(const void *, const void *)")
def compare(left: object, right: object) -> int:
    calls[0] += 1
    return ffi.cast("double *", left)[0] > ffi.cast("double *", right)[0]


values = ffi.new("double[]", [number * 31 % 101 / 4 for number in range(300)])
lib.qsort(values, 300, 8, compare)
print(list(values) == sorted(values), values[0], values[299], calls[0] > 300)


@ffi.callback("void *(void *)")
def begin(handle: object) -> object:
    ffi.from_handle(handle).append("entered")
    return ffi.cast("void *", 5)


seen: list[str] = []
handle = ffi.new_handle(seen)
threads = [ffi.new("pthread_t *") for _ in range(4)]
back = ffi.new("void **")
for one in threads:
    lib.pthread_create(one, ffi.NULL, begin, handle)
for one in threads:
    lib.pthread_join(one[0], back)
print(seen, int(ffi.cast("intptr_t", back[0])))


@ffi.callback("int(int)", error=-7)
def failing(value: int) -> int:
    return 1 // value


import contextlib  # noqa: E402
import io  # noqa: E402

with contextlib.redirect_stderr(io.StringIO()) as complaint:
    print(failing(0), "ZeroDivisionError" in complaint.getvalue(), failing(1))
first = ffi.new("node *", {"value": 2.5, "tag": [1, 2, 3]})
second = ffi.new("node *", {"next": first, "value": 4})
print(second.next.value, bytes(first.tag), ffi.sizeof("node"), ffi.offsetof("node", "tag"))
print(lib.close(999), ffi.errno)
memory = ffi.gc(lib.malloc(1 << 20), lib.free)
ffi.memmove(memory, b"abc", 3)
print(bytes(ffi.buffer(memory, 3)), len(ffi.from_buffer(bytearray(9))))
try:
    print(lib.nowhere)
except AttributeError as error:
    print(type(error).__name__)
try:
    ffi.cdef("int broken(;")
except cffi.CDefError as error:
    print(type(error).__name__)
