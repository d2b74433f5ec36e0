"""Times of WebAssembly, in ovum and on Linux alike, as JSON: milliseconds, the best of some.

On Linux the packages come in an archive beside this program; unpacking it is not measured.
"""

import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ARCHIVE = Path(__file__).parent / "site.zip"

KERNELS = """(module
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (memory (export "memory") 64)
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  ;; Calls, integers and floats: a recursion, then a sum of square roots by a shifting state.
  (func (export "cpu") (param $n i32) (result f64) (local $s f64) (local $x i32)
    (local.set $x (call $fib (i32.const 22)))
    (loop $more
      (local.set $x (i32.xor (i32.shl (local.get $x) (i32.const 7))
        (i32.add (i32.shr_u (local.get $x) (i32.const 3)) (i32.mul (local.get $n) (local.get $x)))))
      (local.set $s (f64.add (local.get $s) (f64.sqrt (f64.convert_i32_u (local.get $x)))))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  ;; Four MiB: filled, half of it copied, summed by strides that leave the caches.
  (func (export "memory-kernel") (result i64) (local $i i32) (local $round i32) (local $s i64)
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 4194304))
    (memory.copy (i32.const 2097152) (i32.const 1) (i32.const 2097151))
    (loop $rounds
      (local.set $i (local.get $round))
      (loop $words
        (local.set $s (i64.add (local.get $s) (i64.load (local.get $i))))
        (i32.store (local.get $i) (i32.wrap_i64 (local.get $s)))
        (br_if $words (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 264)))
          (i32.const 4194296))))
      (br_if $rounds (i32.lt_u
        (local.tee $round (i32.add (local.get $round) (i32.const 8))) (i32.const 64))))
    (local.get $s))
  (func (export "host-calls") (param $n i32) (result i32) (local $x i32)
    (loop $more
      (local.set $x (call $add (local.get $x) (local.get $n)))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))"""


def best_ms(work: Callable[[], object], times: int) -> float:
    """The best time of so many."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found) * 1000


def main() -> None:
    """Measures everything."""
    if ARCHIVE.exists():
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall("/tmp/site")
        sys.path.insert(0, "/tmp/site")
    began = time.perf_counter()
    from ovum import wasm

    limits = wasm.Limits(interrupt=False)
    wasm.Module("(module)", limits=limits)
    figures = {"first module, with imports": (time.perf_counter() - began) * 1000}
    figures["compile"] = best_ms(lambda: wasm.Module(KERNELS, limits=limits), 3)
    module = wasm.Module(KERNELS, limits=limits)
    imports = {"host": {"add": lambda a, b: a + b & 0xFFFF}}
    instance = module.instantiate(imports)
    figures["CPU kernel"] = best_ms(lambda: instance.cpu(2_000_000), 3)
    figures["memory kernel"] = best_ms(instance["memory-kernel"], 5)
    figures["100,000 host calls"] = best_ms(lambda: instance["host-calls"](100_000), 3)
    same = '(module (func (export "f") (param i32) (result i32) local.get 0))'
    for name, kind in (("10,000 calls", limits), ("10,000 that Ctrl-C can end", wasm.Limits())):
        function = wasm.Module(same, limits=kind).instantiate().f

        def calls(function: Callable[[int], int] = function) -> None:
            for number in range(10_000):
                function(number)

        figures[name] = best_ms(calls, 3)
    figures["100 instances"] = best_ms(
        lambda: [module.instantiate(imports).store for _ in range(100)], 3
    )
    print("FIGURES", json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
