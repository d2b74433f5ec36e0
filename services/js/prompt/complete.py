"""Tab: what the word at the end of the input could be. Looks, and runs nothing.

Names and members are read from the objects themselves, up to the first getter or proxy, which would
have to run code to tell.
"""

from __future__ import annotations

import os
import re
from os.path import dirname

from ovum.services.js import library
from ovum.services.js.library import VALUE_AT, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context

_NAME = r"[^\W\d][\w$]*|\$[\w$]*"
_CHAIN = re.compile(
    rf"(?P<first>(?:{_NAME})|'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`$\\]*`"
    rf"|(?<![\w)\]\s])/(?:[^/\\\n\[]|\\.|\[[^\]]*\])+/[a-z]*)"
    rf"(?P<rest>(?:\??\.\s*(?:{_NAME})|\[\s*(?:\d+|'[^'\\]*'|\"[^\"\\]*\")\s*\])*)"
    rf"\s*\??\.\s*(?P<prefix>(?:{_NAME})?)$"
)
_STEP = re.compile(rf"\??\.\s*({_NAME})|\[\s*(\d+)\s*\]|\[\s*'([^']*)'\s*\]|\[\s*\"([^\"]*)\"\s*\]")
_WORD = re.compile(rf"(?<![.\w$])(?:{_NAME})$")
_MODULE = re.compile(r"(?:\brequire|\bimport)\s*\(\s*(['\"])([^'\"]*)$|\bfrom\s*(['\"])([^'\"]*)$")
_DECLARED = re.compile(rf"\b(?:let|const|class)\s+({_NAME})|[{{,\[]\s*(?:{_NAME}\s*:\s*)?({_NAME})")

_BEFORE = "([{,;=+-*!?:&|<>~^%"
"""What a name can stand behind without a space."""

KEYWORDS = """
    async await break case catch class const continue debugger default delete do else export extends
    false finally for function if import in instanceof let new null of return static super switch
    this throw true try typeof var void while with yield
""".split()


class Completer:
    """Completes the input of one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._declared: dict[str, None] = {}
        # Without conversions: they look at objects, and a proxy can see that.
        is_proxy = context.raw_function(_is_proxy)
        self.js: Any = context.part(f"{dirname(__file__)}/prompt.js", "ovum:prompt", is_proxy)

    def declared(self, source: str) -> None:
        """Takes the names that a program may have made which are no properties of an object."""
        for match in _DECLARED.finditer(source):
            self._declared[match[1] or match[2]] = None

    def __call__(self, text: str) -> tuple[int, list[str]]:
        """Where the last word begins, and what it could be, in order."""
        command = re.fullmatch(r"\s*\.(load|save)\s+(.*)", text)
        if command is not None:
            return len(text) - len(command[2]), _files(command[2])
        if re.fullmatch(r"\s*\.\w*", text):
            from ovum.services.js.prompt.session import COMMANDS

            prefix = text.strip()
            return len(text) - len(prefix), _starting(prefix, [f".{name}" for name in COMMANDS])
        module = _MODULE.search(text)
        if module is not None:
            prefix = module[2] if module[2] is not None else module[4]
            return len(text) - len(prefix), self._modules(prefix)
        chain = _CHAIN.search(text)
        if chain is not None:
            prefix = chain["prefix"]
            return len(text) - len(prefix), _starting(prefix, self._members(chain))
        word = _WORD.search(text)
        prefix = "" if word is None else word[0]
        if (
            not prefix
            and text.strip()
            and not text[-1].isspace()
            and text[-1] not in "([{,;=+-*!?:&|"
        ):
            return len(text), []
        return len(text) - len(prefix), _starting(prefix, self._names())

    def _names(self) -> list[str]:
        declared = [name for name in self._declared if self.js["exists"](name)]
        return [*declared, *self.js["globals"](), *KEYWORDS]

    def _members(self, chain: re.Match[str]) -> list[str]:
        first, kind = chain["first"], ""
        if first[0] in "'\"`":
            first = kind = "string"
        elif first[0] == "/":
            first = kind = "regexp"
        names = [
            next(part for part in step.groups() if part is not None)
            for step in _STEP.finditer(chain["rest"])
        ]
        found: list[str] = self.js["members"](first, names, kind)
        return found

    def _modules(self, prefix: str) -> list[str]:
        if prefix.startswith(("./", "../", "/")):
            return _files(prefix)
        names = sorted(self._context.modules.builtins)
        if prefix.startswith("node:"):
            names = [f"node:{name}" for name in names]
        return _starting(prefix, names)


def _is_proxy(value: Any) -> bool:
    if type(value).__name__ != "Object":
        return False
    return library.is_proxy(Value.from_address(id(value) + VALUE_AT))  # type: ignore[no-any-return]


def _starting(prefix: str, names: list[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(prefix)})


def _files(prefix: str) -> list[str]:
    folder, slash, start = prefix.rpartition("/")
    found = []
    try:
        with os.scandir(folder + slash or ".") as entries:
            for entry in entries:
                if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
                    found.append(f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}")
    except OSError:
        # Nothing there to complete with.
        return []
    return sorted(found)
