"""The environment where node's output is not what counts: streams, ends, signals, parts."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ovum.services import js
from ovum.services.js.env.catalogue import PARTS
from ovum.services.js.env.loader import file_name

ENV = Path(js.__file__).parent / "env"


def run(
    tmp_path: Path, source: str, *argv: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs a program in a process of its own."""
    program = tmp_path / "program.js"
    program.write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "ovum.services.js", program, *argv],
        input=stdin,
        capture_output=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )


def test_every_module_and_global_has_its_file() -> None:
    for part in PARTS.values():
        places = [*part.modules, *(place.partition(".")[0] for place in part.globals.values())]
        for place in places:
            assert (ENV / file_name(place)).is_file(), place


def test_every_module_can_be_required_and_every_global_is_there() -> None:
    with js.Context(environment=None) as context:
        assert context.parts is not None
        for part in PARTS.values():
            for module in part.modules:
                context.set_global("found", context.parts.load(module))
                assert context.evaluate("typeof found") in ("object", "function"), module
            for name in part.globals:
                assert context.evaluate(f"typeof {name}") in ("object", "function"), name


def test_modules_are_the_same_however_they_are_asked_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert js.run(Path(__file__).parent / "data" / "imports.mjs") == 0
    assert capfd.readouterr().out == "2 function function function\n"


def test_a_part_comes_alone() -> None:
    with js.Context(environment=("language",)) as context:
        assert context.evaluate("[typeof URL, typeof process, typeof fetch, typeof sys]") == [
            *("function", "undefined", "undefined", "undefined")
        ]
        with pytest.raises(js.JSError, match="fs"):
            context.require("fs")


def test_plain_text_needs_no_more_than_the_console() -> None:
    with js.Context(environment=None) as context:
        assert context.parts is not None
        context.evaluate("console.log('hi', 'there'); console.error('x')")
        assert context.parts.loaded() == ["console"]
        context.evaluate("console.log({})")
        assert "internal/inspect" in context.parts.loaded()


def test_standard_input_is_read_by_events_and_by_iteration(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        process.stdin.setEncoding('utf8');
        let all = '';
        process.stdin.on('data', (text) => (all += text));
        process.stdin.on('end', () => console.log(JSON.stringify(all)));
        """,
        stdin="grün\nzwei".encode(),
    )
    assert json.loads(done.stdout) == "grün\nzwei"
    source = "(async () => { for await (const part of process.stdin) console.log(part) })()"
    assert run(tmp_path, source, stdin=b"ab").stdout == b"<Buffer 61 62>\n"


def test_a_program_that_does_not_read_does_not_wait_for_input(tmp_path: Path) -> None:
    program = tmp_path / "program.js"
    program.write_text("process.stdin; console.log('done')")
    inside, outside = os.pipe()
    with open(inside, "rb"), open(outside, "wb"):
        done = subprocess.run(
            [sys.executable, "-m", "ovum.services.js", program],
            stdin=inside,
            capture_output=True,
            timeout=60,
            check=True,
        )
    assert done.stdout == b"done\n"


def test_any_bytes_can_be_written(tmp_path: Path) -> None:
    source = (
        "process.stdout.write(Buffer.from([0, 255, 10])); process.stdout.write('\\ud800e\\u0301')"
    )
    assert run(tmp_path, source).stdout == b"\x00\xff\n" + "\ufffde\u0301".encode()


def test_the_console_goes_on_when_nobody_reads(tmp_path: Path) -> None:
    program = tmp_path / "program.js"
    program.write_text("console.log('x'); console.log('y'); console.error('end')")
    inside, outside = os.pipe()
    os.close(inside)
    with open(outside, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "ovum.services.js", program],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.stderr.startswith(b"end\n")


def test_the_words_and_the_folder_are_the_programs(tmp_path: Path) -> None:
    done = run(tmp_path, "console.log(process.argv.slice(1), process.cwd())", "a b", "c")
    path = tmp_path / "program.js"
    shown = f"[ '{path}', 'a b', 'c' ] {tmp_path}"
    # Where it breaks depends on how long the paths are.
    assert done.stdout.decode().split() == shown.split()


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("process.exit(3)", 3),
        ("process.exitCode = 4", 4),
        ("process.on('exit', () => { process.exitCode = 5 })", 5),
        ("process.on('exit', () => process.exit(6)); process.exit(1)", 6),
        ("setTimeout(() => process.exit(7), 1); setInterval(() => {}, 1000)", 7),
        ("try { process.exit(8) } catch {} finally { console.log('never') }", 8),
        ("throw new Error('x')", 1),
        ("process.on('exit', (code) => console.log(code)); null.x", 1),
        ("process.on('uncaughtException', () => process.exit(9)); null.x", 9),
        ("Promise.reject(new Error('x'))", 1),
        ("process.on('unhandledRejection', () => {}); Promise.reject(1)", 0),
    ],
)
def test_the_status_is_what_the_program_says(tmp_path: Path, source: str, status: int) -> None:
    done = run(tmp_path, source)
    assert done.returncode == status, done.stderr
    assert b"never" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_is_an_event(tmp_path: Path, number: signal.Signals) -> None:
    source = f"""
        const timer = setInterval(() => {{}}, 1000);
        process.on('{number.name}', (...told) => {{
            console.log(...told);
            clearInterval(timer);
        }});
        setTimeout(() => process.kill(process.pid, '{number.name}'), 1);
    """
    done = run(tmp_path, source)
    assert done.stdout.decode() == f"{number.name} {int(number)}\n", done.stderr


def test_what_was_done_with_a_signal_before_is_done_again(tmp_path: Path) -> None:
    source = """
        const listener = () => console.log('never');
        process.on('SIGINT', listener);
        process.off('SIGINT', listener);
        setTimeout(() => process.kill(process.pid, 'SIGINT'), 1);
        setTimeout(() => console.log('never'), 60_000);
    """
    done = run(tmp_path, source)
    assert done.stdout == b""
    assert done.returncode == 130, done.stderr


def test_warnings_go_to_standard_error(tmp_path: Path) -> None:
    done = run(tmp_path, "console.timeEnd('x'); process.emitWarning('careful', { code: 'W1' })")
    assert done.stdout == b""
    assert b"Warning: No such label 'x' for console.timeEnd()" in done.stderr
    assert b"[W1] Warning: careful" in done.stderr


def test_times_are_said_in_units(tmp_path: Path) -> None:
    done = run(tmp_path, "console.time('a'); console.timeLog('a', { b: 1 }); console.timeEnd('a')")
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("a: ")
    assert first.endswith("ms { b: 1 }")
    assert second.endswith("ms")


def test_the_engine_tells_of_promises_and_proxies() -> None:
    with js.Context(environment=("language",)) as context:
        context.set_global("util", context.require("util"))
        shown = context.evaluate(
            """
            const { inspect, types } = util;
            const { proxy, revoke } = Proxy.revocable({}, {});
            revoke();
            const rejected = Promise.reject(5);
            rejected.catch(() => {});
            [
                inspect([Promise.resolve(4), rejected, new Promise(() => {})]),
                inspect(new Proxy({ a: 1 }, { ownKeys() { throw new Error('a trap ran') } })),
                inspect(new Proxy([1], {}), { showProxy: true }), inspect(proxy),
                types.isProxy(proxy), types.isProxy({}), types.isPromise(Promise.resolve()),
            ]
            """
        )
    assert shown == [
        "[ Promise { 4 }, Promise { <rejected> 5 }, Promise { <pending> } ]",
        "{ a: 1 }",
        "Proxy [ [ 1 ], {} ]",
        "<Revoked Proxy>",
        *(True, False, True),
    ]


def test_getters_are_not_run_and_the_class_is_named() -> None:
    with js.Context(environment=("language",)) as context:
        context.set_global("util", context.require("util"))
        shown = context.evaluate(
            """
            let ran = 0;
            class Point { x = 1; get y() { return ran++ } }
            [util.inspect(new Point()), util.inspect({ get z() { return ran++ } }), ran]
            """
        )
    assert shown == ["Point { x: 1 }", "{ z: [Getter] }", 0]


def test_without_a_machine_sys_says_so() -> None:
    with js.Context(environment=None) as context:
        for call in ("in8(0x70)", "pci()", "cpuid()", "memory(0, 16)", "msr(0x1b)"):
            code, message = context.evaluate(
                f"try {{ sys.{call} }} catch (error) {{ [error.code, error.message] }}"
            )
            assert code == "ERR_NO_MACHINE"
            assert "only a program in an ovum machine" in message


def test_errors_of_files_have_nodes_properties(tmp_path: Path) -> None:
    with js.Context(environment=None) as context:
        context.set_global("fs", context.require("fs"))
        context.set_global("path", str(tmp_path / "none"))
        found = context.evaluate(
            "try { fs.readFileSync(path) } catch (e) { ({ ...e, text: e.message, name: e.name }) }"
        )
    path = str(tmp_path / "none")
    assert found == {
        "errno": -2,
        "code": "ENOENT",
        "syscall": "open",
        "path": path,
        "text": f"ENOENT: no such file or directory, open '{path}'",
        "name": "Error",
    }


def test_random_values_differ_and_fill_everything() -> None:
    with js.Context(environment=("language",)) as context:
        filled = context.evaluate("crypto.getRandomValues(new Uint32Array(64))")
        assert len(set(filled)) > 64
        with pytest.raises(js.JSError, match="65536"):
            context.evaluate("crypto.getRandomValues(new Uint8Array(65537))")
