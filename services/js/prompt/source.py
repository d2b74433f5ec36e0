"""What was typed at the prompt: whether it is whole, and how it is to be run."""

from __future__ import annotations

import re

from ovum.services.js.errors import JSError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.context import Context

_AWAIT = re.compile(r"\bawait\b")
_OBJECT = re.compile(r"^\s*\{.*[^;\s]\s*$", re.DOTALL)
_PLACE = re.compile(r":(\d+):(\d+)\s*$")
_TAIL = re.compile(r"(?:\s|//[^\n]*(?:\n|$)|/\*.*?\*/)*$", re.DOTALL)
_IMPORT = re.compile(
    r"^\s*import\s+(?:(?P<default>[\w$]+)\s*,?\s*)?(?:\*\s*as\s+(?P<all>[\w$]+)\s*"
    r"|\{(?P<some>[^}]*)\}\s*)?from\s*(?P<name>'[^']*'|\"[^\"]*\")\s*;?\s*$"
)
_BARE = re.compile(r"^\s*import\s*(?P<name>'[^']*'|\"[^\"]*\")\s*;?\s*$")


class Input:
    """A program from the prompt: `source` as it is to be run, `wait` if it awaits at its top."""

    def __init__(self, source: str, wait: bool) -> None:
        self.source = source
        self.wait = wait


def prepared(context: Context, text: str) -> Input:
    """What to run for the text. Raises JSError, a SyntaxError, about the text as it was typed."""
    imported = _as_import(text)
    if imported is not None:
        return Input(imported, True)
    wait = _AWAIT.search(text) is not None
    if _OBJECT.match(text):
        # As node does: {a: 1} is an object, unless it can only be a block.
        whole = f"({text.strip()}\n)"
        if _compiles(context, whole, wait=False):
            return Input(whole, False)
        if wait and _compiles(context, whole, wait=True):
            return Input(whole, True)
    if not wait or _compiles(context, text, wait=False):
        context.check_syntax(text)
        return Input(text, False)
    context.check_syntax(text, wait=True)
    return Input(text, True)


def _compiles(context: Context, text: str, *, wait: bool) -> bool:
    try:
        context.check_syntax(text, wait=wait)
    except JSError:
        return False
    return True


def _as_import(text: str) -> str | None:
    """An import statement as what a script can have in its place; None if it is none."""
    bare = _BARE.match(text)
    if bare is not None:
        return f"void await import({bare['name']})"
    found = _IMPORT.match(text)
    if found is None:
        return None
    module = f"await import({found['name']})"
    parts = []
    if found["all"]:
        return (
            f"var {found['all']} = {module}"
            + (f"; var {found['default']} = {found['all']}.default" if found["default"] else "")
            + "; undefined"
        )
    if found["default"]:
        parts.append(f"default: {found['default']}")
    for name in (found["some"] or "").split(","):
        if name.strip():
            parts.append(re.sub(r"\s+as\s+", ": ", name.strip()))
    return f"var {{{', '.join(parts)}}} = {module}; undefined"


def is_whole(context: Context, text: str) -> bool:
    """Whether it is a program, or can never become one by more lines."""
    if text.lstrip().startswith(".") and re.match(r"\s*\.[a-z]+(\s|$)", text):
        return True
    try:
        prepared(context, text)
    except JSError as error:
        return not _could_go_on(text, error)
    return True


def _could_go_on(text: str, error: JSError) -> bool:
    if error.name != "SyntaxError":
        return False
    if error.message == "unexpected end of comment":
        return True
    place = _PLACE.search(error.stack)
    if place is None:
        return False
    line, column = int(place[1]), int(place[2])
    lines = text.split("\n")
    if line > len(lines):
        return True
    if error.message == "unexpected end of string":
        # A template may go on in the next line, a string only behind a backslash.
        return behind(lines[line - 1], column)[:1] == "`" or text.endswith("\\")
    rest = "\n".join([behind(lines[line - 1], column), *lines[line:]])
    return _TAIL.fullmatch(rest) is not None


def behind(line: str, column: int) -> str:
    """A line from a column on: the engine counts bytes of UTF-8."""
    return line.encode("utf-8", "surrogatepass")[column - 1 :].decode("utf-8", "replace")


def names_place(error: JSError) -> tuple[int, int] | None:
    """Line and column of a syntax error."""
    place = _PLACE.search(error.stack)
    return None if place is None else (int(place[1]), int(place[2]))
