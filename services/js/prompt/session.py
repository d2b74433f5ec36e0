"""The prompt's session: evaluates what was typed, shows values and errors, knows `.commands`."""

from __future__ import annotations

import os
import signal
import sys

from ovum.services import tasks
from ovum.services.js.context import Context
from ovum.services.js.errors import UNDEFINED, JSError
from ovum.services.js.objects import JSObject, JSPromise
from ovum.services.js.prompt.complete import Completer
from ovum.services.js.prompt.editor import Editor, Interrupted
from ovum.services.js.prompt.history import History
from ovum.services.js.prompt.source import behind, is_whole, names_place, prepared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COMMANDS = {
    "break": "give up what was typed so far",
    "clear": "begin with new globals",
    "editor": "type many lines; Ctrl-D runs them, Ctrl-C gives them up",
    "exit": "leave the prompt, as Ctrl-D does",
    "help": "print this",
    "load": "run the lines of a file: .load FILE",
    "save": "write what was typed to a file: .save FILE",
}

KEYS = """\
Tab completes, twice shows the choice. Ctrl-R searches the history, the arrow keys go through it.
Ctrl-C ends what runs and gives up what was typed; Alt-Enter is a line end. _ is the last value,
_error the last error, `await` works, and the modules are there by their names.
"""


class Session:
    """One prompt on the terminal of this process."""

    def __init__(self, make: Callable[[], Context], history: History) -> None:
        self._make = make
        self._history = history
        self._lines: list[str] = []
        self._counter = 0
        self._again = True
        self._status = 0

    def run(self) -> int:
        """Runs until the end of the input; the exit status."""
        version = self._version()
        print(f"JavaScript (QuickJS {version}). .help tells more.", flush=True)
        while self._again:
            self._again = False
            with self._make() as context:
                self._run_in(context)
        try:
            self._history.save()
        except OSError as error:
            print(f"the history is lost: {error}", file=sys.stderr)
        return self._status

    @staticmethod
    def _version() -> str:
        from ovum.services.js import library

        return library.version()

    def _run_in(self, context: Context) -> None:
        self._context = context
        self._completer = Completer(context)
        self._editor = Editor(self._history, self._completer, lambda text: is_whole(context, text))
        for name in sorted(context.modules.builtins):
            if name.isidentifier():
                self._completer.js["lazy"](name, context.modules.builtin)
        require = context.modules.require_in(os.getcwd())
        context.set_global("require", require)
        loop = context.loop
        loop.on_uncaught = self._uncaught
        loop.start(self._read, hold=True)
        try:
            context.run()
        except SystemExit as error:
            self._status = error.code if isinstance(error.code, int) else 0
        if context.on_exit is not None:
            self._status = context.on_exit(self._status)

    # Reading.

    async def _read(self) -> None:
        scheduler = tasks.current_scheduler()
        restore = self._handle_interrupts(scheduler)
        given_up = False
        try:
            while True:
                try:
                    text = await self._editor.read()
                except EOFError:
                    return
                except Interrupted as interrupted:
                    if interrupted.empty:
                        if given_up:
                            return
                        print("(Ctrl-C again, Ctrl-D or .exit leaves)", flush=True)
                    given_up = interrupted.empty
                    continue
                given_up = False
                if not await self._input(text):
                    return
        finally:
            restore()

    def _handle_interrupts(self, scheduler: tasks.Scheduler) -> Callable[[], None]:
        context = self._context
        self._busy: tasks.Event | None = None

        def handler(number: int, frame: object) -> None:
            if context.engine.depth:
                context.interrupt()
            elif self._busy is not None:
                scheduler.call_soon(self._busy.set)
            else:
                scheduler.call_soon(self._editor.interrupt)

        before = signal.signal(signal.SIGINT, handler)

        def restore() -> None:
            signal.signal(signal.SIGINT, before)

        return restore

    async def _input(self, text: str) -> bool:
        """Does what was typed; false if that was `.exit`."""
        if not text.strip():
            return True
        self._history.add(text)
        word, _, rest = text.strip().partition(" ")
        if word.startswith(".") and word[1:].isalpha():
            return await self._command(word[1:], rest.strip())
        self._lines.append(text)
        await self._run(text)
        return True

    async def _command(self, name: str, rest: str) -> bool:
        matching = [known for known in COMMANDS if known.startswith(name)]
        name = name if name in COMMANDS else matching[0] if len(matching) == 1 else name
        if name == "exit":
            return False
        if name == "help":
            for known, words in COMMANDS.items():
                print(f".{known:<8}{words}")
            print(f"\n{KEYS}", end="", flush=True)
        elif name == "clear":
            self._again = True
            return False
        elif name == "load":
            await self._load(rest)
        elif name == "save":
            self._save(rest)
        elif name == "editor":
            await self._edit()
        elif name != "break":
            print(f"there is no .{name}: .help lists what there is", flush=True)
        return True

    async def _load(self, path: str) -> None:
        try:
            with open(path, encoding="utf-8") as file:
                source = file.read()
        except OSError as error:
            print(f"{path}: {error.strerror}" if path else "which file?", flush=True)
            return
        self._lines.append(source)
        await self._run(source)

    def _save(self, path: str) -> None:
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self._lines)
        except OSError as error:
            print(f"{path}: {error.strerror}" if path else "which file?", flush=True)
            return
        print(f"saved in {path}", flush=True)

    async def _edit(self) -> None:
        print("// Ctrl-D runs it, Ctrl-C gives it up", flush=True)
        editor = Editor(self._history, self._completer, lambda text: False, prompts=("", ""))
        main, self._editor = self._editor, editor
        try:
            text = await editor.read_all()
        except Interrupted:
            return
        finally:
            self._editor = main
        if text.strip():
            self._history.add(text)
            self._lines.append(text)
            await self._run(text)

    # Running.

    async def _run(self, text: str) -> None:
        """Runs source in the loop's own task, and waits for its end."""
        done = self._busy = tasks.Event("the end of what was typed")
        self._context.loop.post(self._evaluate, text, done)
        try:
            await done.wait()
        finally:
            self._busy = None

    def _evaluate(self, text: str, done: tasks.Event) -> None:
        context = self._context
        self._counter += 1
        name = f"REPL{self._counter}"
        try:
            given = prepared(context, text)
            self._completer.declared(text)
            if not given.wait:
                self._show(context.evaluate(given.source, self._place(name), keep=True))
                done.set()
                return
            promise = context.evaluate_async(given.source, self._place(name))
            self._wait_for(promise, done)
        except KeyboardInterrupt:
            print("Uncaught: ended by Ctrl-C", flush=True)
            done.set()
        except JSError as error:
            self._error(error, text)
            done.set()

    def _place(self, name: str) -> str:
        # Imports are relative to its folder.
        return os.path.join(os.getcwd(), name)

    def _wait_for(self, promise: JSPromise, done: tasks.Event) -> None:
        context = self._context

        def fulfilled(result: Any) -> None:
            if not done.is_set():
                self._show(result.get("value", keep=True))
                done.set()

        def rejected(error: Any) -> None:
            if not done.is_set():
                found = context.error_of(error)
                assert isinstance(found, JSError)
                self._error(found, "")
                done.set()

        context.when_settled(promise, fulfilled, rejected)

    def _show(self, value: Any) -> None:
        if value is not UNDEFINED:
            self._completer.js["setLast"]("_", value)
        print(self._context.inspect(value, colors=True), flush=True)

    def _uncaught(self, error: BaseException, origin: str, promise: Any) -> bool:
        if not isinstance(error, JSError):
            return False
        self._editor.aside(lambda: self._error(error, ""))
        return True

    def _error(self, error: JSError, text: str) -> None:
        value = error.value
        if isinstance(value, JSObject):
            self._completer.js["setLast"]("_error", value)
        if error.name == "SyntaxError" and text:
            place = names_place(error)
            lines = text.split("\n")
            if place is not None and place[0] <= len(lines):
                line = lines[place[0] - 1]
                print(f"{line}\n{' ' * (len(line) - len(behind(line, place[1])))}^\n")
            print(f"Uncaught SyntaxError: {error.message}", flush=True)
            return
        thrown = isinstance(value, JSObject) and not self._context.is_error(value)
        if thrown or (value is not None and not isinstance(value, JSObject)):
            shown = self._context.inspect(value, colors=True)
        else:
            first = f"{error.name}: {error.message}" if error.message else error.name
            stack = [line for line in error.stack.splitlines() if "<eval>" not in line]
            shown = "\n".join([first, *(line.replace(self._place(""), "") for line in stack)])
            trace = value["pythonStack"] if isinstance(value, JSObject) else None
            if trace:
                shown += f"\n\n{trace}"
        print(f"Uncaught {shown}", flush=True)
