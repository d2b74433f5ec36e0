"""Prints what ovum.wasm does, a line of JSON for each check: a guest must print what Linux does.

`python3 -m webassembly FOLDER PROGRAMS SPEC`: a folder to write in, those of tests/wasm, and of
tests/host/wasm/spec.
"""

import importlib
import io
import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ovum import wasm

FOLDER, PROGRAMS, SPEC = map(Path, sys.argv[1:])

SAMPLE = (
    *("spec/i32", "spec/call_indirect", "spec/memory_grow", "spec/simd_i32x4_arith2"),
    *("gc/array", "multi-memory/linking2"),
)
"""Of the specification's files: every kind of instruction, and modules that share things."""

ENDLESS = """(module (import "h" "f" (func $f (param i32 f64) (result i64)))
  (func $loop (export "loop") (loop (br 0)))
  (func (export "calls") (loop (drop (call $f (i32.const 1) (f64.const 2))) (br 0)))
  (func (export "f") (result i64) (call $f (i32.const 7) (f64.const 0.5))))"""


def report(name: str, *results: object) -> None:
    print("WASM", json.dumps([name, *results]), flush=True)


def kind(call: Callable[[], object]) -> str:
    try:
        return f"gave {call()!r}"
    except wasm.Trap as trap:
        return f"{trap.kind}: {[frame.function for frame in trap.frames][:3]}"


def check_traps() -> None:
    module = wasm.Module(PROGRAMS / "traps.wat")
    instance = module.instantiate()
    for export in module.exports:
        if export.kind == "func":
            report(export.name, [kind(instance[export.name]) for _ in range(3)])
    report("memory", instance.m.grow(2), len(instance.m), instance.m[65530:65540].hex())


def check_limits() -> None:
    def nothing(*_: object) -> int:
        return 1

    imports = {"h": {"f": nothing}}
    for limits in (wasm.Limits(timeout=0.2), wasm.Limits(fuel=10_000)):
        instance = wasm.Module(ENDLESS, limits=limits).instantiate(imports)
        report("limits", kind(instance.loop), kind(instance.calls))
    instance = wasm.Module(ENDLESS).instantiate(imports)
    for name in ("loop", "calls"):
        # Whether a signal's handler raises or not, and where the code is.
        came: list[int] = []

        def handler(number: int, _: object, came: list[int] = came) -> None:
            came.append(number)
            if len(came) == 3:
                signal.setitimer(signal.ITIMER_REAL, 0)
                raise LookupError("from the handler")

        signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            instance[name]()
        except LookupError as error:
            report(name, str(error), came[:3])
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    kinds: list[str] = []
    thread = threading.Thread(target=lambda: kinds.append(kind(instance.loop)))
    thread.start()
    while thread.is_alive():
        instance.store.interrupt()
        thread.join(0.01)
    report("interrupt", kinds, instance.f())


def check_programs() -> None:
    def run(program: str, *argv: str, stdin: bytes = b"") -> tuple[int, str, str]:
        out, err = io.BytesIO(), io.BytesIO()
        status = wasm.run(
            PROGRAMS / program, argv, {"HELLO": "there"}, {"/data": FOLDER},
            stdin=stdin, stdout=out, stderr=err, cache=str(FOLDER / "cache"),
        )  # fmt: skip
        return status, out.getvalue().decode(), err.getvalue().decode()

    report("files", run("files.wasm", "/data", "7", stdin=b"one\ntwo"))
    report("kernel", run("kernel.wasm", "30"))
    library = wasm.Module(PROGRAMS / "words.wasm").instantiate(
        {"host": {"square": lambda x: x * x}, "env": {"abort": lambda *_: None}}
    )
    report("assemblyscript", library.squares(100), kind(lambda: library.at(3)))
    names = sorted(path.name for path in FOLDER.iterdir())
    report("left", names, len(list((FOLDER / "cache").iterdir())))


def check_component() -> None:
    component = wasm.Component("""(component
      (import "double" (func $double (param "n" u32) (result u32)))
      (core func $d (canon lower (func $double)))
      (core module $m (import "h" "d" (func $d (param i32) (result i32)))
        (func (export "add") (param i32 i32) (result i32)
          (i32.add (call $d (local.get 0)) (local.get 1)))
        (func (export "boom") unreachable))
      (core instance $i (instantiate $m (with "h" (instance (export "d" (func $d))))))
      (func (export "add-up") (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $i "add")))
      (func (export "boom") (canon lift (core func $i "boom"))))""")
    instance = component.instantiate({"double": lambda n: 2 * n})
    results = instance.call("add-up", 20, 2), kind(lambda: instance.call("boom"))
    report("component", component.exports, *results)


def check_specification() -> None:
    sys.path.insert(0, str(SPEC.parent))
    runner = importlib.import_module("spec.runner")
    files = runner.load()
    for name in SAMPLE:
        report(name, len(files[name]), sorted(runner.Script().failures(files[name])))


def mount() -> None:
    """In a guest, the folder is of a file system in Python: every call on it comes back here."""
    from ovum.services import vfs

    FOLDER.mkdir()
    vfs.mount(str(FOLDER), vfs.MemoryFileSystem())


if __name__ == "__main__":
    if not FOLDER.exists():
        mount()
    for check in (check_traps, check_limits, check_programs, check_component, check_specification):
        began = time.monotonic()
        check()
        print(f"{check.__name__}: {time.monotonic() - began:.1f} s", file=sys.stderr)
