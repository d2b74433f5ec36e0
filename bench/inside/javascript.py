"""QuickJS from the wheel quickjs-ng, the same in both machines: milliseconds, the best of three."""

import json
import time

import _quickjs

PROGRAMS = {
    "fib(25)": "(function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) })(25)",
    "JSON": """
        const rows = Array.from({length: 2000}, (_, id) => ({id, name: "n" + id, on: id % 2 > 0,
            tags: ["a", "b", String(id)], deep: {x: id / 3, y: null}}));
        for (let i = 0; i < 3; i++) JSON.parse(JSON.stringify(rows)).length;
    """,
    "regular expressions": """
        const line = "GET /index.html?q=1&lang=de HTTP/1.1 2024-02-29 mail@example.org ";
        const text = line.repeat(150);
        let found = 0;
        for (const pattern of [/(\\d{4})-(\\d\\d)-(\\d\\d)/g, /[\\w.]+@[\\w.]+/g,
            /\\bq=(?<v>[^&]*)/g, /(?:GET|POST) (\\S+) HTTP\\/1\\.[01]/g])
            found += [...text.matchAll(pattern)].length;
        text.replace(/[aeiou]/g, (c) => c.toUpperCase()).length + found;
    """,
    "sort": """
        let seed = 1;
        const numbers = Array.from({length: 20000}, () => (seed = seed * 16807 % 2147483647));
        numbers.toSorted((a, b) => a - b)[0] + numbers.map(String).sort().length;
    """,
    "objects and queues": """
        class Packet { constructor(to, work) { this.to = to; this.work = work; this.next = null } }
        class Task {
            constructor(id) { this.id = id; this.head = this.tail = null; this.done = 0 }
            add(packet) {
                packet.next = null;
                if (this.head === null) this.head = packet; else this.tail.next = packet;
                this.tail = packet;
            }
            take() { const first = this.head; this.head = first.next; return first }
            run(scheduler) { this.done++; this.step(this.take(), scheduler) }
        }
        class Worker extends Task {
            step(packet, scheduler) {
                for (let i = 0; i < 4; i++) packet.work = (packet.work * 31 + i) % 1009;
                packet.to = (this.id + 1 + packet.work % 3) % scheduler.tasks.length;
                scheduler.send(packet);
            }
        }
        class Device extends Task {
            step(packet, scheduler) { packet.to = packet.work % scheduler.tasks.length;
                scheduler.send(packet) }
        }
        class Scheduler {
            constructor() {
                this.tasks = Array.from({length: 6}, (_, id) =>
                    id % 2 ? new Device(id) : new Worker(id));
            }
            send(packet) { this.tasks[packet.to].add(packet) }
            run(rounds) {
                for (let i = 0; i < 12; i++) this.send(new Packet(i % 6, i));
                for (let r = 0; r < rounds; r++)
                    for (const task of this.tasks) if (task.head !== null) task.run(this);
                return this.tasks.reduce((sum, task) => sum + task.done, 0);
            }
        }
        new Scheduler().run(6000);
    """,
}


def main() -> None:
    figures = {}
    for name, program in PROGRAMS.items():
        best = float("inf")
        for _ in range(3):
            context = _quickjs.Context()
            begun = time.perf_counter()
            context.eval(program)
            best = min(best, time.perf_counter() - begun)
        figures[f"{name} ms"] = best * 1000
    context = _quickjs.Context()
    context.add_callable("call", lambda value: value)
    begun = time.perf_counter()
    context.eval("for (let i = 0; i < 5000; i++) call(i)")
    figures["a call to Python us"] = (time.perf_counter() - begun) * 200
    begun = time.perf_counter()
    for _ in range(20):
        _quickjs.Context()
    figures["a context ms"] = (time.perf_counter() - begun) * 50
    print("FIGURES " + json.dumps(figures), flush=True)


main()
