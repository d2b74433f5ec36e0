"""Python calls a library in WebAssembly: `ovum run examples/mandelbrot.py`.

The library fills its memory with a picture, row by row, and tells Python after each; Python reads
the rows in place.
"""

from ovum import wasm

WIDTH, HEIGHT = 76, 24

LIBRARY = """(module
  (import "host" "row" (func $row (param i32)))
  (memory (export "memory") 1)
  (func $steps (param $x f64) (param $y f64) (result i32)
    (local $a f64) (local $b f64) (local $t f64) (local $n i32)
    (block $out
      (loop $again
        (br_if $out (i32.eq (local.get $n) (i32.const 255)))
        (br_if $out (f64.gt
          (f64.add (f64.mul (local.get $a) (local.get $a)) (f64.mul (local.get $b) (local.get $b)))
          (f64.const 4)))
        (local.set $t (f64.add (local.get $x) (f64.sub
          (f64.mul (local.get $a) (local.get $a)) (f64.mul (local.get $b) (local.get $b)))))
        (local.set $b (f64.add (local.get $y)
          (f64.mul (f64.const 2) (f64.mul (local.get $a) (local.get $b)))))
        (local.set $a (local.get $t))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $again)))
    (local.get $n))
  (func (export "draw") (param $width i32) (param $height i32) (local $i i32) (local $j i32)
    (loop $rows
      (local.set $i (i32.const 0))
      (loop $columns
        (i32.store8
          (i32.add (local.get $i) (i32.mul (local.get $j) (local.get $width)))
          (call $steps
            (f64.sub (f64.div (f64.convert_i32_u (i32.mul (local.get $i) (i32.const 3)))
              (f64.convert_i32_u (local.get $width))) (f64.const 2.2))
            (f64.sub (f64.div (f64.convert_i32_u (i32.mul (local.get $j) (i32.const 2)))
              (f64.convert_i32_u (local.get $height))) (f64.const 1))))
        (br_if $columns (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (local.get $width))))
      (call $row (local.get $j))
      (br_if $rows (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1)))
        (local.get $height))))))"""

SHADES = " .:-=+*#%@"


def show(row: int) -> None:
    """Prints one row of the picture; called by the library."""
    pixels = library.memory.data[row * WIDTH : (row + 1) * WIDTH]
    print("".join(SHADES[min(steps, 99) // 10] for steps in pixels))


library = wasm.Module(LIBRARY).instantiate({"host": {"row": show}})
library.draw(WIDTH, HEIGHT)
