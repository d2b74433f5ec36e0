"""ovum.wasm: traps, and what ends code that does not end by itself."""

import _signal
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ovum import wasm
from ovum.wasm.errors import KINDS

TRAPS = (Path(__file__).parents[2] / "wasm" / "traps.wat").read_text()

ENDLESS = """(module
  (import "h" "f" (func $f))
  (func $loop (export "loop") (loop (br 0)))
  (func (export "call") (call $f) (call $loop))
  (func (export "calls") (loop (call $f) (br 0)))
  (func (export "f") (result i32) i32.const 5))"""


def nothing() -> None:
    pass


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("unreachable", "unreachable"), ("load", "memory out of bounds")),
        *(("far", "memory out of bounds"), ("zero", "integer divide by zero")),
        *(("overflow", "integer overflow"), ("convert", "invalid conversion to integer")),
        *(("deep", "stack overflow"), ("type", "indirect call mismatch")),
        *(("null", "indirect call to null"), ("bounds", "table out of bounds")),
        *(("get", "table out of bounds"), ("reference", "null reference")),
        *(("array", "array out of bounds"), ("cast", "cast failure")),
    ],
)
def test_every_trap_has_its_kind_and_a_backtrace(name: str, kind: str) -> None:
    instance = wasm.Module(TRAPS).instantiate()
    for _ in range(3):
        with pytest.raises(wasm.Trap) as caught:
            instance[name]()
        assert caught.value.kind == kind
        assert kind in KINDS
    innermost = caught.value.frames[0]
    assert innermost.module == "traps"
    assert name in str([export.name for export in wasm.Module(TRAPS).exports])


def test_a_backtrace_has_names_from_the_innermost_on() -> None:
    with pytest.raises(wasm.Trap) as caught:
        wasm.Module(TRAPS).instantiate().zero()
    trap = caught.value
    assert [frame.function for frame in trap.frames] == ["divide", None]
    first, second, third = str(trap).splitlines()
    assert first == "wasm trap: integer divide by zero"
    assert second.startswith("  0: traps!divide at 0x")
    assert third.startswith("  1: traps!function 5 at 0x")


def test_a_deep_backtrace_is_told_in_part() -> None:
    with pytest.raises(wasm.Trap) as caught:
        wasm.Module(TRAPS).instantiate().deep()
    assert len(caught.value.frames) == 20
    assert str(caught.value).splitlines()[1] == "  0: traps!deep"


def test_a_smaller_stack_ends_sooner() -> None:
    deep = """(module (global $n (export "n") (mut i32) (i32.const 0))
      (func $f (export "f") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (i32.add (call $f) (global.get $n))))"""
    depths = []
    for stack in (64 << 10, 512 << 10):
        instance = wasm.Module(deep, limits=wasm.Limits(stack=stack)).instantiate()
        assert _kind(instance.f) == "stack overflow"
        depths.append(instance.n.value)
    assert 100 < depths[0] * 4 < depths[1]


def endless(limits: wasm.Limits, function: Callable[[], object] = nothing) -> wasm.Instance:
    return wasm.Module(ENDLESS, limits=limits).instantiate({"h": {"f": function}})


def test_fuel_ends_and_can_be_filled_up() -> None:
    instance = endless(wasm.Limits(fuel=10_000))
    with pytest.raises(wasm.Trap) as caught:
        instance.loop()
    assert caught.value.kind == "out of fuel"
    assert caught.value.frames[0].function == "loop"
    assert instance.store.fuel == 0
    instance.store.fuel = 100
    assert instance.f() == 5
    assert 0 < instance.store.fuel < 100


def test_there_is_fuel_only_where_it_is_limited() -> None:
    store = endless(wasm.Limits()).store
    with pytest.raises(wasm.WasmError, match="fuel"):
        store.fuel  # noqa: B018
    with pytest.raises(wasm.WasmError, match="another kind of limits"):
        wasm.Module(ENDLESS, limits=wasm.Limits(fuel=1)).instantiate(
            {"h": {"f": nothing}}, store=store
        )


def test_a_timeout_ends_each_call_by_itself() -> None:
    instance = endless(wasm.Limits(timeout=0.2))
    for name in ("loop", "calls", "call"):
        began = time.monotonic()
        with pytest.raises(wasm.Trap) as caught:
            instance[name]()
        assert caught.value.kind == "timeout"
        assert caught.value.frames
        assert time.monotonic() - began >= 0.2
    assert instance.f() == 5
    with pytest.raises(ValueError, match="interrupt"):
        wasm.Limits(timeout=1, interrupt=False)


def test_one_stores_deadline_is_not_anothers() -> None:
    """All stores share one engine, whose tick reaches them all."""
    other = endless(wasm.Limits(timeout=30))
    thread = threading.Thread(target=lambda: results.append(_kind(other.loop)))
    results: list[str] = []
    thread.start()
    for _ in range(3):
        assert _kind(endless(wasm.Limits(timeout=0.05)).loop) == "timeout"
    assert not results
    while not results:
        other.store.interrupt()
        thread.join(0.01)
    assert results == ["interrupt"]


def _kind(call: Callable[[], Any]) -> str:
    with pytest.raises(wasm.Trap) as caught:
        call()
    return caught.value.kind


def test_a_call_within_a_call_ends_with_it() -> None:
    inner = endless(wasm.Limits())
    outer = endless(wasm.Limits(timeout=0.2), lambda: inner.loop())
    assert _kind(outer.call) == "timeout"


def test_a_memory_ends_at_its_limit() -> None:
    grow = """(module (memory (export "m") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    instance = wasm.Module(grow, limits=wasm.Limits(memory=5 * 65536)).instantiate()
    assert [instance.grow(2), instance.grow(2), instance.grow(1)] == [1, 3, -1]
    with pytest.raises(wasm.WasmError, match="exceeds"):
        wasm.Module("(module (memory 6))", limits=wasm.Limits(memory=5 * 65536)).instantiate()
    with pytest.raises(wasm.WasmError, match="exceeds"):
        wasm.Module("(module (table 11 funcref))", limits=wasm.Limits(table=10)).instantiate()


class Raised(Exception):  # noqa: N818
    """What a signal's handler raises here."""


@pytest.fixture
def handler() -> Iterator[Callable[[Callable[..., object]], None]]:
    before = signal.getsignal(signal.SIGUSR1)

    def use(function: Callable[..., object]) -> None:
        signal.signal(signal.SIGUSR1, function)

    yield use
    signal.signal(signal.SIGUSR1, before)


def _raise(*_: object) -> None:
    raise Raised


def _later(number: int) -> threading.Timer:
    timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
    timer.start()
    return timer


@pytest.mark.parametrize("name", ["loop", "calls", "call"])
def test_a_signal_that_raises_ends_the_code(
    name: str, handler: Callable[[Callable[..., object]], None]
) -> None:
    handler(_raise)
    instance = endless(wasm.Limits())
    noted = 0
    for _ in range(5):
        with pytest.raises(Raised) as caught:
            # Inside, where a busy machine may let it come before the call.
            timer = _later(signal.SIGUSR1)
            instance[name]()
        timer.join()
        noted += len(getattr(caught.value, "__notes__", ()))
        assert instance.f() == 5
    # At least once it came when the code ran.
    assert noted
    assert signal.getsignal(signal.SIGUSR1) is _raise
    assert _signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_does_not_raise_lets_the_code_go_on(
    handler: Callable[[Callable[..., object]], None],
) -> None:
    came = []
    handler(lambda *_: came.append(1))
    timer = _later(signal.SIGUSR1)
    assert _kind(endless(wasm.Limits(timeout=1)).loop) == "timeout"
    timer.join()
    assert came == [1]


def test_a_signal_reaches_pythons_own_functions_at_once(
    handler: Callable[[Callable[..., object]], None],
) -> None:
    handler(_raise)

    def wait() -> None:
        timer = _later(signal.SIGUSR1)
        try:
            threading.Event().wait(60)
        finally:
            timer.join()

    with pytest.raises(Raised):
        endless(wasm.Limits(), wait).call()


def test_without_interruption_a_signal_waits_for_python(
    handler: Callable[[Callable[..., object]], None],
) -> None:
    handler(_raise)
    calls = []

    def kill() -> None:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGUSR1)

    with pytest.raises(Raised):
        endless(wasm.Limits(interrupt=False), kill).calls()


def test_control_c_ends_a_program() -> None:
    code = f"""
from ovum import wasm
imports = {{"h": {{"f": lambda: print("ready", flush=True)}}}}
instance = wasm.Module({ENDLESS!r}).instantiate(imports)
try:
    instance.call()
except KeyboardInterrupt:
    print("stopped", instance.f())
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "stopped 5\n"
        assert process.returncode == 0


def test_a_store_is_one_threads_at_a_time() -> None:
    inside = []

    def enter() -> None:
        inside.append(1)
        assert len(inside) == 1
        time.sleep(0.01)
        inside.pop()

    instance = wasm.Module(
        '(module (import "h" "f" (func $f)) (func (export "go") (call $f)))'
    ).instantiate({"h": {"f": enter}})
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                instance.go()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
