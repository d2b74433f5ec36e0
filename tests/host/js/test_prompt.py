"""The prompt on a terminal of the host's, and its parts."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from ovum.services import js
from ovum.services.js.prompt.buffer import Buffer
from ovum.services.js.prompt.complete import Completer
from ovum.services.js.prompt.history import History
from ovum.services.js.prompt.keys import Keys
from ovum.services.js.prompt.screen import Screen
from ovum.services.js.prompt.source import is_whole, prepared


def test_keys() -> None:
    keys = Keys()
    assert list(keys.feed("aß\r\x01\x7f\t".encode())) == [
        *("a", "ß", "enter", "ctrl-a", "backspace", "tab")
    ]
    assert list(keys.feed(b"\x1b[A\x1bOH\x1b[3~\x1b[1;5C\x1bb\x1b\x7f\x1b[Z")) == [
        *("up", "home", "delete", "ctrl-right", "alt-b", "alt-backspace", "shift-tab")
    ]
    assert list(keys.feed(b"\x1b")) == ["escape"]
    # In pieces: a character, a sequence, a paste.
    assert list(keys.feed(b"\xc3")) == []
    assert list(keys.feed(b"\xa4\x1b[1;")) == ["ä"]
    assert list(keys.feed(b"5D")) == ["ctrl-left"]
    assert list(keys.feed(b"\x1b[200~a\r\x1b[")) == []
    assert list(keys.feed(b"Ab\x1b[20")) == []
    assert list(keys.feed(b"1~x")) == ["paste:a\r\x1b[Ab", "x"]


@pytest.mark.parametrize(
    ("before", "keys", "after"),
    [
        ("one two|", "word_left", "one |two"),
        ("one| two", "word_right", "one two|"),
        ("a.b c|", "kill_word_left yank", "a.b c|"),
        ("one two|", "kill_word_left home yank", "two|one "),
        ("on|e", "kill_to_end", "on|"),
        ("a|\nb", "kill_to_end", "a|b"),
        ("a\nb c|d", "kill_to_start", "a\n|d"),
        ("ab|", "transpose", "ba|"),
        ("a|bc", "transpose", "ba|c"),
        ("|ab", "transpose", "|ab"),
        ("abc\nd|e", "up", "a|bc\nde"),
        ("a\nbcd|", "up", "a|\nbcd"),
        ("ab|c\n\nxyz", "down", "abc\n|\nxyz"),
        ("a|", "backspace backspace", "|"),
        ("|ab", "delete", "|b"),
        ("ab\nc|d", "home left end", "ab|\ncd"),
    ],
)
def test_editing(before: str, keys: str, after: str) -> None:
    buffer = Buffer(before.replace("|", ""))
    buffer.cursor = before.index("|")
    for key in keys.split():
        getattr(buffer, key)()
    assert buffer.text[: buffer.cursor] + "|" + buffer.text[buffer.cursor :] == after


def test_the_history_is_kept_and_searched(tmp_path: Path) -> None:
    path = str(tmp_path / "history")
    history = History(path)
    for entry in ("let a", "one\\n\ntwo", "let b", "let b", " "):
        history.add(entry)
    history.save()
    history = History(path)
    assert history.entries == ["let a", "one\\n\ntwo", "let b"]
    assert history.older("l", "l") == "let b"
    assert history.older("let b", "let b") == "let a"
    assert history.older("let a", "let a") is None
    assert history.newer("let a") == "let b"
    assert history.newer("let b") == "l"
    assert history.newer("l") is None
    assert history.search("t") == 2
    assert history.search("t", 2) == 1
    assert history.search("nothing") is None


def drawn(columns: int, *texts: tuple[str, int]) -> str:
    written: list[str] = []
    screen = Screen(written.append, lambda: columns)
    for text, cursor in texts:
        screen.draw("> ", ". ", text, cursor)
    return "".join(written)


def test_drawing() -> None:
    assert drawn(80, ("ab", 1)) == "\r\x1b[J> ab\r\x1b[3C"
    # Two rows, the cursor in the first; then drawn again from there.
    assert drawn(10, ("0123456789", 2)).endswith("01234567\r\n89\x1b[1A\r\x1b[4C")
    assert drawn(10, ("0123456789", 10), ("", 0)).endswith("89\r\x1b[2C\x1b[1A\r\x1b[J> \r\x1b[2C")
    # A full row moves the cursor to the next; a wide character does not fit in one column.
    assert drawn(10, ("01234567", 8)).endswith("01234567\r\n\r")
    assert "\r\n漢" in drawn(10, ("0123456漢", 0))
    assert "\r\n. b" in drawn(80, ("a\nb", 0))


@pytest.fixture(scope="module")
def context() -> Iterator[js.Context]:
    with js.Context() as made:
        yield made


@pytest.mark.parametrize(
    "text",
    ["1 +", "f(", "({a:", "{", "`a", "`a${1", "/* x", "a.", "if (x)", "x =>", "let a =",
     "[1,\n2 // two",
     "async () => { await", "await f(1", "try {}", "class A {", "'a\\", "function f() { // x",
     "ä = 'ö' +",
     "{a: 1,"],
)  # fmt: skip
def test_what_can_go_on(context: js.Context, text: str) -> None:
    assert not is_whole(context, text)


@pytest.mark.parametrize(
    "text",
    ["1", "'abc", "let a b", "1 + )", "}", "@", "/(/", "return 1", "await 1", "{a: 1}", ".help",
     "// {",
     "ä = 'ö' + )", "import x from 'y'", "{ let a = 1; a }"],
)  # fmt: skip
def test_what_is_whole_or_never_will_be(context: js.Context, text: str) -> None:
    assert is_whole(context, text)


def test_how_input_is_run(context: js.Context) -> None:
    assert context.evaluate(prepared(context, "{a: 1}").source)["a"] == 1
    assert context.evaluate(prepared(context, "{ let a = 1; a }").source) == 1
    assert context.evaluate(prepared(context, "{};").source) is None
    assert prepared(context, "await 1").wait
    assert not prepared(context, "async () => { await 1 }").wait
    for text, source in (
        ("import a from 'x'", "var {default: a} = await import('x'); undefined"),
        ('import {b, c as d} from "x";', 'var {b, c: d} = await import("x"); undefined'),
        ("import * as e from 'x'", "var e = await import('x'); undefined"),
        ("import 'x'", "void await import('x')"),
    ):
        assert prepared(context, text).source == source
    with pytest.raises(js.JSError):
        prepared(context, "let a b")


def test_completion_runs_nothing() -> None:
    with js.Context() as context:
        context.add_builtin("shelf", lambda context: {})
        complete = Completer(context)
        context.evaluate("""
            globalThis.ran = 0;
            var plain = {inner: {alpha: 1, alps: [2], "not an identifier": 3}, [Symbol("x")]: 1};
            let lexical = "text";
            class Klass { static make() {} }
            var getter = {get value() { ran++; return {deep: 1} }, other: 1};
            var proxy = new Proxy({}, {
                get() { ran++ }, has() { ran++; return true }, ownKeys() { ran++; return ["x"] },
                getPrototypeOf() { ran++; return null },
                getOwnPropertyDescriptor() { ran++ },
            });
            var above = Object.create(proxy);
            var holder = {proxy};
            Object.defineProperty(globalThis, "trap", {get() { ran++ }, configurable: true});
        """)
        complete.declared("let lexical = 1; class Klass {}")

        def words(text: str) -> list[str]:
            start, found = complete(text)
            assert all(word.startswith(text[start:]) for word in found)
            return found

        assert words("plain.inner.al") == ["alpha", "alps"]
        assert words("x = plain['inner'].alp") == ["alpha", "alps"]
        assert words("plain?.inner?.alps[0].toF") == ["toFixed"]
        assert "not an identifier" not in words("plain.inner.")
        assert words("lexical.starts") == ["startsWith"]
        assert words("Klass.ma") == ["make"]
        assert words("'it'.toUpp") == ["toUpperCase"]
        assert words("/a/g.sour") == ["source"]
        assert words("lexi") == ["lexical"]
        assert words("Math.ma") == ["max"]
        assert words("parseF") == ["parseFloat"]
        assert words("retu") == ["return"]
        assert words("this.pars") == ["parseFloat", "parseInt"]
        assert words("getter.o") == ["other"]
        assert words("require('sh") == ["shelf"]
        assert words("import('node:s") == ["node:shelf"]
        assert words(".he") == [".help"]
        for text in (
            "getter.value.",
            "proxy.",
            "above.",
            "holder.proxy.x",
            "trap.",
            "nothing.",
            "1.",
        ):
            assert words(text) == []
        assert context.evaluate("ran") == 0


def test_the_prompt(tmp_path: Path) -> None:
    history = tmp_path / "history"
    (tmp_path / "loaded.js").write_text("var loaded = 'from the file'")
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "ovum.services.js"],
        env={**os.environ, "OVUM_JS_HISTORY": str(history), "TERM": "xterm"},
        cwd=tmp_path,
        encoding="utf-8",
        dimensions=(24, 80),
        timeout=60,
    )

    def typed(text: str, *expected: str) -> None:
        terminal.send(text)
        for each in expected:
            terminal.expect(each)

    terminal.expect("> ")
    typed("6 * 7\r", r"\[33m42\x1b\[39m\r\n", "> ")
    typed("var lines = [1,\r", r"\.\.\. ")
    typed("2, 3]; lines.length + 40\r", r"\[33m43\x1b\[39m\r\n", "> ")
    typed("let a b\r", r"let a b\r\n +\^", "Uncaught SyntaxError", "> ")
    typed("throw new RangeError('mine')\r", "Uncaught RangeError: mine", "> ")
    typed("await new Promise((done) => setTimeout(done, 1, 'awa' + 'ited'))\r", "awaited", "> ")
    typed("console.log('run' + 'ning'); for (;;);\r", "running\r\n")
    terminal.sendintr()
    typed("", "ended by Ctrl-C", "> ")
    typed("lines.rev\t()[0] + 50\r", r"lines\.reverse\(\)", r"\[33m53\x1b\[39m\r\n", "> ")
    typed("\x1b[A", r"lines\.reverse\(\)\[0\] \+ 50")
    terminal.sendintr()
    typed("", r"\^C", "> ")
    typed("\x12thro", r"throw new RangeError")
    terminal.sendintr()
    typed("", r"\^C", "> ")
    typed(
        "setTimeout(() => { throw new Error('much ' + 'later') }, 1)\r", "Error: much later", "> "
    )
    typed(".load loaded.js\r", "> ")
    typed("loaded\r", "from the file", "> ")
    typed("\x1b[200~1 +\r2\x1b[201~", r"1 \+")
    typed("\r", r"\[33m3\x1b\[39m\r\n", "> ")
    typed(".help\r", r"\.load", "> ")
    typed(".exit\r")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "var lines = [1,\\n2, 3]; lines.length + 40" in history.read_text()
