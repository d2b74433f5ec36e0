"""`Context`: errors both ways, limits, the loop."""

import gc
import os
import threading
import weakref

import pytest

from ovum.services import js, tasks


def test_errors_have_their_stack() -> None:
    with js.Context() as context, pytest.raises(js.JSError) as caught:
        context.evaluate("function f() {\n  null.x;\n}\nf()", "/x/prog.js")
    assert caught.value.name == "TypeError"
    assert "at f (/x/prog.js:2:3)" in caught.value.stack
    assert "at <eval> (/x/prog.js:4:1)" in caught.value.stack


def test_anything_can_be_thrown() -> None:
    with js.Context() as context:
        with pytest.raises(js.JSError) as caught:
            context.evaluate("throw {code: 7}")
        assert caught.value.value["code"] == 7
        with pytest.raises(js.JSError, match="Uncaught: 7") as caught:
            context.evaluate("throw 7")
        assert caught.value.value == 7


def fails() -> None:
    raise ValueError("from Python")


def test_exceptions_go_through_javascript() -> None:
    with js.Context() as context:
        context.set_global("fails", fails)
        shown = context.evaluate(
            "try { fails() } catch (e) { [e.name, e.message, e.stack, e.pythonStack] }", "a.js"
        )
        assert shown[:2] == ["ValueError", "from Python"]
        assert "a.js:1:" in shown[2]
        assert 'raise ValueError("from Python")' in shown[3]
        with pytest.raises(js.JSError, match="from Python") as caught:
            context.evaluate("fails()")
        assert isinstance(caught.value.__cause__, ValueError)


def test_javascripts_errors_come_back_as_they_were() -> None:
    with js.Context() as context:
        thrower = context.evaluate("() => { throw globalThis.mine = new RangeError('mine') }")
        context.set_global("through", lambda: thrower())
        assert context.evaluate("try { through() } catch (e) { e === mine }") is True


def test_os_errors_are_as_nodes() -> None:
    with js.Context() as context:
        context.set_global("read", lambda: os.stat("/nowhere"))
        shown = context.evaluate("try { read() } catch (e) { [e.code, e.errno, e.path] }")
        assert shown == ["ENOENT", -2, "/nowhere"]


def test_limits_end_what_is_too_much_and_the_context_goes_on() -> None:
    for limits, source, kind in (
        ({"time_limit": 0.1}, "for (;;);", js.TimeLimit),
        ({"time_limit": 0.1}, "for (;;) try { for (;;); } catch {}", js.TimeLimit),
        ({"time_limit": 0.1}, "(function f() { Promise.resolve().then(f) })()", js.TimeLimit),
        ({"memory_limit": 4 << 20}, "for (let a = [];;) a.push('x'.repeat(999))", js.MemoryLimit),
        ({"memory_limit": 4 << 20}, "'x'.repeat(1e7).split('')", js.MemoryLimit),
        ({}, "(function f() { return f() + 1 })()", js.StackLimit),
        ({"stack_limit": 100_000}, "'['.repeat(1e5) === eval('['.repeat(1e5))", js.StackLimit),
    ):
        with js.Context(**limits) as context:
            with pytest.raises(kind):
                context.evaluate(source)
            # What is queued goes on in the next entry.
            if "Promise" not in source:
                assert context.evaluate("1 + 1") == 2


def test_recursion_through_python_ends() -> None:
    with js.Context() as context:
        context.set_global("again", lambda: context.evaluate("f()"))
        context.evaluate("function f() { return 1 + again() }")
        with pytest.raises((js.JSError, RecursionError)):
            context.evaluate("f()")
        context.set_global("touch", lambda: context.evaluate("0"))
        with pytest.raises(js.StackLimit):
            context.evaluate("(function f() { touch(); return f() + 1 })()")
        assert context.evaluate("1 + 1") == 2


def test_an_exit_cannot_be_caught() -> None:
    def leave(_: object = None) -> None:
        raise SystemExit(3)

    with js.Context() as context:
        context.set_global("leave", leave)
        context.evaluate("var seen = 0")
        for source in (
            "try { leave() } catch { seen = 1 } finally { seen = 2 }",
            "Promise.resolve().then(leave).catch(() => { seen = 1 })",
            "(async () => { try { await leave() } catch { seen = 1 } })()",
        ):
            with pytest.raises(SystemExit) as caught:
                context.evaluate(source)
            assert caught.value.code == 3
            assert context.evaluate("seen") == 0


def test_unhandled_rejections_are_raised() -> None:
    with js.Context() as context:
        with pytest.raises(js.JSError, match="lost"):
            context.evaluate("Promise.reject(new Error('lost'))")
        context.evaluate("Promise.reject(1).catch(() => 0); Promise.reject(2).finally().then()"
                         ".catch(() => 0)")  # fmt: skip


def test_the_loop() -> None:
    async def slowly(value: int) -> int:
        await tasks.sleep(0.001)
        if value < 0:
            raise ValueError("negative")
        return 2 * value

    seen: list[object] = []
    with js.Context() as context:
        context.set_global("log", seen.append)
        context.set_global("slowly", slowly)
        context.set_global("nextTick", context.loop.next_tick)
        context.evaluate("""
            setImmediate(log, "immediate");
            setTimeout(() => { log("timer"); nextTick(log, "after timer") }, 0);
            const cleared = setTimeout(log, 0, "cleared");
            clearTimeout(cleared);
            Promise.resolve().then(() => log("job"));
            queueMicrotask(() => { log("microtask"); nextTick(log, "late tick") });
            nextTick(() => log("tick"));
            setTimeout(log, 1e9, "never").unref();
            log("script");
        """)
        context.run()
        # The first entry is evaluate's own, whose jobs were begun before its ticks.
        assert set(seen[:5]) == {"script", "job", "microtask", "tick", "late tick"}
        assert seen[0] == "script"
        assert seen[5:] in (
            ["timer", "after timer", "immediate"], ["immediate", "timer", "after timer"]
        )  # fmt: skip
        seen.clear()
        context.evaluate("""
            let times = 0;
            const every = setInterval(() => {
                log(++times);
                if (times === 3) clearInterval(every);
            });
            slowly(21).then(log);
            slowly(-1).catch((error) => log(error.message));
        """)
        context.run()
        assert sorted(map(str, seen)) == ["1", "2", "3", "42", "negative"]


def test_what_nothing_catches_ends_the_loop() -> None:
    for source in (
        "setTimeout(() => { throw new Error('mine') })",
        "setImmediate(() => { throw new Error('mine') })",
        "setTimeout(() => { queueMicrotask(() => { throw new Error('mine') }) })",
        "setTimeout(() => Promise.reject(new Error('mine')))",
        "fails()",
    ):
        with js.Context() as context:

            async def fails() -> None:
                raise ValueError("mine")

            context.set_global("fails", fails)
            context.evaluate(source)
            with pytest.raises(js.JSError, match="mine"):
                context.run()


def test_a_promise_can_be_awaited() -> None:
    async def main(context: js.Context) -> object:
        promise = context.evaluate("new Promise((resolve) => setTimeout(resolve, 1, 'value'))")
        async with tasks.Group() as group:
            group.start(context.run_async)
            return await promise
        return None

    with js.Context() as context:
        assert tasks.run(main, context) == "value"


def test_interrupt_from_another_thread() -> None:
    with js.Context() as context:
        started = threading.Event()
        context.set_global("started", started.set)

        def stop() -> None:
            started.wait()
            context.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            context.evaluate("started(); for (;;);")
        thread.join()
        assert context.evaluate("1 + 1") == 2


def test_two_threads_at_once_are_refused() -> None:
    with js.Context() as context:
        inside, refused = threading.Event(), []

        def other() -> None:
            inside.wait()
            try:
                context.evaluate("1")
            except RuntimeError as error:
                refused.append(str(error))

        thread = threading.Thread(target=other)
        thread.start()

        def wait() -> None:
            inside.set()
            thread.join()

        context.set_global("wait", wait)
        context.evaluate("wait()")
        assert refused == ["the context runs in another thread"]


def test_contexts_that_are_dropped_are_gone() -> None:
    def make() -> weakref.ref[object]:
        context = js.Context()
        context.set_global("me", lambda: context)
        return weakref.ref(context.engine)

    kept = make()
    gc.collect()
    assert kept() is None


def test_a_closed_context_says_so() -> None:
    context = js.Context()
    function = context.evaluate("() => 1")
    context.close()
    context.close()
    for use in (lambda: context.evaluate("1"), function, context.run):
        with pytest.raises(RuntimeError, match="closed"):
            use()
