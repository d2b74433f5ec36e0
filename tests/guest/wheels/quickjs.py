"""quickjs-ng: JavaScript that calls Python, limits of memory, time and stack, promises."""

import json

import quickjs

context = quickjs.Context()
print(context.eval("[1, 2, 3].map(x => x ** 2).reduce((a, b) => a + b)"))
print(
    json.loads(
        context.eval("""JSON.stringify({
    primes: [...(function* () {
        const sieve = new Uint8Array(20000);
        for (let i = 2; i < sieve.length; i++) {
            if (sieve[i]) continue;
            yield i;
            for (let j = i * i; j < sieve.length; j += i) sieve[j] = 1;
        }
    })()].length,
    words: "größer als null".replace(/(\\p{L}+) (\\w+)/u, "$2 $1").toUpperCase(),
    big: (2n ** 100n).toString(), date: new Date(Date.UTC(2024, 1, 29)).toISOString(),
    sorted: [3, 1, 2].toSorted(), map: [...new Map([["a", 1]]).entries()], float: 0.1 + 0.2,
})""")
    )
)
context.add_callable("twice", lambda value: value * 2)
print(context.eval("twice(21) + twice(0.5)"))
context.eval("var log = []; Promise.resolve(5).then(x => log.push(x + 1))")
while context.execute_pending_job():
    pass
print(context.eval("log[0]"))
add = quickjs.Function("add", "function add(a, b) { return {sum: a + b}; }")
print(add(2, 3))


def failing() -> None:
    raise ValueError("from Python")


context.add_callable("failing", failing)
for source in ("null.x", "throw new RangeError('mine')", "1 +", "failing()",
               "(function f() { return f() + 1; })()"):  # fmt: skip
    try:
        print(context.eval(source))
    except quickjs.JSException as error:
        print(type(error).__name__, str(error).splitlines()[0])
limited = quickjs.Context()
limited.set_memory_limit(2_000_000)
try:
    limited.eval("let a = []; for (;;) a.push('x'.repeat(1000) + a.length)")
except quickjs.JSException as error:
    print("memory:", type(error).__name__)
limited.set_memory_limit(-1)
limited.set_time_limit(0.2)
try:
    limited.eval("for (;;) {}")
except quickjs.JSException as error:
    print("time:", type(error).__name__, str(error).splitlines()[0])
