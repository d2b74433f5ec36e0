"""Programs that are not Python, and the parts of ovum that run them.

A part is a sub-package of ovum's that is no piece of the base layer. It comes as a layer of its
own, with the packages that it needs, when the program is of its kind, when the program imports it,
or when `--with` names it.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.layers import Store, digest, signature
from ovum.paths import REPO

if TYPE_CHECKING:
    from ovum.progress import Progress
    from ovum.sysroot import Sysroot
    from ovum.tree import SourceFile

PLACE: Final = "usr/lib/python3.13/ovum"
"""Where the parts are in an image; pyhost/library.py looks there behind the base layer."""

PREPARED: Final = "usr/lib/ovum/wasm"
"""Where the files are that `Kind.prepare` made."""

MADE: Final = Store("prepared", ".cpio", keep=24)
LAYERS: Final = Store("parts", ".cpio", keep=8)
FOUND: Final = Store("parts-used", ".json", keep=256)


class RunnerError(Exception):
    """A setting that no runner knows."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A sub-package that comes in when it is used, and what it needs from PyPI."""

    name: str
    """As in `ovum.NAME`; it may have dots."""
    requirements: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where it is below ovum's own folder, in the checkout and in an image."""
        return self.name.replace(".", "/")


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of program: how it is told, and the module that `python3 -m` runs it with."""

    suffixes: tuple[str, ...]
    module: str
    settings: Mapping[str, str]
    """What `--set` takes for it, each with a few words on its value."""
    part: str | None = None
    """The part that the module is in; None if every image has it."""
    requirements: tuple[str, ...] = ()
    """Packages that the module needs, besides those of its part."""
    prepare: str | None = None
    """A module that makes files from the program when an image is made, on this machine: `python3
    -m MODULE FOLDER [--set KEY=VALUE …] PROGRAM`. They are in PREPARED of the image."""

    def command(self, target: str, settings: Sequence[str], arguments: Sequence[str]) -> list[str]:
        """The arguments of the interpreter. Raises RunnerError for a setting it does not know."""
        for setting in settings:
            name, equals, _ = setting.partition("=")
            if name not in self.settings or not equals:
                known = ", ".join(f"{key}={value}" for key, value in self.settings.items())
                raise RunnerError(f"--set {setting}: {Path(target).name} knows {known}")
        chosen = [word for setting in settings for word in ("--set", setting)]
        return ["-m", self.module, *chosen, target, *arguments]


PARTS: Final = {
    part.name: part
    for part in (
        Part("wasm", ("wasmtime==50.0.1",)),
        Part("services.js", ("quickjs-ng==0.17.0.2",)),
    )
}

JAVASCRIPT: Final = Kind(
    (".js", ".mjs", ".cjs"),
    "ovum.services.js",
    {"memory": "SIZE", "time": "SECONDS", "stack": "SIZE"},
    part="services.js",
)

KINDS: Final = (
    JAVASCRIPT,
    Kind(
        (".wasm", ".wat"),
        "ovum.wasm",
        {
            "dir": "[NAME=]FOLDER[:ro]",
            "env": "KEY=VALUE",
            "fuel": "INSTRUCTIONS",
            "memory": "SIZE",
            "timeout": "SECONDS",
            "stack": "SIZE",
            "cache": "FOLDER",
        },
        part="wasm",
        prepare="ovum.wasm.aot",
    ),
)


def kind_of(name: str) -> Kind | None:
    """The kind of a program by its file's name; None for what Python runs."""
    return next((kind for kind in KINDS if name.endswith(kind.suffixes)), None)


def is_javascript(folder: Path) -> bool:
    """Whether a folder is a program in JavaScript, which has a package.json or an index.js."""
    return any((folder / name).is_file() for name in ("package.json", "index.js"))


def modules_of(part: Part) -> list[str]:
    """The names of all modules of a part: some are imported by names made at run time."""
    folder = REPO / part.folder
    names = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")]
    return sorted(
        ".".join(("ovum", part.name, *name.parts)).removesuffix(".__init__") for name in names
    )


def named_parts(packages: Iterable[str]) -> tuple[list[Part], list[str]]:
    """Of what `--with` names, our own parts, and the rest, which is PyPI's."""
    named, others = [], []
    for package in packages:
        part = PARTS.get(package.removeprefix("ovum.")) if package.startswith("ovum.") else None
        if part is None:
            others.append(package)
        else:
            named.append(part)
    return named, others


def imported_parts(text: str) -> list[Part]:
    """The parts that this Python code names. By words: the host's Python may be older than it."""
    # Here as below: few runs need it, and every import delays all of them.
    import re

    found = []
    for part in PARTS.values():
        package, _, last = f"ovum.{part.name}".rpartition(".")
        whole, above = re.escape(f"{package}.{last}"), re.escape(package)
        if re.search(rf"\b{whole}\b|\bfrom\s+{above}\s+import\b[^\n]*?\b{last}\b", text):
            found.append(part)
    return found


def parts_of_files(files: Sequence["SourceFile"]) -> list[Part]:
    """The parts that these files of a program import; remembered by their state."""
    sources = [file for file in files if file.name.endswith(".py")]
    if not sources:
        return []
    import json

    shape = [(file.name, str(file.path), file.size, file.mtime_ns) for file in sources]

    def make(out: Path, _: Path) -> None:
        texts = (file.path.read_text("utf-8", "replace") for file in sources)
        names = {part.name for text in texts for part in imported_parts(text)}
        out.write_text(json.dumps(sorted(names)))

    key = digest("parts used", sorted(shape), sorted(PARTS))
    return [PARTS[name] for name in json.loads(FOUND.ensure(key, make).read_bytes())]


def ensure_part(sysroot: "Sysroot", part: Part) -> Path:
    """The archive of one part: its modules, as bytecode like the base layer's, and its data."""
    folder = (REPO / part.folder).resolve()
    files = [path for path in sorted(folder.rglob("*")) if _belongs(path)]
    state = [signature(path) for path in files]

    def make(out: Path, work: Path) -> None:
        from ovum.bytecode import BytecodeError, Unit, compile_units
        from ovum.cpio import regular, write_archive

        names = {path: f"{PLACE}/{part.folder}/{path.relative_to(folder)}" for path in files}
        units = [
            Unit(path, work / f"{number}.pyc", f"/{name}")
            for number, (path, name) in enumerate(names.items())
            if path.suffix == ".py"
        ]
        failures = compile_units(sysroot, units, columns=False)
        if failures:
            raise BytecodeError(f"{failures[0].shown}: {failures[0].reason}")
        entries = [regular(f"{unit.shown[1:]}c", unit.output) for unit in units]
        entries += [regular(names[path], path) for path in files if path.suffix != ".py"]
        with out.open("wb") as archive:
            write_archive(archive, entries)

    return LAYERS.ensure(digest("part", sysroot.digest, part.name, state), make)


def ensure_prepared(
    sysroot: "Sysroot",
    program: Path,
    kind: Kind,
    settings: Sequence[str],
    packages: Path,
    progress: "Progress",
) -> Path:
    """The archive of what `kind.prepare` makes from a program; `packages` has what that needs.

    Raises RunnerError with what it says, if it fails.
    """
    assert kind.prepare is not None
    content = hashlib.sha256(program.read_bytes()).hexdigest()
    folder = REPO / kind.module.removeprefix("ovum.").replace(".", "/")
    sources = [signature(path) for path in sorted(folder.rglob("*.py"))]
    key = digest("prepared", sysroot.digest, kind.prepare, content, list(settings), packages.name,
                 sources)  # fmt: skip

    def make(out: Path, work: Path) -> None:
        import subprocess

        from ovum.cpio import regular, write_archive
        from ovum.insysroot import environ

        site, made = work / "site", work / "made"
        made.mkdir()
        _unpack(packages, site)
        words = [word for setting in settings for word in ("--set", setting)]
        done = subprocess.run(
            sysroot.python("-m", str(kind.prepare), str(made), *words, str(program.resolve())),
            env={
                **environ(sysroot),
                "PYTHONPATH": f"{site}:{REPO}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise RunnerError(f"{program}: {done.stderr.strip()}")
        with out.open("wb") as archive:
            write_archive(
                archive, (regular(f"{PREPARED}/{one.name}", one) for one in sorted(made.iterdir()))
            )

    found = MADE.find(key)
    if found is not None:
        return found
    with progress.step(f"compiling {program.name}"):
        return MADE.ensure(key, make)


def _unpack(packages: Path, site: Path) -> None:
    """The files of a layer of packages, as they are in the folder site-packages."""
    import stat

    from ovum.cpio import read_archive
    from ovum.stdlib import SITE_PACKAGES

    for entry, _ in read_archive(packages.read_bytes()):
        name = entry.name.removeprefix(f"{SITE_PACKAGES}/")
        if name != entry.name and stat.S_ISREG(entry.mode) and isinstance(entry.content, bytes):
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content)


def _belongs(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts
