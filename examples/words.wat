;; A WASI command: `ovum run examples/words.wat one "two three" < FILE` prints its arguments, then how
;; many lines the standard input has.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)

  ;; 0: count and size of the arguments; 8: one iovec; 16: how many bytes came or went;
  ;; 32: a number's digits; 64: pointers to the arguments; 4096: their texts; 65536: input.
  (func $put (param $at i32) (param $size i32)
    (i32.store (i32.const 8) (local.get $at))
    (i32.store (i32.const 12) (local.get $size))
    (if (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16))
      (then (call $exit (i32.const 1)))))

  (func $length (param $at i32) (result i32) (local $end i32)
    (local.set $end (local.get $at))
    (block $found
      (loop $next
        (br_if $found (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $at)))

  (func $put_number (param $n i32) (local $at i32)
    (local.set $at (i32.const 48))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (br_if $digit (local.tee $n (i32.div_u (local.get $n) (i32.const 10)))))
    (call $put (local.get $at) (i32.sub (i32.const 48) (local.get $at))))

  (func $lines (result i32) (local $count i32) (local $at i32) (local $end i32)
    (loop $more
      (i32.store (i32.const 8) (i32.const 65536))
      (i32.store (i32.const 12) (i32.const 65536))
      (if (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16))
        (then (call $exit (i32.const 1))))
      (local.set $at (i32.const 65536))
      (local.set $end (i32.add (local.get $at) (i32.load (i32.const 16))))
      (loop $byte
        (if (i32.lt_u (local.get $at) (local.get $end))
          (then
            (local.set $count (i32.add (local.get $count)
              (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $byte))))
      (br_if $more (i32.load (i32.const 16))))
    (local.get $count))

  (data (i32.const 24) "\n lines\n")

  (func (export "_start") (local $i i32) (local $text i32)
    (drop (call $args_sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 64) (i32.const 4096)))
    (loop $next
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (i32.lt_u (local.get $i) (i32.load (i32.const 0)))
        (then
          (local.set $text
            (i32.load (i32.add (i32.const 64) (i32.mul (local.get $i) (i32.const 4)))))
          (call $put (local.get $text) (call $length (local.get $text)))
          (call $put (i32.const 24) (i32.const 1))
          (br $next))))
    (call $put_number (call $lines))
    (call $put (i32.const 25) (i32.const 7))))
