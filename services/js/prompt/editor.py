"""Reads one input of one or more lines from a terminal, as a task: timers go on meanwhile."""

from __future__ import annotations

import os

from ovum.services import tasks
from ovum.services.js.prompt.buffer import Buffer
from ovum.services.js.prompt.keys import Keys
from ovum.services.js.prompt.screen import Screen, terminal_columns
from ovum.services.js.prompt.terminal import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.services.js.prompt.history import History

    Completer = Callable[[str], tuple[int, list[str]]]


class Interrupted(Exception):
    """Ctrl-C: the input was given up. `empty`: there was none."""

    def __init__(self, empty: bool) -> None:
        super().__init__()
        self.empty = empty


class Editor:
    """A line editor with history, search and completion.

    `complete(text)`: where the word begins that ends at the end of the text, and what it could be.
    `finished(text)`: whether Enter ends this input; else it makes another line.
    """

    def __init__(
        self,
        history: History,
        complete: Completer,
        finished: Callable[[str], bool],
        *,
        prompts: tuple[str, str] = ("> ", "... "),
        descriptors: tuple[int, int] = (0, 1),
    ) -> None:
        self.prompts = prompts
        self.history = history
        self._complete = complete
        self._finished = finished
        self._input, self._output = descriptors
        self._keys = Keys()
        self._waiting: list[str] = []
        self._buffer = Buffer()
        self._screen = Screen(self.write, lambda: terminal_columns(self._output))
        self._interrupts = tasks.Event("Ctrl-C")
        self._search: str | None = None
        self._found: int | None = None
        self._tabs = 0
        self._all = False
        self._reading = False
        self._bindings = self._table()

    def write(self, text: str) -> None:
        """Writes to the terminal."""
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._output, data) :]

    def aside(self, write: Callable[[], None]) -> None:
        """Has something written above the input, which is drawn again."""
        if not self._reading:
            write()
            return
        self.write(self._screen.erased())
        write()
        self._draw()

    def interrupt(self) -> None:
        """Ctrl-C was pressed. For handlers of signals, by way of `Scheduler.call_soon`."""
        self._interrupts.set()

    async def read(self) -> str:
        """The next input. Raises EOFError at its end, `Interrupted` at Ctrl-C."""
        self._buffer = Buffer()
        self.history.rest()
        self._search = None
        self._interrupts.clear()
        self._screen.leave()
        with Reading(self._input, self._output):
            self._reading = True
            try:
                return await self._typed()
            finally:
                self._reading = False

    async def _typed(self) -> str:
        buffer = self._buffer
        self._draw()
        while True:
            if not self._waiting:
                self._waiting += await self._more()
            key = self._waiting.pop(0)
            if self._searching(key):
                self._draw()
                continue
            if key == "enter" and self._entered():
                self._end()
                return buffer.text
            if key == "ctrl-d" and (self._all or not buffer.text):
                self._end()
                if self._all:
                    return buffer.text
                raise EOFError
            if key == "ctrl-c":
                raise self._given_up()
            self._act(key)
            # Of what was pasted or typed ahead, only the last is to be seen.
            if not self._waiting:
                self._draw()

    async def read_all(self) -> str:
        """Reads lines up to Ctrl-D. Raises `Interrupted` at Ctrl-C."""
        self._all = True
        return await self.read()

    async def _more(self) -> list[str]:
        while True:
            readable = await self._wait()
            if not readable:
                return ["ctrl-c"]
            data = os.read(self._input, 4096)
            if not data:
                return ["ctrl-d"] if not self._buffer.text else ["enter", "ctrl-d"]
            keys = list(self._keys.feed(data))
            if keys:
                return keys

    async def _wait(self) -> bool:
        """Waits for input; false if it was Ctrl-C."""
        readable = False

        async def watch(group: tasks.Group) -> None:
            nonlocal readable
            await tasks.wait_readable(self._input)
            readable = True
            group.cancel()

        async with tasks.Group("input") as group:
            group.start(watch, group)
            await self._interrupts.wait()
            group.cancel()
        self._interrupts.clear()
        return readable

    # Ends.

    def _entered(self) -> bool:
        """Whether Enter ends the input here."""
        buffer = self._buffer
        if buffer.on_last_line or not buffer.text[buffer.cursor :].strip():
            return self._finished(buffer.text)
        return False

    def _end(self) -> None:
        self._buffer.cursor = len(self._buffer.text)
        self._draw()
        self.write("\r\n")
        self._screen.leave()

    def _given_up(self) -> Interrupted:
        empty = not self._buffer.text
        self._waiting.clear()
        self._buffer.cursor = len(self._buffer.text)
        self._draw()
        self.write("^C\r\n")
        self._screen.leave()
        return Interrupted(empty)

    def _draw(self) -> None:
        buffer = self._buffer
        first, others = self.prompts
        if self._search is not None:
            first = f"(search) '{self._search}': "
        self._screen.draw(first, others, buffer.text, buffer.cursor)

    # Keys.

    def _act(self, key: str) -> None:
        if key != "tab":
            self._tabs = 0
        if key.startswith("paste:"):
            pasted = key.removeprefix("paste:").replace("\r\n", "\n").replace("\r", "\n")
            self._buffer.insert(pasted)
        elif key in self._bindings:
            self._bindings[key]()
        elif len(key) == 1:
            self._buffer.insert(key)

    def _table(self) -> dict[str, Callable[[], None]]:
        def on(name: str) -> Callable[[], None]:
            return lambda: getattr(self._buffer, name)()

        keys = {
            "left": "left", "ctrl-b": "left", "right": "right", "ctrl-f": "right",
            "home": "home", "ctrl-a": "home", "end": "end", "ctrl-e": "end",
            "ctrl-left": "word_left", "alt-b": "word_left", "alt-left": "word_left",
            "ctrl-right": "word_right", "alt-f": "word_right", "alt-right": "word_right",
            "backspace": "backspace", "delete": "delete", "ctrl-d": "delete",
            "ctrl-w": "kill_word_left", "alt-backspace": "kill_word_left",
            "alt-d": "kill_word_right", "ctrl-delete": "kill_word_right",
            "ctrl-k": "kill_to_end", "ctrl-u": "kill_to_start", "ctrl-y": "yank",
            "ctrl-t": "transpose",
        }  # fmt: skip
        table = {key: on(name) for key, name in keys.items()}
        table["enter"] = self._newline
        table["alt-enter"] = lambda: self._buffer.insert("\n")
        table["up"] = table["ctrl-p"] = self._up
        table["down"] = table["ctrl-n"] = self._down
        table["ctrl-l"] = self._screen.clear
        table["ctrl-r"] = self._begin_search
        table["tab"] = self._tab
        return table

    def _newline(self) -> None:
        """Another line, indented as this one is."""
        buffer = self._buffer
        line = buffer.text[buffer.line_start : buffer.cursor]
        indent = line[: len(line) - len(line.lstrip(" "))]
        if line.rstrip().endswith(("{", "(", "[")):
            indent += "  "
        buffer.insert("\n" + indent)

    def _up(self) -> None:
        buffer = self._buffer
        if not buffer.on_first_line:
            buffer.up()
            return
        older = self.history.older(buffer.text[: buffer.cursor], buffer.text)
        if older is not None:
            buffer.set(older)

    def _down(self) -> None:
        buffer = self._buffer
        if not buffer.on_last_line:
            buffer.down()
            return
        newer = self.history.newer(buffer.text)
        if newer is not None:
            buffer.set(newer)

    # Searching.

    def _begin_search(self) -> None:
        self._search, self._found = "", None

    def _searching(self, key: str) -> bool:
        """What a key does while searching; false if nobody does, or the key ends it."""
        if self._search is None:
            return False
        if key == "ctrl-r":
            self._look(self._search, self._found)
        elif key == "backspace":
            self._look(self._search[:-1], None)
        elif key in ("ctrl-g", "escape"):
            self._search = None
            self._buffer.set("")
        elif len(key) == 1:
            self._look(self._search + key, None)
        else:
            self._search = None
            return False
        return True

    def _look(self, words: str, before: int | None) -> None:
        self._search = words
        found = self.history.search(words, before) if words else None
        if found is not None:
            self._found = found
            self._buffer.set(self.history.entries[found])

    # Completing.

    def _tab(self) -> None:
        buffer = self._buffer
        before = buffer.text[: buffer.cursor]
        if not before[buffer.line_start :].strip() and buffer.line_start:
            buffer.insert("  ")
            return
        start, found = self._complete(before)
        if not found:
            return
        # Of strings in order, what the first and the last have in common.
        common = _common(found[0], found[-1])
        if len(common) > len(before) - start:
            buffer.replace(start, common)
            self._tabs = 0
            return
        self._tabs += 1
        if len(found) > 1 and self._tabs > 1:
            self._list(found)

    def _list(self, found: list[str]) -> None:
        buffer, cursor = self._buffer, self._buffer.cursor
        buffer.cursor = len(buffer.text)
        self._draw()
        buffer.cursor = cursor
        self.write("\r\n" + in_columns(found, terminal_columns(self._output)))
        self._screen.leave()


def _common(first: str, last: str) -> str:
    for at, char in enumerate(first):
        if last[at : at + 1] != char:
            return first[:at]
    return first


def in_columns(words: list[str], width: int, limit: int = 400) -> str:
    """Words in columns, for a terminal of this width, each row with its line end."""
    left_out = len(words) - limit
    words = words[:limit]
    room = max(map(len, words)) + 2
    columns = max(1, width // room)
    rows = (len(words) + columns - 1) // columns
    lines = [
        "".join(word.ljust(room) for word in words[row::rows]).rstrip() + "\r\n"
        for row in range(rows)
    ]
    if left_out > 0:
        lines.append(f"and {left_out} more\r\n")
    return "".join(lines)
