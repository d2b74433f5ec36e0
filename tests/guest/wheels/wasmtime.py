"""wasmtime: modules compiled to machine code here and now; traps, which are signals; its limits."""

import wasmtime

MODULE = """
(module
  (import "host" "log" (func $log (param i32)))
  (memory (export "memory") 1 3)
  (table 2 funcref)
  (elem (i32.const 0) $fib)
  (type $binary (func (param i32) (result i32)))
  (func $fib (export "fib") (type $binary)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "sum") (param $n i32) (result f64) (local $i i32) (local $s f64)
    (loop $more
      (local.set $s (f64.add (local.get $s) (f64.sqrt (f64.convert_i32_u (local.get $i)))))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                             (local.get $n))))
    (local.get $s))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func (export "unreachable") unreachable)
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (type $binary) (i32.const 10) (local.get 0)))
  (func (export "calls") (param i32) (call $log (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "forever") (loop $l (br $l)))
  (func (export "vector") (result i32)
    (i32x4.extract_lane 2 (i32x4.mul (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8)))))
"""

config = wasmtime.Config()
config.consume_fuel = True
engine = wasmtime.Engine(config)
store = wasmtime.Store(engine)
store.set_fuel(100_000_000)
logged: list[int] = []


def log(value: int) -> None:
    if value < 0:
        raise ValueError("from Python")
    logged.append(value)


module = wasmtime.Module(engine, MODULE)
host = wasmtime.Func(store, wasmtime.FuncType([wasmtime.ValType.i32()], []), log)
exports = wasmtime.Instance(store, module, [host]).exports(store)


def call(name: str, *arguments: int) -> object:
    return exports[name](store, *arguments)


print(call("fib", 22), call("sum", 200_000), call("vector"), call("indirect", 0))
call("store", 100, 0x01020304)
print(exports["memory"].read(store, 100, 104), call("load", 101))
print(call("grow", 1), call("grow", 5), exports["memory"].size(store))
call("calls", 7)
print(logged)
# A page behind the memory, four GiB behind it, no code, a division, an overflow, the stack's end.
for name, *arguments in (
    *(("load", 2 * 65536), ("load", -8), ("store", 0x7FFFFFFF, 1), ("divide", 1, 0)),
    *(("divide", -(2**31), -1), ("unreachable",), ("indirect", 1), ("indirect", 9), ("deep", 0)),
):
    for _ in range(3):
        try:
            print(call(name, *arguments))
        except wasmtime.Trap as trap:
            said = trap
    print(name, arguments, said.trap_code, len(said.frames) > 0)
try:
    call("calls", -1)
except ValueError as error:
    print(repr(error))
store.set_fuel(10_000)
try:
    call("forever")
except wasmtime.Trap as trap:
    print(trap.trap_code)
store.set_fuel(1_000_000)
print("still good:", call("fib", 15), call("load", 100))
packed = module.serialize()
again = wasmtime.Module.deserialize(engine, packed)
print([export.name for export in again.exports][:4])
try:
    wasmtime.Module(engine, "(module (func (result i32)))")
except wasmtime.WasmtimeError as error:
    print("invalid:", "type mismatch" in str(error))
