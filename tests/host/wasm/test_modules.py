"""ovum.wasm: modules in Python: values, imports, memories, tables, globals, what is refused."""

import gc
import math
import weakref
from pathlib import Path

import pytest

from ovum import wasm
from ovum.wasm import aot, engine
from ovum.wasm.binary import FuncType, Reader

NUMBERS = wasm.Module("""(module
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "v128") (param v128) (result v128) local.get 0)
  (func (export "swap") (param i32 f64) (result f64 i32) local.get 1 local.get 0)
  (func (export "sum") (param v128 v128) (result v128)
    (i32x4.add (local.get 0) (local.get 1)))
  (func (export "nothing")))""")


def test_numbers_go_and_come_back() -> None:
    numbers = NUMBERS.instantiate()
    assert numbers.i32(-7) == -7
    assert numbers.i32(0xFFFF_FFFE) == -2
    assert numbers.i64(1 << 63) == -(1 << 63)
    assert numbers.f32(0.1) == pytest.approx(0.1, abs=1e-7)
    assert numbers.f32(1e300) == math.inf
    assert numbers.f32(-1e300) == -math.inf
    assert numbers.f64(3) == 3.0
    assert math.isnan(numbers.f64(math.nan))
    assert numbers.swap(1, 2.5) == (2.5, 1)
    assert numbers.nothing() is None


def test_vectors_are_sixteen_bytes() -> None:
    numbers = NUMBERS.instantiate()
    assert numbers.v128(bytes(range(16))) == bytes(range(16))
    one, two = (b"".join(n.to_bytes(4, "little") for n in row) for row in ([1, 2, 3, 4], [5] * 4))
    assert numbers.sum(one, bytearray(two))[:8] == b"\x06\0\0\0\x07\0\0\0"


def test_bits_keep_what_a_float_does_not() -> None:
    numbers = NUMBERS.instantiate()
    assert numbers.f32.bits(0x7FA0_0001) == (0x7FA0_0001,)
    assert numbers.swap.bits(1 << 31, 0x7FF0_0000_0000_0001) == (0x7FF0_0000_0000_0001, 1 << 31)


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("i32", ["1"], "i32 wants an int, not str"),
        ("i32", [1.5], "i32 wants an int, not float"),
        ("f64", ["1"], "f64 wants a float, not str"),
        ("v128", [b"short"], "v128 wants 16 bytes"),
        ("i32", [], "takes 1 arguments, not 0"),
        ("nothing", [1], "takes 0 arguments, not 1"),
    ],
)
def test_other_values_are_refused(name: str, arguments: list[object], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        NUMBERS.instantiate()[name](*arguments)


@pytest.mark.parametrize(("name", "value"), [("i32", 1 << 32), ("i64", -(1 << 63) - 1)])
def test_numbers_that_are_too_large_are_refused(name: str, value: int) -> None:
    with pytest.raises(OverflowError):
        NUMBERS.instantiate()[name](value)


def test_imports_and_exports_are_described() -> None:
    module = wasm.Module("""(module
      (import "a" "f" (func (param i32 v128) (result externref)))
      (import "a" "m" (memory 1 2))
      (import "b" "g" (global (mut i64)))
      (table (export "t") 3 5 funcref)
      (memory (export "m") i64 1)
      (global (export "c") v128 (v128.const i64x2 1 2))
      (global (export "s") i32 (i32.const 65))
      (func (export "f") (result f32 f64) f32.const 0 f64.const 0))""")
    assert [repr(one) for one in module.imports] == [
        "<import a.f: func (i32, v128) -> (externref)>",
        "<import a.m: memory 1..2>",
        "<import b.g: global mut i64>",
    ]
    assert [repr(one) for one in module.exports] == [
        *("<export t: table 3..5 funcref>", "<export m: memory 1..>"),
        *("<export c: global v128>", "<export s: global i32>"),
        "<export f: func () -> (f32, f64)>",
    ]


def test_garbage_collected_types_are_read_and_never_asked_for() -> None:
    module = wasm.Module("""(module
      (rec (type $list (struct (field i32) (field (ref null $list))))
           (type $bytes (array (mut i8))))
      (type $f (func (param (ref null $list) anyref) (result (ref $bytes))))
      (global (export "g") (ref null $list) (struct.new $list (i32.const 1) (ref.null $list)))
      (func (export "f") (type $f) unreachable)
      (func (export "plain") (result i32) i32.const 5))""")
    exports = {one.name: one.type for one in module.exports}
    assert exports["f"] == FuncType(("ref null 0", "anyref"), ("ref 1",))
    instance = module.instantiate()
    assert instance.plain() == 5
    with pytest.raises(wasm.WasmError, match="has no form in Python"):
        instance.f(None, None)


def test_python_functions_are_imports() -> None:
    seen: list[bytes] = []
    instance = wasm.Module("""(module
      (import "host" "add" (func $add (param i32 i64) (result i64)))
      (import "host" "pair" (func $pair (result i32 f32)))
      (import "host" "log" (func $log (param v128)))
      (func (export "add") (result i64) (call $add (i32.const -1) (i64.const 1)))
      (func (export "pair") (result i32 f32) call $pair)
      (func (export "log") (call $log (v128.const i8x16 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 9))))
    """).instantiate(
        {"host": {"add": lambda a, b: a + b + (1 << 63), "pair": lambda: [7, 0.5],
                  "log": seen.append}}
    )  # fmt: skip
    assert instance.add() == -(1 << 63)
    assert instance.pair() == (7, 0.5)
    instance.log()
    assert seen == [b"\1" + bytes(14) + b"\x09"]


@pytest.mark.parametrize(
    ("given", "error"), [("text", TypeError), (1 << 40, OverflowError), (None, TypeError)]
)
def test_a_wrong_result_of_an_import_is_an_error(given: object, error: type[Exception]) -> None:
    module = wasm.Module('(module (import "h" "f" (func $f (result i32))) (export "f" (func $f)))')
    with pytest.raises(error):
        module.instantiate({"h": {"f": lambda: given}}).f()


def test_an_imports_exception_comes_through_with_both_stacks() -> None:
    def fail(_: int) -> None:
        raise LookupError("nothing there")

    module = wasm.Module("""(module (import "h" "f" (func $f (param i32)))
      (func $inner (param i32) (call $f (local.get 0)))
      (func $outer (export "go") (call $inner (i32.const 1))))""")
    with pytest.raises(LookupError, match="nothing there") as caught:
        module.instantiate({"h": {"f": fail}}).go()
    assert caught.traceback[-1].name == "fail"
    (note,) = caught.value.__notes__
    assert [word for word in ("inner", "outer") if word in note] == ["inner", "outer"]


def test_calls_nest() -> None:
    instance: wasm.Instance = wasm.Module("""(module
      (import "h" "down" (func $down (param i32) (result i32)))
      (func (export "count") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
          (else (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))))))
    """).instantiate({"h": {"down": lambda n: instance.count(n)}})
    assert instance.count(50) == 50


def test_objects_are_references() -> None:
    kept = object()
    instance = wasm.Module("""(module
      (import "h" "f" (func $f (param externref) (result externref)))
      (table (export "t") 2 externref)
      (global (export "g") (mut externref) (ref.null extern))
      (func (export "f") (param externref) (result externref) (call $f (local.get 0))))
    """).instantiate({"h": {"f": lambda one: [one]}})
    assert instance.f(kept) == [kept]
    assert instance.f(None) == [None]
    instance.t[1] = kept
    assert list(instance.t) == [None, kept]
    instance.g.value = kept
    assert instance.g.value is kept


def test_an_object_that_no_reference_means_is_let_go() -> None:
    class Thing:
        pass

    instance = wasm.Module('(module (func (export "f") (param externref)))').instantiate()
    thing = Thing()
    gone = weakref.ref(thing)
    instance.f(thing)
    del thing
    instance.store.collect()
    assert gone() is None


def test_a_memory_is_bytes_in_place() -> None:
    memory = wasm.Module(
        '(module (memory (export "m") 1 3) (data (i32.const 8) "hello\\00"))'
    ).instantiate().m  # fmt: skip
    assert memory.text(8) == "hello"
    view = memory.data
    view[8:10] = b"HE"
    assert memory.read(8, 5) == memory[8:13] == b"HEllo"
    memory[0] = 255
    memory.write(65534, b"ab")
    assert (memory[0], memory[-1]) == (255, ord("b"))
    assert (len(memory), memory.grow(2), memory.pages, len(memory.data)) == (65536, 1, 3, 196608)
    assert memory.data[0] == 255
    with pytest.raises(IndexError):
        memory.read(196600, 9)
    with pytest.raises(IndexError):
        memory.write(-1, b"x")
    with pytest.raises(IndexError):
        memory.text(196608)
    with pytest.raises(wasm.WasmError, match="failed to grow"):
        memory.grow(1)


def test_a_view_keeps_its_memory() -> None:
    view = wasm.Module('(module (memory (export "m") 1))').instantiate().m.data
    gc.collect()
    view[100:103] = b"abc"
    assert bytes(view[100:104]) == b"abc\0"


def test_a_table_has_functions() -> None:
    instance = wasm.Module("""(module (table (export "t") 2 4 funcref) (elem (i32.const 0) $f)
      (func $f (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func $g (export "g") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
      (func (export "call") (param i32 i32) (result i32)
        (call_indirect (param i32) (result i32) (local.get 1) (local.get 0))))""").instantiate()
    assert instance.t[0](5) == 6
    instance.t[1] = instance.g
    assert instance.call(1, 5) == 10
    assert (len(instance.t), instance.t.grow(1, instance.f), instance.call(2, 5)) == (2, 2, 6)
    with pytest.raises(IndexError):
        instance.t[3]
    with pytest.raises(IndexError):
        instance.t[-1] = None
    with pytest.raises(TypeError, match="function of the same store"):
        instance.t[0] = len


def test_instances_share_what_they_import() -> None:
    store = wasm.Store()
    memory, table = wasm.Memory.new(store, 1, 2), wasm.Table.new(store, 3, element="externref")
    counter = wasm.Global.new(store, "i64", 40, mutable=True)
    shared = {"s": {"m": memory, "t": table, "g": counter}}
    module = wasm.Module("""(module (import "s" "m" (memory 1)) (import "s" "t" (table 1 externref))
      (import "s" "g" (global $g (mut i64)))
      (func (export "next") (result i64)
        (global.set $g (i64.add (global.get $g) (i64.const 1))) (global.get $g))
      (func (export "store") (i32.store (i32.const 4) (i32.const 77))))""")
    one, two = module.instantiate(shared), module.instantiate(shared)
    assert (one.next(), two.next(), counter.value) == (41, 42, 42)
    # An instance has a store, too: an export of that name is an item only.
    two["store"]()
    assert memory[4] == 77
    three = wasm.Module("""(module (import "one" "next" (func $n (result i64)))
      (func (export "more") (result i64) call $n))""").instantiate({"one": one})
    assert (three.more(), three.store) == (43, store)


def test_what_is_missing_or_does_not_fit_is_a_link_error() -> None:
    module = wasm.Module('(module (import "a" "m" (memory 2)))')
    with pytest.raises(wasm.LinkError, match=r"missing: <import a\.m: memory 2"):
        module.instantiate({"b": {}})
    with pytest.raises(wasm.LinkError, match="is given"):
        module.instantiate({"a": {"m": print}})
    with pytest.raises(wasm.LinkError, match="incompatible"):
        module.instantiate({"a": {"m": wasm.Memory.new(wasm.Store(), 1)}})
    other = wasm.Global.new(wasm.Store(), "i32", 1)
    with pytest.raises(wasm.LinkError, match="another store"):
        module.instantiate({"a": {"m": other}}, store=wasm.Store())


def test_modules_come_from_paths_bytes_and_text(tmp_path: Path) -> None:
    text = '(module (func (export "f") (result i32) i32.const 3))'
    binary = wasm.Module(text).binary
    (tmp_path / "a.wat").write_text(text)
    (tmp_path / "a.wasm").write_bytes(binary)
    for source in (binary, text, tmp_path / "a.wat", tmp_path / "a.wasm", str(tmp_path / "a.wat")):
        assert wasm.Module(source).instantiate().f() == 3


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(module (func (result i32)))", "type mismatch"),
        ("(module (func (export", "expected"),
        (b"\0asm\1\0\0\0\xff", "malformed section id"),
        ("(component)", "this is a component"),
    ],
)
def test_what_is_no_module_is_said(source: str | bytes, reason: str) -> None:
    with pytest.raises(wasm.WasmError, match=reason):
        wasm.Module(source)


def test_names_that_are_no_attributes() -> None:
    instance = NUMBERS.instantiate()
    assert "sum" in instance
    assert list(instance)[:2] == ["i32", "i64"]
    with pytest.raises(AttributeError, match="exports no missing"):
        instance.missing  # noqa: B018
    with pytest.raises(KeyError):
        instance["missing"]
    with pytest.raises(wasm.WasmError, match="constant"):
        wasm.Global.new(instance.store, "i32", 1).value = 2


def test_compiled_code_is_kept(tmp_path: Path) -> None:
    source = '(module (func (export "f") (result i32) i32.const 3))'
    for _ in range(2):
        assert wasm.Module(source, cache=str(tmp_path)).instantiate().f() == 3
    (kept,) = tmp_path.iterdir()
    wasm.Module(source, cache=str(tmp_path), limits=wasm.Limits(fuel=10))
    wasm.Module(source + " ", cache=str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
    # Not in place: the code that runs is a mapping of the file.
    kept.unlink()
    kept.write_bytes(b"something else")
    with pytest.raises(wasm.WasmError):
        wasm.Module(source, cache=str(tmp_path))


def test_code_that_was_made_ahead_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "a.wat"
    program.write_text('(module (func (export "f") (result i32) i32.const 3))')
    folder = tmp_path / "ahead"
    for words in ([], ["--set", "timeout=5"], ["--set", "fuel=100"]):
        aot.main([str(folder), *words, str(program)])
    assert len(list(folder.iterdir())) == 3
    monkeypatch.setattr(engine, "PREPARED", str(folder))
    # A module that is compiled now is not the one of the file.
    monkeypatch.setattr(engine, "_compiled", lambda *_: pytest.fail("it was compiled again"))
    for limits in (wasm.Limits(interrupt=False), wasm.Limits(timeout=5), wasm.Limits(
        fuel=100, interrupt=False)):  # fmt: skip
        assert wasm.Module(program, limits=limits).instantiate().f() == 3
    monkeypatch.undo()
    monkeypatch.setattr(engine, "PREPARED", str(folder))
    for made in folder.iterdir():
        made.unlink()
        made.write_bytes(b"for another processor")
    assert wasm.Module(program, limits=wasm.Limits(timeout=5)).instantiate().f() == 3
    program.write_text("(module (func (result i32)))")
    with pytest.raises(SystemExit, match="type mismatch"):
        aot.main([str(folder), str(program)])


def test_stores_are_freed_with_what_is_in_them() -> None:
    module = wasm.Module('(module (import "h" "f" (func $f)) (export "f" (func $f)))')
    stores = []

    def use() -> None:
        # A cycle: the function that the store calls knows what lives in the store.
        instance: wasm.Instance = module.instantiate({"h": {"f": lambda: seen.append(instance)}})
        seen: list[wasm.Instance] = []
        instance.f()
        assert seen == [instance]
        stores.append(weakref.ref(instance.store))

    for _ in range(300):
        use()
    gc.collect()
    assert [one for one in stores if one() is not None] == []


def test_the_reader_stops_where_it_knows_enough() -> None:
    # A global's first value may be any constant expression.
    module = wasm.Module("""(module (type $s (struct (field i32)))
      (func $f) (elem declare func $f)
      (global i32 (i32.add (i32.const 1) (i32.mul (i32.const -5) (i32.const 100000))))
      (global f64 (f64.const 1e100)) (global i64 (i64.const -1)) (global f32 (f32.const 2))
      (global funcref (ref.func $f)) (global (ref null $s) (struct.new_default $s))
      (table 1 (ref func) (ref.func $f))
      (func (export "last")))""")
    (export,) = Reader(module.binary).exports
    assert (export.name, export.type) == ("last", FuncType((), ()))
