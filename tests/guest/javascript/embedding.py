"""Contexts in a Python program: functions both ways, limits, and what is left of 60 contexts."""

import gc
from pathlib import Path

from ovum.services import js


def resident_kib() -> int:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * 4


def fails() -> None:
    raise ValueError("from Python")


with js.Context() as context:
    context.set_global("twice", lambda value: value + value)
    context.set_global("fails", fails)
    print(context.evaluate("[twice(21), twice('ä'), twice([1, {a: 2n ** 70n}])]"))
    print(context.evaluate("(data) => new Uint8Array(data).map((x) => x + 1)")(b"\x00\x7f\xfe"))
    try:
        context.evaluate("function f() {\n  fails();\n}\nf()", "embedded.js")
    except js.JSError as error:
        print(error.name, error.message, "f (embedded.js:2:" in error.stack, error.__cause__)

for limits, source in (
    ({"time_limit": 0.3}, "for (;;);"),
    ({"memory_limit": 8 << 20}, "for (let a = [];;) a.push({})"),
    ({}, "(function f() { return f() + 1 })()"),
):
    with js.Context(**limits) as context:
        try:
            context.evaluate(source)
        except js.LimitError as error:
            print(type(error).__name__, context.evaluate("6 * 7"))


def use() -> None:
    context = js.Context()
    context.set_global("me", lambda: context)
    assert context.evaluate("[1, new Uint8Array(100000)].length") == 2


for _ in range(20):
    use()
    # Many at a time would decide what is left of them.
    gc.collect()
before = resident_kib()
for _ in range(40):
    use()
    gc.collect()
# One takes 400 KiB.
print("left:", resident_kib() - before < 2048)
