"""A thousand contexts, made and dropped, leave nothing behind."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.services import js

WARM_UP = 50
CONTEXTS = 1000

LEAK_KIB = 4096
"""What may be more at the end: 4 KiB for each; a context takes 300."""


def use(context: js.Context) -> None:
    async def later() -> int:
        return 1

    context.set_global("echo", lambda value: [value, context.memory()["obj_count"]])
    context.set_global("later", later)
    result = context.evaluate("echo({a: [new Uint8Array(1000), () => 1, Promise.resolve(2n)]})")
    assert len(result) == 2
    context.evaluate("later().then((x) => { globalThis.seen = x }); setTimeout(() => {}, 0)")
    with pytest.raises(js.JSError):
        context.evaluate("throw new Error('one')")


def made_and_closed() -> None:
    with js.Context() as context:
        use(context)


def made_and_run() -> None:
    with js.Context() as context:
        use(context)
        context.run()
        assert context.get_global("seen") == 1


def made_and_dropped() -> None:
    dropped()
    # The collector counts objects, not their bytes: it would let many of these come together.
    gc.collect(1)


def dropped() -> None:
    context = js.Context()
    context.set_global("me", lambda: context)
    assert context.evaluate("[1, new Uint8Array(1000), () => me()].length") == 3


def resident_kib() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4


@pytest.mark.parametrize("way", [made_and_closed, made_and_run, made_and_dropped])
def test_contexts_leave_nothing_behind(way: Callable[[], None]) -> None:
    for _ in range(WARM_UP):
        way()
    gc.collect()
    memory, objects = resident_kib(), len(gc.get_objects())
    for _ in range(CONTEXTS if way is made_and_dropped else CONTEXTS // 10):
        way()
    gc.collect()
    assert resident_kib() - memory < LEAK_KIB
    assert len(gc.get_objects()) - objects < 100


def test_what_goes_across_leaves_nothing_behind() -> None:
    with js.Context() as context:
        context.set_global("echo", lambda value: value)
        context.set_global("fails", lambda: 1 / 0)
        across = context.evaluate("""(value) => {
            for (let i = 0; i < 50; i++) {
                echo(value); echo("ä".repeat(100)); echo([i, {value}]); echo(10n ** 40n);
                echo(() => i); echo(new Uint8Array(100));
                try { fails() } catch {}
            }
            return value;
        }""")

        def again() -> tuple[int, int]:
            for value in ("x" * 1000, b"y" * 1000, [1, "z", {"a": None}], 1 << 70, lambda: 1):
                across(value)
            gc.collect()
            context.collect()
            memory = context.memory()
            return memory["obj_count"], memory["malloc_count"]

        again()
        before = again()
        for _ in range(5):
            after = again()
        assert after[0] - before[0] < 20
        assert after[1] - before[1] < 60
