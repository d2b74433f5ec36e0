"""The program of an image: what `python3` would run, as files, arguments and a working folder."""

import dataclasses
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ovum.layers import digest
from ovum.runners import JAVASCRIPT, Kind, RunnerError, is_javascript, kind_of
from ovum.tree import Refusal, SourceFile, program_tree, source_file, whole_tree

PYTHON: Final = "/usr/bin/python3.13"
FOLDER: Final = "/app"


class ProgramError(Exception):
    """The user named something that is not there, or cannot be run."""


@dataclasses.dataclass(frozen=True, slots=True)
class Addition:
    """A file or folder of the host that the user wants in the image."""

    host: Path
    guest: str
    """Its path in the image, without the leading slash."""

    @classmethod
    def parse(cls, text: str) -> "Addition":
        """Reads HOST:GUEST; a guest path that is not absolute is in the program's folder."""
        host, colon, guest = text.rpartition(":")
        if not colon or not host or not guest:
            raise ProgramError(f"--add wants HOST:GUEST, as in data/model.bin:/srv/, not {text!r}")
        if guest.endswith("/"):
            guest += Path(host).name
        path = Path(host)
        if not path.exists():
            raise ProgramError(f"--add: there is no {host}")
        return cls(path, os.path.normpath(f"{FOLDER}/{guest}" if guest[0] != "/" else guest)[1:])

    def files(self) -> list[SourceFile]:
        """The files, by their path in the image."""
        if self.host.is_dir():
            below = whole_tree(self.host)
            return [dataclasses.replace(file, name=f"{self.guest}/{file.name}") for file in below]
        return [source_file(self.guest, self.host)]


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """What to run."""

    arguments: tuple[str, ...]
    """The interpreter's arguments."""
    folder: Path | None = None
    """The host's folder that becomes the program's; None if it needs no files."""
    entry: Path | None = None
    """The file to start with, where the program is one."""
    code: str | None = None
    """The program itself, after -c."""
    module: str | None = None
    """The module to start, after -m."""
    alone: bool = False
    """Whether `entry` is all of it, as with a zip file."""
    kind: Kind | None = None
    """What runs `entry`, where that is not Python."""

    @property
    def interactive(self) -> bool:
        """Whether it is the prompt."""
        return not self.arguments


def find_program(
    target: str | None,
    arguments: Sequence[str],
    *,
    module: str | None = None,
    code: str | None = None,
    settings: Sequence[str] = (),
    javascript: bool = False,
    cwd: Path | None = None,
) -> Program:
    """What these words of the command line mean, by the rules of `python3`.

    settings: KEY=VALUE each, for what runs a program that is not Python.
    javascript: it is JavaScript, whatever its name; without a program, its prompt.
    """
    here = cwd or Path.cwd()
    if javascript and (target is None or target == "-"):
        words = JAVASCRIPT.command("-", settings, arguments)
        return Program(tuple(words if target else words[: words.index("-", 2)]), kind=JAVASCRIPT)
    folder_kind = target is not None and is_javascript(here / target)
    if settings and not javascript and not folder_kind and kind_of(target or "") is None:
        raise RunnerError(f"--set {settings[0]} is for programs that are not Python")
    if code is not None:
        folder = here if _imports_from(code, here) else None
        return Program(("-c", code, *arguments), folder, code=code)
    if module is not None:
        top = module.split(".")[0]
        folder = here if _is_module_in(top, here) else None
        return Program(("-m", module, *arguments), folder, module=module)
    if target is None:
        return Program(())
    if target == "-":
        return Program(("-", *arguments))
    path = here / target
    if path.is_dir():
        if javascript or not (path / "__main__.py").is_file():
            if is_javascript(path):
                entry = next(
                    path / name for name in ("package.json", "index.js") if (path / name).is_file()
                )
                words = JAVASCRIPT.command(FOLDER, settings, arguments)
                return Program(tuple(words), path, entry=entry, kind=JAVASCRIPT)
            raise ProgramError(f"{target} is a folder without __main__.py or package.json")
        return Program((FOLDER, *arguments), path, entry=path / "__main__.py")
    if not path.is_file():
        raise ProgramError(f"there is no {target}")
    kind = JAVASCRIPT if javascript else kind_of(path.name)
    if kind is not None:
        words = kind.command(f"{FOLDER}/{path.name}", settings, arguments)
        return Program(tuple(words), path.parent, entry=path, kind=kind)
    started = (f"{FOLDER}/{path.name}", *arguments)
    return Program(started, path.parent, entry=path, alone=zipfile.is_zipfile(path))


def _is_module_in(name: str, folder: Path) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _imports_from(code: str, folder: Path) -> bool:
    """Whether the code may import something that is in the folder.

    By words, not by grammar: this runs in the host's Python, which may be older than the code.
    """
    words = set(code.replace(",", " ").replace(".", " ").replace(";", " ").split())
    return "import" in words and any(
        word.isidentifier() and _is_module_in(word, folder) for word in words
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Contents:
    """The files of a program, and what the user should know about the choice of them."""

    files: tuple[SourceFile, ...]
    refusal: str | None = None

    def key(self) -> str:
        """Names exactly these files in exactly this state."""
        return digest("application", *map(dataclasses.astuple, self.files))


def contents(program: Program) -> Contents:
    """The files that the program takes along, named relative to its folder in the image."""
    if program.folder is None:
        return Contents(())
    if program.alone and program.entry is not None:
        return Contents((source_file(program.entry.name, program.entry),))
    found = program_tree(program.folder, node_modules=program.kind is JAVASCRIPT)
    if isinstance(found, Refusal):
        files = () if program.entry is None else (source_file(program.entry.name, program.entry),)
        return Contents(files, f"{program.folder.resolve()} {found.reason}")
    if program.entry is not None and program.entry.name not in {file.name for file in found}:
        # The entry itself goes in, whatever its name.
        found.append(source_file(program.entry.name, program.entry))
    return Contents(tuple(found))
